/** The machine's clock is set forward or back under the server: leads go on going out, and nothing is done over and over. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from './http_client.mjs';
import { cookieOf, eventually, intakeFor } from './intake.mjs';
import { UNDER_VALGRIND } from './server_process.mjs';

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const INTERVAL = 30 * SECOND;

/** So long a second of the clock lasts: the server has to come along. */
const TICK_MS = UNDER_VALGRIND ? 200 : 25;

/** Of the processor, in this machine's ticks. @param {{pid: number}} server */
function ticks(server) {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** @param {import('node:test').TestContext} t */
async function worldFor(t) {
  const world = await intakeFor(t, { args: ['--interval', '30', '--linger', '5'] });
  const { simulator } = world;
  return {
    ...world,
    /** The server's clock alone; Marketo's goes on. @param {number} milliseconds */
    jump(milliseconds) {
      world.advance(milliseconds);
      simulator.clock.advance(-milliseconds);
    },
    /** Lets time go by on both sides, a second at a time, until it has come to that, and no longer than so many seconds. @param {number} seconds @param {() => unknown} look @param {string} what */
    async within(seconds, look, what) {
      for (let n = 0; n < seconds && !look(); n++) {
        world.advance(SECOND);
        await delay(TICK_MS);
      }
      await eventually(look, `${what} within ${seconds} s\n${world.server.output()}`);
    },
    identify: (/** @type {string} */ email, /** @type {object} */ traits = {}) => world.post('/v1/identify', { traits: { email, ...traits } }),
    visit: (/** @type {number} */ n) => world.post('/v1/page', { properties: { url: `https://example.com/${n}` }, context: { Marketo: { marketoCookie: cookieOf(n) } } }),
  };
}

describe('clock jumps', { concurrency: 2, timeout: 240_000 }, () => {
  for (const [what, by] of /** @type {[string, number][]} */ ([
    ['an hour forward', HOUR],
    ['a day forward', DAY],
    ['an hour back', -HOUR],
    ['a day back', -DAY],
  ])) {
    test(`${what}, while leads wait and Marketo is well`, async (t) => {
      const { server, simulator, jump, within, identify, visit } = await worldFor(t);
      const title = (/** @type {string} */ email) => simulator.leads.get(email)?.fields.Title;
      await identify('ada@example.com', { title: 'early' });
      await within(20, () => title('ada@example.com') === 'early', 'the first sync');
      await identify('ada@example.com', { title: 'late' }); // waits for its interval
      await identify('grace@example.com', { title: 'new' }); // lingers
      jump(by);
      await visit(1);
      await identify('mary@example.com', { title: 'behind the jump' });
      const calls = simulator.rest.calls.length;
      const before = ticks(server);
      await delay(1000);
      assert.ok(simulator.rest.calls.length - calls < 10, `${simulator.rest.calls.length - calls} calls`);
      assert.ok(ticks(server) - before < 50, `${ticks(server) - before} ticks of the processor`);
      await within(2 * INTERVAL / SECOND, () => title('mary@example.com') && title('grace@example.com') && title('ada@example.com') === 'late', 'all leads');
      await within(30, () => simulator.events.length === 1, 'the visit');
      assert.deepEqual(simulator.rest.overlaps, []);
      assert.equal((await request(`${server.url}/healthz`)).status, 200);
    });

    test(`${what}, while Marketo is away`, async (t) => {
      const { simulator, jump, within, identify, visit, ask } = await worldFor(t);
      simulator.faults.calls.push({ status: 503, times: 1e6 }, { status: 503, path: '/webevents/visitWebPage', times: 1e6 }, { status: 503, path: '/identity/oauth/token', times: 1e6 });
      await identify('ada@example.com');
      await visit(1);
      // The token may have come before the fault.
      const asked = () => ['GET /identity/oauth/token', 'GET /rest/v1/leads/describe.json'].reduce((sum, path) => sum + (simulator.rest.callsByPath[path] ?? 0), 0);
      await within(600, () => asked() > 3, 'some attempts'); // few of its seconds count on a busy machine
      jump(by);
      const before = asked();
      await delay(1000);
      assert.ok(asked() - before < 10, `${asked() - before} attempts`);
      simulator.faults.calls.length = 0;
      // No longer than Marketo could have asked for by Retry-After.
      await within(HOUR / SECOND / 6, () => simulator.leads.has('ada@example.com') && simulator.events.length === 1, 'lead and visit');
      assert.deepEqual(ask('dead', 'list'), []);
    });
  }

  test('to and fro, again and again, under load: all arrives', async (t) => {
    const { simulator, jump, within, identify } = await worldFor(t);
    const people = Array.from({ length: 40 }, (_, n) => `p${n}@example.com`);
    for (const [n, email] of people.entries()) {
      assert.equal((await identify(email)).status, 200);
      if (n % 5 === 0) jump([HOUR, -2 * HOUR, DAY, -DAY, HOUR, -HOUR, 61_000, -59_000][(n / 5) % 8]);
    }
    await within(120, () => people.every((email) => simulator.leads.has(email)), 'all of them');
    assert.equal(simulator.leadsById.size, people.length);
    assert.deepEqual(simulator.rest.overlaps, []);
  });
});
