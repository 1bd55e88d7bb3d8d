/** Marketo, or what stands in its way, answers with what no client should swallow: nothing is lost, and little is taken. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from './http_client.mjs';
import { cookieOf, eventually, intakeFor, REST } from './intake.mjs';
import { kilobytes } from './server_process.mjs';

const SOAP_USER = { id: 'user', key: 'key-of-the-tests' };
const LEADS = { rest: '/rest/v1/leads.json', soap: '/soap/mktows/3_1' };
const FOR_EVER = 1_000_000;
const MINUTE = 60_000;

/** @typedef {import('../sim/call-faults.mjs').CallFault} CallFault */

/** @param {import('node:test').TestContext} t @param {'rest' | 'soap'} backend */
async function worldFor(t, backend) {
  const quarantine = { ASAN_OPTIONS: 'quarantine_size_mb=1' };
  const soap = { MARKETO_SOAP_USER_ID: SOAP_USER.id, MARKETO_SOAP_ENCRYPTION_KEY: SOAP_USER.key };
  const world = await intakeFor(t, {
    args: ['--backend', backend],
    env: { ...(backend === 'rest' ? REST : soap), ...quarantine },
    simulator: { soapUser: SOAP_USER },
  });
  return { ...world, calls: () => world.simulator[backend].calls.filter(({ path, method }) => path === LEADS[backend] && method === 'POST') };
}

const record = '{"id":1,"status":"created"}';

/** @type {[string, CallFault][]} */
const everywhere = [
  ['breaks off in the middle of each answer', { answer: 'cut' }],
  ['breaks off, though it did what it was asked', { answer: 'cut', carriedOut: true }],
  ['answers with 16 MB', { answer: 'huge' }],
  ['answers with a gzip bomb', { answer: 'bomb' }],
  ['sends a bomb with an error', { answer: 'bomb', status: 500 }],
  ['answers with an endless nesting', { text: `{"result":${'['.repeat(2_000_000)}` }],
  ['answers with what is no text', { text: '\0\x01\x02\u{FFFD}'.repeat(1000) }],
];

/** @type {Record<'rest' | 'soap', [string, CallFault][]>} */
const faults = {
  rest: [
    ...everywhere,
    ['answers success without a result', { text: '{"success":true}' }],
    ['answers with fewer results than there were leads', { text: '{"success":true,"result":[]}' }],
    ['answers with more results than there were leads', { text: `{"success":true,"result":[${Array(50).fill(record)}]}` }],
    ['answers with results that are none', { text: '{"success":true,"result":[null,1,"x",[],{}]}' }],
    ['says both success and an error', { text: '{"success":true,"errors":[{"code":"604","message":"Timed out"}]}' }],
    ['says failure without an error', { text: '{"success":false}' }],
    ['answers with XML', { text: '<?xml version="1.0"?><a/>', type: 'text/xml' }],
  ],
  soap: [
    ...everywhere,
    ['answers with JSON', { text: '{"success":true}', type: 'application/json' }],
    ['answers with entities in entities', { text: `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 9 }, (_, n) => `<!ENTITY a${n + 1} "${`&a${n || ''};`.repeat(10)}">`).join('')}]><a>&a9;</a>` }],
    ['answers with the address of a file', { text: '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>' }],
  ],
};

// They mostly wait, each for a server of its own.
describe('Marketo', { concurrency: 4 }, () => {
  for (const backend of /** @type {('rest' | 'soap')[]} */ (['rest', 'soap'])) {
    for (const [what, fault] of faults[backend]) {
      test(`Marketo (${backend}) ${what}: nothing is lost, and it is not asked on and on`, { timeout: 60_000 }, async (t) => {
        const { simulator, server, post, ask, advance, calls } = await worldFor(t, backend);
        await post('/v1/identify', { traits: { email: 'first@example.com' } });
        await eventually(() => simulator.leads.get('first@example.com'), 'the first lead');
        const before = kilobytes(server);
        simulator.faults.calls.push({ ...fault, path: LEADS[backend], times: FOR_EVER }, { ...fault, path: '/webevents/visitWebPage', status: 500, times: FOR_EVER });
        const people = Array.from({ length: 10 }, (_, n) => `p${n}@example.com`);
        const batch = people.flatMap((email, n) => [
          { type: 'identify', traits: { email } },
          { type: 'page', properties: { url: `https://example.com/${n}` }, context: { Marketo: { marketoCookie: cookieOf(n) } } },
        ]);
        assert.equal((await post('/v1/batch', { batch })).status, 200);
        const first = calls().length;
        await eventually(() => calls().length > first, 'the first call that goes wrong');
        for (let minute = 0; minute < 10; minute++) {
          advance(MINUTE);
          await delay(60);
        }
        const tried = calls().length - first;
        assert.ok(tried < 60, `${tried} calls in ten minutes`);
        // Ten calls may be on their way just now, each with the 4 MB of an answer that are read, twice while these grow.
        const more = kilobytes(server) - before;
        assert.ok(more < 120_000, `${more} kB`);
        assert.equal((await request(`${server.url}/healthz`)).status, 200);

        simulator.faults.calls.length = 0;
        await eventually(() => {
          advance(MINUTE);
          const visited = new Set(simulator.events.map(({ path }) => path));
          return people.every((email, n) => simulator.leads.has(email) && visited.has(`/${n}`));
        }, `all of them\n${server.output()}`);
        // A visit whose answer was lost is sent again: Marketo has nothing to know it by.
        if (!fault.carriedOut) assert.equal(simulator.events.length, people.length);
        assert.equal(simulator.leadsById.size, people.length + 1);
        assert.deepEqual(simulator[backend].overlaps, []);
        assert.deepEqual(ask('dead', 'list'), []);
        assert.doesNotMatch(server.output(), /root:|example\.com/);
      });
    }
  }

  test('Marketo takes two seconds for each answer: no lead is in two calls, and who sends notices nothing', { timeout: 60_000 }, async (t) => {
    const { simulator, post, server } = await worldFor(t, 'rest');
    simulator.faults.callDelayMs = 2000;
    const took = [];
    for (let n = 0; n < 60; n++) {
      const started = performance.now();
      const email = `p${n % 20}@example.com`;
      assert.equal((await post('/v1/identify', { traits: { email, title: `title ${n}` } })).status, 200);
      took.push(performance.now() - started);
      await delay(50);
    }
    took.sort((a, b) => a - b);
    assert.ok(took[50] < 500, `${took[50]} ms`);
    await eventually(
      () => Array.from({ length: 20 }, (_, n) => n).every((n) => simulator.leads.get(`p${n}@example.com`)?.fields.Title === `title ${n + 40}`),
      `the last of what was said of each\n${server.output()}`,
    );
    assert.deepEqual(simulator.rest.overlaps, []);
    assert.ok(simulator.rest.mostAtOnce <= 10);
  });
});
