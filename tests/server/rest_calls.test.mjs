/** How the queue uses Marketo's REST API when all goes well: few calls, never too many, and each lead in one at a time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { queueFor, startQueue, until } from './queue_driver.mjs';

const LEADS = '/rest/v1/leads.json';
const COOKIE = 'id:561-HYG-937&token:_mch-example.com-1374552656411-90718';
const TOKEN = '_mch-example.com-1374552656411-90718';

/** @param {import('../sim/simulator.mjs').Simulator} marketo */
const syncs = (marketo) => marketo.rest.calls.filter(({ method, path }) => method === 'POST' && path === LEADS);

/** How many cookies each call asked for. @param {import('../sim/simulator.mjs').Simulator} marketo @param {number} before */
const lookups = (marketo, before) =>
  marketo.rest.calls.slice(before).filter(({ method, path }) => method === 'GET' && path === LEADS).map(({ records }) => records);

/**
 * The most calls of any 20 seconds; of 19, since a simulator that has to wait for a processor notices a call late. The
 * whole second is tested in limits_test.c.
 * @param {import('../sim/simulator.mjs').Simulator} marketo
 */
function mostInWindow(marketo) {
  const times = marketo.rest.calls.map(({ at }) => at).sort((one, other) => one - other);
  return Math.max(...times.map((start, i) => times.slice(i).filter((at) => at < start + 19_000).length));
}

test('300 leads share a call', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { linger: 5000 } });
  await Promise.all(Array.from({ length: 700 }, (_, i) => queue.lead(`ada${i}@example.com`, { FirstName: `Ada ${i}` })));
  await queue.carriedOut();
  await queue.passUntil(() => marketo.leads.size === 700);
  assert.deepEqual(syncs(marketo).map(({ records }) => records), [300, 300, 100]);
  for (let i = 0; i < 700; i += 1) assert.equal(marketo.leads.get(`ada${i}@example.com`)?.fields.FirstName, `Ada ${i}`);
});

test('at most 50 calls in 20 seconds, and 5 at once', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { batch: 1 } });
  marketo.faults.callDelayMs = 20;
  await Promise.all(Array.from({ length: 160 }, (_, i) => queue.lead(`ada${i}@example.com`)));
  // No step while a call is on its way: it would seem to take as long.
  while (marketo.leads.size < 160) {
    const { length } = marketo.rest.calls;
    await queue.settle();
    if (length === marketo.rest.calls.length && marketo.rest.calls.every(({ status }) => status !== 0)) queue.advance(2000);
  }
  assert.ok(mostInWindow(marketo) <= 50, `${mostInWindow(marketo)} calls`);
  assert.ok(mostInWindow(marketo) >= 45, `${mostInWindow(marketo)} calls`);
  assert.equal(marketo.rest.mostAtOnce, 5);
  assert.deepEqual(marketo.rest.overlaps, []);
});

test('at most 50 calls in 20 seconds, also of two processes one after the other', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { batch: 1 } });
  await Promise.all(Array.from({ length: 60 }, (_, i) => queue.lead(`ada${i}@example.com`)));
  await until(() => marketo.rest.calls.length === 50, 'as many as there may be');
  await queue.stop();
  queue.start();
  await queue.settle();
  assert.equal(marketo.rest.calls.length, 50);
  await queue.passUntil(() => marketo.leads.size === 60);
  assert.ok(mostInWindow(marketo) <= 50, `${mostInWindow(marketo)} calls`);
});

test('a value that is said again is sent again if the answer to another one was lost', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  const title = () => marketo.leads.get('ada@example.com')?.fields.Title;
  await queue.lead('ada@example.com', { Title: 'A' });
  await until(() => title() === 'A', 'A');
  marketo.faults.calls.push({ path: LEADS, answer: 'reset', carriedOut: true, times: 1 });
  await queue.lead('ada@example.com', { Title: 'B' });
  await until(() => title() === 'B', 'B');
  await queue.settle();
  await queue.lead('ada@example.com', { Title: 'A' });
  await queue.passUntil(() => title() === 'A');
});

test('a lead is never in two calls at once, and ends with the newest of every field', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0, batch: 3 } });
  marketo.faults.callDelayMs = 30;
  const names = ['ada', 'grace', 'mary', 'joan', 'jean', 'kay', 'betty'];
  let last = 0;
  for (let round = 0; round < 40; round += 1) {
    last = round;
    await Promise.all(
      names.map((name, i) =>
        queue.lead(`${name}@example.com`, { FirstName: `${round}`, ...(round % 7 === i ? { City: `${name} ${round}` } : {}) }, { cookie: COOKIE.replace('90718', `${i}`) }),
      ),
    );
  }
  await queue.passUntil(() => marketo.leads.size === 7 && [...marketo.leads.values()].every(({ fields }) => fields.FirstName === `${last}`));
  await queue.passUntil(() => [...marketo.leads.values()].every(({ tokens }) => tokens.length === 1));
  assert.deepEqual(marketo.rest.overlaps, []);
  assert.equal(marketo.leadsById.size, 7);
  names.forEach((name, i) => {
    const lead = marketo.leads.get(`${name}@example.com`);
    assert.equal(lead?.fields.City, `${name} ${35 + i < 40 ? 35 + i : 28 + i}`);
  });
});

test('fields by their SOAP names; those that Marketo has not, or nobody may write, are left out and told of once', async (t) => {
  const { marketo, queue } = await queueFor(t, {
    simulator: {
      fields: [
        { name: 'favoriteColor__c', length: 5 },
        { name: 'legacyId', readOnly: true },
        { name: 'plan', soapName: 'SubscriptionPlan' },
      ],
    },
  });
  const url = `https://example.com/?${'x'.repeat(300)}`;
  for (const name of ['ada', 'grace']) {
    await queue.lead(`${name}@example.com`, {
      FavoriteColor__c: 'Blüeish',
      FirstName: name,
      LegacyId: '7',
      ShoeSize: 41,
      SubscriptionPlan: 'pro',
      Unsubscribed: true,
      NumberOfEmployees: 12,
      Address: 'x'.repeat(30_001), // of whose length the list says nothing
      Website: url, // a part of which is none
    });
    await until(() => marketo.leads.get(`${name}@example.com`), name);
  }
  assert.deepEqual(marketo.leads.get('ada@example.com')?.fields, {
    Email: 'ada@example.com',
    FavoriteColor__c: 'Blüei',
    FirstName: 'ada',
    SubscriptionPlan: 'pro',
    Unsubscribed: true,
    NumberOfEmployees: 12,
    Address: 'x'.repeat(30_000),
  });
  assert.equal(queue.log().match(/"event":"field_too_long","field":"Website"/g)?.length, 1);
  assert.equal(queue.log().match(/"event":"field_unknown","field":"ShoeSize"/g)?.length, 1);
  assert.equal(queue.log().match(/"event":"field_read_only","field":"LegacyId"/g)?.length, 1);
  assert.deepEqual(await queue.dead(), []);
});

test('the list of fields is asked for once a day, whatever restarts there are', async (t) => {
  const { marketo, queue } = await queueFor(t);
  await queue.lead('ada0@example.com');
  await until(() => marketo.leads.size === 1, 'a lead');
  for (let i = 1; i < 4; i += 1) {
    await queue.stop();
    queue.advance(7 * 3_600_000);
    queue.start();
    await queue.lead(`ada${i}@example.com`);
    await until(() => marketo.leads.size === i + 1, 'a lead');
  }
  assert.equal(marketo.rest.callsByPath['GET /rest/v1/leads/describe.json'], 1);
  queue.advance(3 * 3_600_000 + 1000);
  await queue.lead('grace@example.com');
  await until(() => marketo.leads.size === 5, 'a lead');
  await until(() => marketo.rest.callsByPath['GET /rest/v1/leads/describe.json'] === 2, 'the list');
});

test('nothing to send is no call', async (t) => {
  const { marketo, queue } = await queueFor(t);
  await queue.lead('ada@example.com');
  await until(() => marketo.leads.size === 1, 'a lead');
  await queue.settle();
  const { callsByPath } = structuredClone({ callsByPath: marketo.rest.callsByPath });
  for (let i = 0; i < 10; i += 1) {
    queue.advance(3_600_000);
    await queue.settle();
  }
  assert.deepEqual(marketo.rest.callsByPath, callsByPath);
});

test('a lead by its user id, if Marketo has a field for it', async (t) => {
  const { marketo, queue } = await queueFor(t, { simulator: { fields: [{ name: 'userId' }] } });
  await queue.lead('', { UserId: '1234', FirstName: 'Ada' }, { user_id: '1234' });
  await queue.passUntil(() => marketo.leadsById.size === 1);
  assert.deepEqual(marketo.leadsById.get(1)?.fields, { UserId: '1234', FirstName: 'Ada' });
});

test('without such a field it is held, until an e-mail comes', async (t) => {
  const { marketo, queue } = await queueFor(t);
  await queue.lead('', { UserId: '1234', FirstName: 'Ada' }, { user_id: '1234' });
  await queue.settle();
  assert.equal(syncs(marketo).length, 0);
  await queue.lead('ada@example.com', {}, { user_id: '1234' });
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.fields.FirstName === 'Ada');
});

test('a cookie is tied to its lead once, after the lead is there', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  await queue.lead('ada@example.com', { FirstName: 'Ada' }, { cookie: COOKIE });
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.tokens.includes(TOKEN));
  await queue.lead('ada@example.com', { FirstName: 'Augusta' }, { cookie: COOKIE });
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.fields.FirstName === 'Augusta');
  await queue.settle();
  const associations = marketo.rest.calls.filter(({ path }) => path.endsWith('associate.json'));
  assert.deepEqual(associations.map(({ method }) => method), ['POST']);
});

test('many cookies to be tied, a call for each, keep neither leads nor activities waiting', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  const tied = () => marketo.rest.calls.filter(({ path }) => path.endsWith('associate.json')).length;
  await Promise.all(Array.from({ length: 200 }, (_, i) => queue.lead(`ada${i}@example.com`, {}, { cookie: COOKIE.replace('90718', `${10000 + i}`) })));
  await queue.passUntil(() => tied() > 30);
  const start = marketo.clock.now();
  await queue.send({ kind: 'activity', email: 'ada0@example.com', type: 100001, primary: 'n', attributes: '[]', time: start });
  await queue.lead('grace@example.com', { FirstName: 'Grace' });
  await queue.passUntil(() => marketo.leads.get('ada0@example.com')?.activities.length === 1 && marketo.leads.has('grace@example.com'));
  assert.ok(marketo.clock.now() - start < 10_000, `after ${marketo.clock.now() - start} ms`);
  await queue.passUntil(() => tied() === 200);
  assert.ok(marketo.clock.now() - start < 120_000, `all after ${marketo.clock.now() - start} ms`);
});

test('servers: a cookie that Marketo knows already tells the lead', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  await queue.lead('ada@example.com', {}, { cookie: COOKIE });
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.tokens.includes(TOKEN));
  // Another server, that knows nothing of it yet.
  const other = await queueOn(t, marketo);
  await other.lead('', { FirstName: 'Ada' }, { cookie: COOKIE, cookie_first: true });
  await other.passUntil(() => marketo.leads.get('ada@example.com')?.fields.FirstName === 'Ada');
  assert.equal(marketo.leadsById.size, 1);
  assert.equal(marketo.rest.calls.filter(({ method, path }) => method === 'GET' && path === LEADS).length, 1);
});

test('many cookies are asked for in one call, and each finds its own lead', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  const cookie = (/** @type {number} */ i) => COOKIE.replace('90718', `${10000 + i}`);
  await Promise.all(Array.from({ length: 10 }, (_, i) => queue.lead(`ada${i}@example.com`, {}, { cookie: cookie(i) })));
  await queue.passUntil(() => marketo.leads.size === 10 && [...marketo.leads.values()].every(({ tokens }) => tokens.length === 1));
  const other = await queueOn(t, marketo, { linger: 2000 });
  const { length: before } = marketo.rest.calls;
  await Promise.all(
    Array.from({ length: 40 }, (_, i) => other.lead(i < 10 ? '' : `grace${i}@example.com`, { FirstName: `n${i}` }, { cookie: cookie(i), cookie_first: true })),
  );
  await other.passUntil(() => marketo.leads.get('grace39@example.com')?.tokens.length);
  const isItsOwn = (/** @type {number} */ i) => marketo.leads.get(`${i < 10 ? 'ada' : 'grace'}${i}@example.com`)?.fields.FirstName === `n${i}`;
  await other.passUntil(() => Array.from({ length: 40 }, (_, i) => i).every(isItsOwn));
  assert.equal(marketo.leadsById.size, 40);
  assert.equal(marketo.rest.calls.slice(before).filter(({ method, path }) => method === 'GET' && path === LEADS).length, 1);
});

for (const [what, planted] of Object.entries({
  'the beginning of': '_mch-example.com',
  'the beginning, up to the last digit, of': TOKEN.slice(0, -1),
  'the end of': '_mch-1374552656411-90718',
})) {
  test(`a cookie that is ${what} somebody else's does not make its lead theirs, though both are asked for in one call`, async (t) => {
    const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
    const victims = planted.startsWith('_mch-1') ? `_mch-example.com${planted}` : TOKEN;
    const cookie = (/** @type {string} */ token) => `id:561-HYG-937&token:${token}`;
    await queue.lead('victim@example.com', { FirstName: 'Ada' }, { cookie: cookie(victims) });
    await queue.passUntil(() => marketo.leads.get('victim@example.com')?.tokens.includes(victims));
    const other = await queueOn(t, marketo, { linger: 2000, interval: 0 });
    const { length: before } = marketo.rest.calls;
    await other.lead('attacker@example.com', { FirstName: 'Mallory' }, { cookie: cookie(planted), cookie_first: true });
    await other.lead('', { Title: 'Dr' }, { cookie: cookie(victims), cookie_first: true });
    await other.passUntil(() => marketo.leads.get('victim@example.com')?.fields.Title === 'Dr');
    await other.passUntil(() => marketo.leads.get('attacker@example.com')?.tokens.includes(planted));
    const { id, email, fields } = /** @type {any} */ (marketo.leads.get('victim@example.com'));
    assert.deepEqual([id, email, fields.FirstName], [1, 'victim@example.com', 'Ada']);
    assert.equal(marketo.leadsById.size, 2);
    assert.deepEqual(lookups(marketo, before), [2], 'one call, and not each cookie by itself');
  });
}

test('activities in one call, once their lead is known', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { linger: 2000 } });
  const attributes = JSON.stringify([{ apiName: 'plan', value: 'prö "x"' }]);
  for (let i = 0; i < 20; i += 1) {
    await queue.send({ kind: 'activity', email: 'ada@example.com', type: 100001, primary: `n${i}`, attributes, time: Date.parse('2026-11-24T06:00:00.123Z') });
  }
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.activities.length === 20);
  const [{ id, ...first }] = marketo.leads.get('ada@example.com')?.activities ?? [];
  assert.ok(id > 0);
  assert.deepEqual(first, {
    leadId: 1,
    activityDate: '2026-11-24T06:00:00.123Z',
    activityTypeId: 100001,
    primaryAttributeValue: 'n0',
    attributes: [{ apiName: 'plan', value: 'prö "x"' }],
  });
  assert.equal(marketo.rest.callsByPath['POST /rest/v1/activities/external.json'], 1);
});

test('a visit goes under its visitor, with the browser it was made with', async (t) => {
  const { marketo, queue } = await queueFor(t);
  const query = `_mchId=561-HYG-937&_mchTk=${TOKEN}&_mchHo=www.example.com&_mchPo=443&_mchRu=%2Fpricing&_mchPc=https%3A&_mchVr=165`;
  await queue.send({ kind: 'visit', query, user_agent: 'Mozilla/5.0\r\nX-Injected: 1', time: 1795504697598 });
  const event = await marketo.waitFor(({ type }) => type === 'visitWebPage');
  assert.equal(event.method, 'POST');
  assert.equal(event.token, TOKEN);
  assert.equal(event.path, '/pricing');
  assert.equal(event.query._mchNc, '1795504697598');
  assert.equal(event.userAgent, 'Mozilla/5.0X-Injected: 1');
  assert.equal(marketo.rest.calls.filter(({ path }) => path !== '/rest/v1/leads/describe.json').length, 0);
});

test('visits that are not taken go again; those that are refused are kept aside', async (t) => {
  const { marketo, queue } = await queueFor(t);
  const visit = (/** @type {string} */ path) => queue.send({ kind: 'visit', query: `_mchTk=${TOKEN}&_mchRu=${path}`, user_agent: '' });
  marketo.faults.calls.push({ path: '/webevents/visitWebPage', status: 503, times: 2 });
  marketo.faults.calls.push({ path: '/webevents/visitWebPage', answer: 'reset' });
  await visit('/a');
  await queue.passUntil(() => marketo.events.length === 1);
  assert.match(marketo.events[0].userAgent, /^munchkin-server\//);
  marketo.faults.calls.push({ path: '/webevents/visitWebPage', status: 400 });
  await visit('/b');
  await queue.settle();
  await visit('/c');
  await queue.passUntil(() => marketo.events.length === 2);
  assert.deepEqual(marketo.events.map(({ path }) => path), ['/a', '/c']);
  const [letter, ...more] = await queue.dead();
  assert.deepEqual(more, []);
  assert.deepEqual([letter.kind, letter.code], ['visit', '400']);
});

test('a process that ends in the middle of calls: all arrives after the next start, a minute and a half later', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.calls.push({ path: LEADS, answer: 'hang', carriedOut: true });
  marketo.faults.calls.push({ path: '/webevents/visitWebPage', answer: 'hang' });
  await queue.lead('ada@example.com', { FirstName: 'Ada' }, { cookie: COOKIE });
  await queue.send({ kind: 'visit', query: `_mchTk=${TOKEN}&_mchRu=/a`, user_agent: '' });
  await until(() => syncs(marketo).length === 1, 'the call');
  await queue.settle();
  await queue.killAndStart();
  await queue.settle();
  queue.advance(89_000);
  await queue.settle();
  assert.equal(syncs(marketo).length, 1, 'it may be under way in Marketo');
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.tokens.length === 1);
  await queue.passUntil(() => marketo.events.length === 1);
  assert.equal(marketo.leadsById.size, 1);
});

test('a process that ends while Marketo is at work on a call: the lead goes again once that is done, and is made once', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  // Answers are held back by the machine's time: these are the minute and a half that Marketo takes at most.
  marketo.faults.calls.push({ path: LEADS, delayMs: 3000 });
  await queue.lead('ada@example.com', { FirstName: 'Ada' });
  await until(() => marketo.faults.calls.length === 0, 'the call, with all that it says');
  await queue.killAndStart();
  await queue.lead('ada@example.com', { LastName: 'Lovelace' });
  await queue.settle();
  for (let seconds = 0; seconds < 75; seconds += 5) {
    queue.advance(5000);
    await delay(30);
  }
  await until(() => marketo.leads.size === 1, 'the lead that the call makes');
  assert.equal(syncs(marketo).length, 1);
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.fields.LastName === 'Lovelace');
  assert.equal(marketo.leadsById.size, 1);
  assert.deepEqual(marketo.rest.overlaps, []);
});

test('stopping lets the calls under way end', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.calls.push({ path: LEADS, delayMs: 500 });
  await queue.lead('ada@example.com', { FirstName: 'Ada' });
  await until(() => syncs(marketo).length === 1, 'the call');
  await queue.stop();
  assert.equal(marketo.leads.get('ada@example.com')?.fields.FirstName, 'Ada');
  queue.start();
  queue.advance(60_000);
  await queue.settle();
  assert.equal(syncs(marketo).length, 1);
});

/**
 * Another queue that sends to the same Marketo.
 * @param {import('node:test').TestContext} t
 * @param {import('../sim/simulator.mjs').Simulator} marketo
 * @param {Record<string, number>} [options]
 */
async function queueOn(t, marketo, options = {}) {
  const queue = await startQueue(marketo, options);
  t.after(() => queue.end());
  return queue;
}
