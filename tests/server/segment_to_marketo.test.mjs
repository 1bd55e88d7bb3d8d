/** What Segment's library for Node.js, and any other client of its HTTP API, sends becomes leads and visits in Marketo. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Analytics } from '@segment/analytics-node';
import { cookieOf, marketoWorld, MUNCHKIN_ID, tokenOf, until, WRITE_KEY } from './marketo_world.mjs';

const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64) Somebody';

/** @typedef {import('@segment/analytics-node').Analytics} Library */

/**
 * The library, unchanged, with the server as its host. Its own errors fail the test.
 * @param {{url: string}} world
 */
function library(world) {
  const analytics = new Analytics({ writeKey: WRITE_KEY, host: world.url, maxRetries: 0 });
  /** @type {unknown[]} */
  const errors = [];
  analytics.on('error', (error) => errors.push(error));
  return {
    analytics,
    async flush() {
      await analytics.closeAndFlush({ timeout: 10_000 });
      assert.deepEqual(errors, []);
    },
  };
}

/** @param {string} cookie @param {object} [more] */
const context = (cookie, more) => ({ Marketo: { marketoCookie: cookie }, userAgent: USER_AGENT, ...more });

test('@segment/analytics-node: one lead holds what came with its cookie, visits are under its token', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const { analytics, flush } = library(world);
  const cookie = cookieOf(90718);

  // The data of the Java and the Ruby example. The cookie takes precedence, and the later user id is the lead's.
  analytics.identify({
    userId: 'hj2kf92ds212',
    traits: { email: 'tom@initech.com', name: 'Tom Smykowski', favoriteColor__c: 'Blue' },
    context: context(cookie),
  });
  analytics.identify({ userId: '019mr8mf4r', traits: { firstName: 'Jake', lastName: 'Peterson' }, context: context(cookie) });
  analytics.track({
    userId: '019mr8mf4r',
    event: 'Signed Up_now',
    properties: { plan: 'Pro & more', seats: 3 },
    context: context(cookie, { page: { url: 'https://www.marketto.com/plans?from=mail', referrer: 'https://www.example.com/' } }),
  });
  analytics.page({
    userId: '019mr8mf4r',
    name: 'Prices',
    properties: { url: 'https://www.marketto.com/prices?utm_source=mail' },
    context: context(encodeURIComponent(cookie)),
  });
  await flush();

  const { simulator } = world;
  await world.drive(() => [...simulator.leadsById.values()].some(({ tokens }) => tokens.length > 0) && simulator.events.length === 2);

  assert.equal(simulator.leadsById.size, 1);
  const lead = [...simulator.leadsById.values()][0];
  assert.deepEqual(lead.fields, {
    Email: 'tom@initech.com',
    FirstName: 'Jake',
    LastName: 'Peterson',
    UserId: '019mr8mf4r',
    FavoriteColor__c: 'Blue',
  });
  assert.deepEqual(lead.tokens, [tokenOf(90718)]);
  assert.deepEqual(
    simulator.events.map(({ type, token, munchkinId, host, path, params, referrer, userAgent }) => ({
      ...{ type, token, munchkinId, host, path, params, referrer, userAgent },
    })).sort((a, b) => a.path.localeCompare(b.path)),
    [
      {
        ...{ type: 'visitWebPage', token: tokenOf(90718), munchkinId: MUNCHKIN_ID, host: 'www.marketto.com' },
        ...{ path: '/event/Signed-Up-now', params: 'plan=Pro & more&seats=3', referrer: 'https://www.example.com/', userAgent: USER_AGENT },
      },
      {
        ...{ type: 'visitWebPage', token: tokenOf(90718), munchkinId: MUNCHKIN_ID, host: 'www.marketto.com' },
        ...{ path: '/prices', params: 'utm_source=mail', referrer: '', userAgent: USER_AGENT },
      },
    ],
  );
  assert.equal(lead.visits.length, 2);
  // All of that in one call of each kind.
  assert.deepEqual(simulator.rest.callsByPath, {
    'GET /identity/oauth/token': 1,
    'GET /rest/v1/leads/describe.json': 1,
    'GET /rest/v1/leads.json': 1,
    'POST /rest/v1/leads.json': 1,
    'POST /rest/v1/leads/{id}/associate.json': 1,
  });
});

test('@segment/analytics-node: a cookie that is new finds the lead by its user id', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const { analytics, flush } = library(world);
  // The Java example as it is, and then the Ruby one of the same user.
  analytics.identify({ userId: 'hj2kf92ds212', traits: { email: 'tom@initech.com', name: 'Tom Smykowski' } });
  analytics.identify({ userId: 'hj2kf92ds212', traits: { firstName: 'Jake', lastName: 'Peterson' }, context: context(cookieOf(1)) });
  await flush();
  const { simulator } = world;
  await world.drive(() => simulator.leads.get('tom@initech.com')?.fields.LastName === 'Peterson');
  assert.equal(simulator.leadsById.size, 1);
  const lead = simulator.leads.get('tom@initech.com');
  assert.deepEqual(lead?.fields, { Email: 'tom@initech.com', FirstName: 'Jake', LastName: 'Peterson', UserId: 'hj2kf92ds212' });
  assert.deepEqual(lead?.tokens, [tokenOf(1)]);
});

test('@segment/analytics-node: what Marketo knows of a cookie counts', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const { simulator } = world;
  // Somebody whom Marketo knows already, by a form say.
  await world.identify('jake@example.com', { firstName: 'J.' }, { context: context(cookieOf(2)) });
  await world.drive(() => simulator.leads.get('jake@example.com')?.tokens.length);
  await world.stop();
  // A server that has never heard of them.
  await world.start('--db', `${world.folder}/other.db`);
  const { analytics, flush } = library(world);
  analytics.identify({ userId: '019mr8mf4r', traits: { firstName: 'Jake', lastName: 'Peterson' }, context: context(cookieOf(2)) });
  await flush();
  await world.drive(() => simulator.leads.get('jake@example.com')?.fields.LastName);
  assert.equal(simulator.leadsById.size, 1);
  assert.deepEqual(simulator.leads.get('jake@example.com')?.fields, {
    ...{ Email: 'jake@example.com', FirstName: 'Jake', LastName: 'Peterson', UserId: '019mr8mf4r' },
  });
});

test('@segment/analytics-node: a birthday arrives as a date, however it was said', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t, { simulator: { fields: [{ name: 'birthday', dataType: 'date' }, { name: 'metAt', dataType: 'datetime' }] } });
  const { analytics, flush } = library(world);
  /** @type {[string, object][]} */
  const people = [
    ['text', { birthday: '1990-05-05' }],
    ['moment', { birthday: '1990-05-05T00:00:00+02:00' }],
    ['seconds', { birthday: 641_865_600 }],
    ['library', { birthday: new Date('1990-05-05'), dateofBirth: new Date('1990-05-05') }],
    ['met', { metAt: new Date('1990-05-05') }],
  ];
  for (const [name, traits] of people) analytics.identify({ userId: `${name}@example.com`, traits: { firstName: name, ...traits } });
  await flush();
  const { leads } = world.simulator;
  await world.drive(() => leads.size === people.length);
  for (const [name, traits] of people) {
    const { Email, FirstName, ...dates } = leads.get(`${name}@example.com`)?.fields ?? {};
    assert.deepEqual([Email, FirstName], [`${name}@example.com`, name]);
    const expected = Object.keys(traits).map((trait) => [trait[0].toUpperCase() + trait.slice(1), trait === 'metAt' ? '1990-05-05T00:00:00.000Z' : '1990-05-05']);
    assert.deepEqual(dates, Object.fromEntries(expected));
  }
});

test('a library that has the wrong write key is told so, and nothing is kept', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const analytics = new Analytics({ writeKey: 'another', host: world.url, maxRetries: 0 });
  const failed = new Promise((resolve) => analytics.on('error', resolve));
  analytics.identify({ userId: 'x', traits: { email: 'x@example.com' } });
  await analytics.closeAndFlush({ timeout: 10_000 });
  assert.match(JSON.stringify(await failed, Object.getOwnPropertyNames(/** @type {object} */ (await failed))), /401|Unauthorized|delivery/i);
  await world.letPass('marker@example.com');
  assert.equal(world.simulator.leadsById.size, 1);
});

/** @type {Awaited<ReturnType<typeof marketoWorld>>} */
let world;
/** @type {(() => Promise<void>)[]} */
const ends = [];
before(async () => {
  world = await marketoWorld({ after: (end) => void ends.push(end) });
});
after(async () => {
  for (const end of ends) await end();
});

/** A visit's cookie, which tells whose it was. @param {string} token */
const visits = (token) => world.simulator.events.filter((event) => event.token === token);

for (const [name, { path, body, check }] of Object.entries({
  identify: {
    path: '/v1/identify',
    body: { userId: 'curl-1', traits: { email: 'curl1@example.com', company: 'Initech' }, context: context(cookieOf(1001)) },
    async check() {
      await world.drive(() => world.simulator.leads.get('curl1@example.com')?.tokens.length);
      const lead = world.simulator.leads.get('curl1@example.com');
      assert.deepEqual(lead?.fields, { Email: 'curl1@example.com', Company: 'Initech', UserId: 'curl-1' });
      assert.deepEqual(lead?.tokens, [tokenOf(1001)]);
    },
  },
  track: {
    path: '/v1/track',
    body: { userId: 'curl-2', event: 'Paid', properties: { total: 12.5 }, context: context(cookieOf(1002)) },
    async check() {
      await world.drive(() => visits(tokenOf(1002)).length);
      assert.deepEqual(visits(tokenOf(1002)).map((event) => [event.path, event.params]), [['/event/Paid', 'total=12.5']]);
    },
  },
  page: {
    path: '/v1/page',
    body: { userId: 'curl-3', properties: { url: 'https://www.example.com/a/b?c=d' }, context: context(cookieOf(1003)) },
    async check() {
      await world.drive(() => visits(tokenOf(1003)).length);
      assert.deepEqual(visits(tokenOf(1003)).map((event) => [event.host, event.path, event.params]), [['www.example.com', '/a/b', 'c=d']]);
    },
  },
  // They are nothing that Marketo has a place for.
  screen: {
    path: '/v1/screen',
    body: { userId: 'curl-4', name: 'Home', context: context(cookieOf(1004)) },
    check: () => nothingOf(1004),
  },
  group: {
    path: '/v1/group',
    body: { userId: 'curl-5', groupId: 'g', traits: { name: 'Initech' }, context: context(cookieOf(1005)) },
    check: () => nothingOf(1005),
  },
  alias: {
    path: '/v1/alias',
    body: { userId: 'curl-6', previousId: 'curl-5', context: context(cookieOf(1006)) },
    check: () => nothingOf(1006),
  },
  batch: { path: '/v1/batch', body: batchOf(1007), check: () => batchArrived(1007) },
  import: { path: '/v1/import', body: batchOf(1008), check: () => batchArrived(1008) },
})) {
  test(`POST ${path}`, { timeout: 60_000 }, async () => {
    await world.send(path, { messageId: `of-${name}`, ...body });
    await check();
  });
}

/** @param {number} who the visitor's number */
function batchOf(who) {
  return {
    batch: [
      { type: 'identify', messageId: `${who}-1`, traits: { email: `curl${who}@example.com`, firstName: 'Ada' }, context: context(cookieOf(who)) },
      { type: 'identify', messageId: `${who}-2`, traits: { email: `curl${who}@example.com`, lastName: 'Lovelace' } },
      { type: 'page', messageId: `${who}-3`, properties: { path: '/start' }, context: context(cookieOf(who)) },
      { type: 'track', messageId: `${who}-4`, event: 'Read', context: context(cookieOf(who)) },
      { type: 'group', messageId: `${who}-5`, groupId: 'g' },
    ],
    sentAt: new Date().toISOString(),
  };
}

/** @param {number} who the visitor's number */
async function batchArrived(who) {
  const { simulator } = world;
  await world.drive(() => simulator.leads.get(`curl${who}@example.com`)?.tokens.length && visits(tokenOf(who)).length === 2);
  const lead = simulator.leads.get(`curl${who}@example.com`);
  assert.deepEqual(lead?.fields, { Email: `curl${who}@example.com`, FirstName: 'Ada', LastName: 'Lovelace' });
  assert.deepEqual(lead?.tokens, [tokenOf(who)]);
  assert.deepEqual(lead?.visits.map(({ path }) => path).sort(), ['/event/Read', '/start']);
  assert.equal([...simulator.leadsById.values()].filter(({ email }) => email === `curl${who}@example.com`).length, 1);
}

/** Nothing of this visitor, though what came later is there. @param {number} who */
async function nothingOf(who) {
  const before = world.simulator.leadsById.size;
  await world.letPass(`after-${who}@example.com`);
  assert.equal(world.simulator.leadsById.size, before + 1);
  await world.send('/v1/page', { properties: { path: `/after/${who}` }, context: context(cookieOf(who + 9000)) });
  await until(() => visits(tokenOf(who + 9000)).length);
  assert.deepEqual(visits(tokenOf(who)), []);
}
