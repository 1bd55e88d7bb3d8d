/** Segment's own library for servers, pointed at ours: what it sends ends in Marketo as one lead. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Analytics } from '@segment/analytics-node';
import { basic, cookieOf, eventually, intakeFor, WRITE_KEY } from './intake.mjs';

/** @param {string} host @param {string} [writeKey] */
function libraryFor(host, writeKey = WRITE_KEY) {
  const library = new Analytics({ writeKey, host, flushInterval: 10, maxRetries: 5 });
  /** @type {unknown[]} */
  const errors = [];
  library.on('error', (error) => errors.push(error));
  return { library, errors };
}

test("the seed's examples: one lead with all their fields, the cookie tied to it, the visits under its token", async (t) => {
  const { server, simulator } = await intakeFor(t, { args: ['--linger', '1'] });
  const { library, errors } = libraryFor(server.url);
  const userId = 'hj2kf92ds212';
  const marketoCookie = cookieOf(1374552656411);
  const context = { Marketo: { marketoCookie }, userAgent: 'Mozilla/5.0', page: { url: 'https://www.example.com/pricing?plan=pro' } };

  library.identify({ userId, traits: { email: 'tom@initech.com', name: 'Tom Smykowski' } });
  library.identify({ userId, traits: { firstName: 'Jake', lastName: 'Peterson' }, context });
  library.page({ userId, name: 'Pricing', context });
  library.track({ userId, event: 'Signed Up', properties: { plan: 'pro' }, context });
  await library.closeAndFlush();
  assert.deepEqual(errors, []);

  const token = '_mch-example.com-1374552656411-90718';
  await simulator.waitFor((event) => event.path === '/pricing' && event.params === 'plan=pro' && event.token === token);
  await simulator.waitFor((event) => event.path === '/event/Signed-Up' && event.userAgent === 'Mozilla/5.0' && event.token === token);
  const lead = await eventually(() => simulator.leads.get('tom@initech.com'), 'the lead');
  await eventually(() => lead.tokens.includes(token) && lead.fields.FirstName === 'Jake', 'the cookie and the fields');
  assert.equal(simulator.leadsById.size, 1);
  assert.deepEqual([lead.fields.Email, lead.fields.FirstName, lead.fields.LastName], ['tom@initech.com', 'Jake', 'Peterson']);
  assert.equal(lead.visits.length, 2);
});

test('it tries again when the server was away, and nothing arrives twice', async (t) => {
  const intake = await intakeFor(t);
  const { library } = libraryFor(intake.server.url);
  // The answer to the first attempt is lost on the way: the library sends the same messages again.
  let attempts = 0;
  /** @type {string[]} */
  const authorizations = [];
  library.on('http_request', ({ headers }) => {
    attempts++;
    authorizations.push(headers.Authorization);
  });
  const { createServer } = await import('node:http');
  const proxy = createServer(async (incoming, outgoing) => {
    const parts = [];
    for await (const part of incoming) parts.push(part);
    const answer = await intake.post(String(incoming.url), Buffer.concat(parts));
    if (attempts === 1) outgoing.destroy();
    else outgoing.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(answer.body);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  const { library: lossy } = libraryFor(`http://127.0.0.1:${port}`);
  lossy.on('http_request', ({ headers }) => {
    attempts++;
    authorizations.push(headers.Authorization);
  });
  const context = { Marketo: { marketoCookie: cookieOf(5) }, page: { url: 'https://www.example.com/once' } };
  lossy.page({ userId: '1', context });
  await lossy.closeAndFlush();
  await library.closeAndFlush();
  assert.equal(attempts, 2);
  assert.deepEqual(authorizations, [basic(WRITE_KEY), basic(WRITE_KEY)]);
  await intake.simulator.waitFor((event) => event.path === '/once');
  assert.equal(intake.ask('status').visitsWaiting, 0);
  assert.equal(intake.simulator.events.filter(({ path }) => path === '/once').length, 1);
});

test('a wrong write key is told to the library, which gives up', async (t) => {
  const { server } = await intakeFor(t);
  const { library, errors } = libraryFor(server.url, 'wrong');
  library.identify({ userId: 'a@b.co' });
  await library.closeAndFlush();
  assert.equal(errors.length, 1);
});
