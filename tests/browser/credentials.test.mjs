/** The same page, which says nothing of how, with servers that have different credentials of the Marketo account. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createTokenIssuer } from 'munchkin-shim/signer';
import { SECRET } from '../server/tokens.mjs';
import { call, customer, MUNCHKIN_ID } from './customer.mjs';

/** @typedef {ReturnType<typeof customer>} World */

/** The page, of a shop that has never heard of credentials. @param {World} world */
const shop = (world) => ({ head: world.tag(), body: '<h1>Shop</h1>' });

/** @type {[method: string, ...args: any[]]} */
const IDENTIFY = ['identify', 'u1', { email: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace', plan: 'pro' }];
const FIELDS = { Email: 'ada@example.com', FirstName: 'Ada', LastName: 'Lovelace', Plan: 'pro', UserId: 'u1' };

/** Munchkin's token for the visitor. @param {import('playwright-core').BrowserContext} context */
async function tokenOf(context) {
  const cookie = (await context.cookies()).find(({ name }) => name === '_mkto_trk');
  return /token:(.+)$/.exec(decodeURIComponent(cookie?.value ?? ''))?.[1];
}

/**
 * Lets time go by for server and simulator until the condition holds.
 * @param {World} world
 * @param {() => unknown} condition
 */
async function drive(world, condition) {
  const end = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < end, `This did not come: ${condition}\n${JSON.stringify([...world.simulator.leadsById.values()])}`);
    world.clock.advance(1000);
    await delay(25);
  }
}

/** Everything about the server's absence is the same, whatever it has. @param {World} world */
function testAbsence(world) {
  test('the server is down: a coded error; when it is back, the lead goes', async (t) => {
    const { page, errors } = await world.open(t, shop(world));
    await world.stopServer();
    const [failed] = await call(page, [IDENTIFY]);
    assert.deepEqual([failed.ok, failed.sent, failed.error], [false, false, 'server_unreachable']);
    await world.startServer();
    const [done] = await call(page, [IDENTIFY]);
    assert.deepEqual([done.ok, done.sent], [true, true]);
    assert.deepEqual(errors, []);
  });
}

describe('only the private key', { timeout: 120_000 }, () => {
  const world = customer();

  test('identify is signed, and sent by Munchkin', async (t) => {
    const { page, context, errors } = await world.open(t, shop(world));
    const [result] = await call(page, [IDENTIFY]);
    assert.deepEqual([result.ok, result.sent, result.call], [true, true, ['associateLead', FIELDS, result.call[2]]]);
    const event = await world.simulator.waitFor(({ type }) => type === 'associateLead');
    assert.deepEqual([event.signature, event.leadFields, event.token], ['valid', FIELDS, await tokenOf(context)]);
    assert.deepEqual(world.simulator.leads.get('ada@example.com')?.fields, FIELDS);
    assert.deepEqual(errors, []);
  });

  testAbsence(world);
});

describe('only credentials for REST, and a Munchkin without associateLead', { timeout: 120_000 }, () => {
  const world = customer({ credentials: 'rest' });
  const lead = () => world.simulator.leads.get('ada@example.com');

  test('the lead is in Marketo, and a cookie that was there is tied to it', async (t) => {
    const first = await world.open(t, shop(world));
    await world.simulator.waitFor(({ type }) => type === 'visitWebPage');
    const token = await tokenOf(first.context);
    assert.ok(token);
    const { page, errors } = await world.open(t, { ...shop(world), path: '/account', context: first.context });
    /** @type {any[]} */
    const requests = [];
    page.on('request', (request) => request.url().startsWith(world.serverUrl) && requests.push(request));
    const [result] = await call(page, [IDENTIFY]);
    assert.deepEqual([result.ok, result.sent, result.call], [true, true, ['lead', FIELDS]]);
    assert.equal(requests.length, 1);
    await drive(world, () => lead()?.tokens.length);
    assert.deepEqual([lead()?.fields, lead()?.tokens], [FIELDS, [token]]);
    // What the visitor did before counts for the lead.
    assert.deepEqual(lead()?.visits.map(({ path }) => path), ['/', '/account']);
    assert.equal(world.simulator.leadsById.size, 1);
    assert.equal(world.simulator.events.filter(({ type }) => type === 'associateLead').length, 0);
    assert.deepEqual(errors, []);
  });

  test("a new visitor's cookie, which comes only after the first identify, is tied to the lead too", async (t) => {
    // Munchkin comes when the server has the lead already.
    world.simulator.faults.loaderDelayMs = 700;
    world.simulator.faults.trackerDelayMs = 500;
    const { page, context } = await world.open(t, { ...shop(world), path: '/new' });
    /** @type {any[]} */
    const bodies = [];
    page.on('request', (request) => request.url() === `${world.serverUrl}/v1/lead` && bodies.push(JSON.parse(request.postData() ?? '{}')));
    const [result] = await call(page, [IDENTIFY]);
    assert.deepEqual([result.ok, result.sent], [true, true]);
    // It is with the server, and Munchkin is not here.
    assert.equal(await tokenOf(context), undefined);
    await drive(world, () => lead()?.tokens.length);
    const token = await tokenOf(context);
    assert.deepEqual(bodies.map(({ cookie }) => cookie), ['', `id:561-HYG-937&token:${token}`]);
    assert.deepEqual([lead()?.fields, lead()?.tokens], [FIELDS, [token]]);
    assert.equal(world.simulator.leadsById.size, 1);
  });

  test('the same visitor again costs Marketo no call', async (t) => {
    const { page, context } = await world.open(t, shop(world));
    await call(page, [IDENTIFY]);
    await drive(world, () => lead()?.tokens.length);
    const calls = world.simulator.rest.calls.length;
    const next = await world.open(t, { ...shop(world), path: '/next', context });
    const [again] = await call(next.page, [IDENTIFY]);
    assert.deepEqual([again.ok, again.skipped], [true, 'unchanged']);
    // Another browser of the same person's, say, of which nobody remembers anything: it has a cookie of its own.
    const other = await world.open(t, { ...shop(world), path: '/other' });
    await call(other.page, [IDENTIFY]);
    await drive(world, () => lead()?.tokens.length === 2);
    const more = world.simulator.rest.calls.slice(calls);
    assert.deepEqual(more.map(({ path }) => path), ['/rest/v1/leads/{id}/associate.json']);
  });

  test('one who leaves before the cookie is there: the next page tells it', async (t) => {
    world.simulator.faults.trackerDelayMs = 60_000;
    const { page, context } = await world.open(t, { ...shop(world), path: '/new' });
    await call(page, [IDENTIFY]);
    await page.close();
    world.simulator.faults.trackerDelayMs = 0;
    const next = await world.open(t, { ...shop(world), path: '/next', context });
    await world.arrival('/next');
    const [result] = await call(next.page, [IDENTIFY]);
    assert.equal(result.sent, true);
    await drive(world, () => lead()?.tokens.length);
    assert.deepEqual(lead()?.tokens, [await tokenOf(context)]);
    const [again] = await call(next.page, [IDENTIFY]);
    assert.equal(again.skipped, 'unchanged');
  });

  testAbsence(world);

  test('what the server has taken before it went down is in Marketo when it is back', async (t) => {
    const { page } = await world.open(t, shop(world));
    const [result] = await call(page, [IDENTIFY]);
    assert.equal(result.sent, true);
    await world.stopServer();
    assert.equal(lead(), undefined);
    await world.startServer();
    await drive(world, () => lead()?.tokens.length);
    assert.deepEqual(lead()?.fields, FIELDS);
  });
});

for (const credentials of /** @type {const} */ (['private key', 'rest'])) {
  describe(`a server that wants tokens; its credentials: ${credentials}`, { timeout: 120_000 }, () => {
    const world = customer({ credentials, tokenSecret: SECRET });
    const tokens = createTokenIssuer({ secret: SECRET });

    /** The page of somebody who is signed in; the site's back end answers /token. @param {import('node:test').TestContext} t @param {string} option */
    const open = (t, option) =>
      world.open(t, {
        head: `${world.tag({ 'data-munchkin-id': undefined })}<script>
          analytics.load('${MUNCHKIN_ID}', { server: '${world.serverUrl}', munchkinUrl: '${world.simulator.url}/munchkin.js', ${option} });
        </script>`,
        prepare: (page) => page.route('**/token', async (route) => route.fulfill({ body: await tokens.issue('ada@example.com', 'u1') })),
      });

    test('who is signed in is identified, and nobody else by that token', async (t) => {
      const { page, errors } = await open(t, "token: async () => (await fetch('/token')).text()");
      const [done, other] = await call(page, [IDENTIFY, ['identify', 'u2', { email: 'bob@example.com' }]]);
      assert.deepEqual([done.ok, done.sent], [true, true], JSON.stringify(done));
      assert.deepEqual([other.ok, other.error], [false, 'token_email_differs']);
      const lead = () => world.simulator.leads.get('ada@example.com');
      if (credentials === 'rest') await drive(world, () => lead()?.fields.Plan);
      else await world.simulator.waitFor(({ type }) => type === 'associateLead');
      assert.deepEqual(lead()?.fields, FIELDS);
      assert.equal(world.simulator.leadsById.size, 1);
      assert.deepEqual(errors, []);
    });

    test('without one, or by one that somebody else has made, nothing is sent', async (t) => {
      const { page, errors } = await open(t, '');
      const [none] = await call(page, [IDENTIFY]);
      assert.deepEqual([none.ok, none.error], [false, 'token_missing']);
      const forged = await createTokenIssuer({ secret: SECRET.replace('a', 'b') }).issue('ada@example.com');
      const stranger = await open(t, `token: '${forged}'`);
      const [refused] = await call(stranger.page, [IDENTIFY]);
      assert.deepEqual([refused.ok, refused.error], [false, 'token_invalid']);
      assert.equal(world.simulator.leadsById.size, 0);
      assert.deepEqual([...errors, ...stranger.errors], []);
    });
  });
}
