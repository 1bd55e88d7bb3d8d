/** Each error of Marketo's REST API: the right reaction, as the simulator saw it, and no lead lost. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startSimulator } from '../sim/simulator.mjs';
import { check, CLIENT, queueFor, until } from './queue_driver.mjs';

const LEADS = '/rest/v1/leads.json';
const TOKEN = 'GET /identity/oauth/token';
const COOKIE = 'id:561-HYG-937&token:_mch-example.com-1374552656411-90718';

/** @param {import('../sim/simulator.mjs').Simulator} marketo */
const syncs = (marketo) => marketo.rest.calls.filter(({ method, path }) => method === 'POST' && path === LEADS);

/** @param {string} text @param {string} event */
const logged = (text, event) => text.split('\n').filter((line) => line.includes(`"event":"${event}"`)).length;

/** @type {[string, import('../sim/call-faults.mjs').CallFault][]} */
const passing = [
  ...['502', '604', '608', '611', '614', '713', '719'].map(
    (code) => /** @type {[string, import('../sim/call-faults.mjs').CallFault]} */ ([code, { code }]),
  ),
  ...[500, 502, 503, 504].map(
    (status) => /** @type {[string, import('../sim/call-faults.mjs').CallFault]} */ ([`HTTP ${status}`, { status }]),
  ),
  ['a connection that breaks', { answer: 'reset' }],
  ['rubbish', { answer: 'rubbish' }],
  ['half an answer', { answer: 'truncated' }],
  ['nothing', { answer: 'empty' }],
];

for (const [what, fault] of passing) {
  test(`${what}: again, later and later, one call at a time`, async (t) => {
    const { marketo, queue } = await queueFor(t);
    marketo.faults.calls.push({ ...fault, path: LEADS, times: 3 });
    await queue.lead('ada@example.com', { FirstName: 'Ada' });
    await queue.passUntil(() => syncs(marketo).length === 4 && marketo.leads.get('ada@example.com'));
    await queue.settle();
    const calls = syncs(marketo);
    assert.equal(calls.length, 4);
    for (let i = 1; i < calls.length; i += 1) {
      assert.ok(calls[i].at - calls[i - 1].at >= 1000, `${calls[i].at - calls[i - 1].at} ms`);
    }
    assert.equal(marketo.leadsById.size, 1);
    assert.equal(marketo.leads.get('ada@example.com')?.fields.FirstName, 'Ada');
    assert.deepEqual(await queue.dead(), []);
    assert.deepEqual(marketo.rest.overlaps, []);
  });
}

for (const [code, token] of /** @type {[string, 'invalid' | 'expired'][]} */ ([
  ['601', 'invalid'],
  ['602', 'expired'],
])) {
  test(`${code}: a new token, and again at once`, async (t) => {
    const { marketo, queue } = await queueFor(t);
    await queue.lead('ada@example.com');
    await until(() => marketo.leads.get('ada@example.com'), 'the first lead');
    assert.equal(marketo.rest.callsByPath[TOKEN], 1);
    marketo.faults.token = token;
    await queue.lead('grace@example.com');
    await until(() => marketo.leads.get('grace@example.com'), 'the second lead');
    assert.equal(marketo.rest.callsByPath[TOKEN], 2);
    assert.deepEqual(syncs(marketo).map((call) => call.code), ['', code, '']);
  });
}

for (const [status, code] of /** @type {[number, string][]} */ ([[401, '401'], [429, '429'], [503, 'SERVICE_UNAVAILABLE']])) {
  test(`HTTP ${status} with a code that is none of Marketo's: as HTTP ${status} alone`, async (t) => {
    const { marketo, queue } = await queueFor(t);
    marketo.faults.calls.push({ status, text: JSON.stringify({ success: false, errors: [{ code, message: 'x' }] }), path: LEADS });
    await queue.lead('ada@example.com');
    await queue.passUntil(() => marketo.leads.get('ada@example.com'), { steps: 20 });
    assert.equal(syncs(marketo).length, 2);
    assert.equal(marketo.rest.callsByPath[TOKEN], status === 401 ? 2 : 1);
    assert.equal(logged(queue.log(), 'marketo_refuses'), 0);
  });
}

test('a token that is refused each time is not asked for each time', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.calls.push({ code: '601', path: LEADS, times: 5 });
  await queue.lead('ada@example.com');
  await until(() => syncs(marketo).length === 2, 'a second try with a new token');
  await queue.settle();
  assert.equal(syncs(marketo).length, 2);
  await queue.passUntil(() => marketo.leads.get('ada@example.com'));
  assert.equal(syncs(marketo).length, 6);
});

test('a token is used until it ends, and a new one is had before', async (t) => {
  const { marketo, queue } = await queueFor(t);
  for (let i = 0; i < 4; i += 1) {
    await queue.lead(`ada${i}@example.com`);
    await until(() => marketo.leads.get(`ada${i}@example.com`), `lead ${i}`);
    queue.advance(1_700_000);
  }
  assert.equal(marketo.rest.callsByPath[TOKEN], 2);
  assert.ok(marketo.rest.calls.every(({ code }) => code === ''));
});

for (const code of ['603', '609', '610', '612', '605', '999']) {
  test(`${code}: logged once, all is kept, one call in five minutes`, async (t) => {
    const { marketo, queue } = await queueFor(t);
    marketo.faults.calls.push({ code, path: LEADS, times: 2 });
    await queue.lead('ada@example.com');
    await until(() => logged(queue.log(), 'marketo_refuses'), 'word of it');
    await queue.lead('grace@example.com');
    queue.advance(290_000);
    await queue.settle();
    assert.equal(syncs(marketo).length, 1);
    queue.advance(10_000);
    await until(() => syncs(marketo).length === 2, 'the second call');
    await queue.settle();
    assert.equal(syncs(marketo).length, 2);
    queue.advance(300_000);
    await until(() => marketo.leads.size === 2, 'both leads');
    assert.deepEqual(await queue.dead(), []);
    assert.equal(logged(queue.log(), 'marketo_refuses'), 1);
    assert.equal(logged(queue.log(), 'marketo_recovered'), 1);
    assert.ok(queue.log().includes(`"call":"leads: ${code}"`));
  });
}

test('what is refused to one kind of calls holds up no other', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.calls.push({ code: '603', path: '/rest/v1/activities/external.json', times: 100 });
  await queue.lead('ada@example.com');
  await queue.send({ kind: 'activity', email: 'ada@example.com', type: 100001, primary: 'one', attributes: '[]' });
  await until(() => marketo.rest.callsByPath['POST /rest/v1/activities/external.json'] === 1, 'the activity');
  await queue.lead('grace@example.com');
  await until(() => marketo.leads.get('grace@example.com'), 'the lead');
});

test('606: slower', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { batch: 1 } });
  marketo.faults.calls.push({ code: '606', path: LEADS });
  await Promise.all(Array.from({ length: 60 }, (_, i) => queue.lead(`ada${i}@example.com`)));
  await queue.passUntil(() => marketo.leads.size === 60);
  const calls = syncs(marketo);
  const refused = calls.findIndex(({ code }) => code === '606');
  const later = calls.slice(refused + 6); // those that were under way with it
  // Half of fifty, and a few more as it goes well.
  const most = Math.max(...later.map(({ at }) => later.filter((call) => call.at >= at && call.at < at + 20_000).length));
  assert.ok(most <= 36, `${most} in 20 s`);
  assert.ok(calls[refused + 6].at - calls[refused].at >= 1000);
  assert.deepEqual(await queue.dead(), []);
});

test('615: fewer at once', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { batch: 1 } });
  marketo.faults.callDelayMs = 50;
  marketo.faults.calls.push({ code: '615', path: LEADS, delayMs: 1 });
  await Promise.all(Array.from({ length: 12 }, (_, i) => queue.lead(`ada${i}@example.com`)));
  await queue.passUntil(() => marketo.rest.calls.some(({ code }) => code === '615'));
  await queue.settle();
  marketo.rest.mostAtOnce = 0;
  await queue.passUntil(() => marketo.leads.size === 12);
  assert.equal(marketo.rest.mostAtOnce, 4);
  assert.deepEqual(await queue.dead(), []);
});

test('607: nothing more until midnight, US Central', async (t) => {
  const { marketo, queue } = await queueFor(t);
  const start = Date.parse('2026-11-24T20:00:00Z');
  queue.advance(start - marketo.clock.now());
  marketo.faults.calls.push({ code: '607', path: LEADS });
  await queue.lead('ada@example.com');
  await until(() => logged(queue.log(), 'daily_quota_used_up'), 'word of it');
  await queue.lead('grace@example.com');
  for (let hour = 0; hour < 9; hour += 1) {
    queue.advance(3_600_000);
    await queue.settle();
  }
  assert.equal(marketo.rest.calls.filter(({ at }) => at > start + 60_000).length, 0);
  queue.advance(3_600_000);
  await until(() => marketo.leads.size === 2, 'both leads');
  assert.ok(syncs(marketo)[1].at >= Date.parse('2026-11-25T06:00:00Z'));
  assert.equal(logged(queue.log(), 'daily_quota_used_up'), 1);
});

test("607 in a day's first hour, which may be of the day before by Marketo's clock: again in minutes", async (t) => {
  const { marketo, queue } = await queueFor(t);
  const midnight = Date.parse('2026-11-25T06:00:00Z');
  queue.advance(midnight + 100 - marketo.clock.now());
  marketo.faults.calls.push({ code: '607', path: LEADS });
  await queue.lead('ada@example.com');
  await until(() => logged(queue.log(), 'daily_quota_used_up'), 'word of it');
  await queue.settle();
  assert.equal(syncs(marketo).length, 1);
  queue.advance(300_000);
  await until(() => marketo.leads.get('ada@example.com'), 'the lead');
  assert.ok(syncs(marketo)[1].at < midnight + 360_000);
  assert.equal(logged(queue.log(), 'daily_quota_used_up'), 1);
});

test('a number of calls a day of its own', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { daily: 3 } });
  queue.advance(Date.parse('2026-11-24T20:00:00Z') - marketo.clock.now());
  await queue.lead('ada@example.com');
  await until(() => marketo.leads.size === 1, 'the first lead');
  await queue.lead('grace@example.com');
  await until(() => marketo.leads.size === 2, 'the second lead');
  await queue.lead('mary@example.com');
  await queue.settle();
  await queue.stop();
  queue.start();
  await queue.settle();
  assert.equal(marketo.rest.calls.length, 3, 'describe.json and two of leads.json');
  queue.advance(10 * 3_600_000);
  await until(() => marketo.leads.size === 3, 'the third lead, the next day');
});

test('a number of calls a day of its own, also where many could be made at once', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { daily: 4, batch: 1 } });
  await Promise.all(Array.from({ length: 20 }, (_, i) => queue.lead(`ada${i}@example.com`)));
  await until(() => marketo.leads.size === 3, 'what is left of the day');
  await queue.settle();
  assert.equal(marketo.rest.calls.length, 4, 'describe.json and three of leads.json');
});

test('cookies to be tied leave calls of the day to what comes later, fewer towards its end', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { daily: 60, interval: 0 } });
  const cookie = (/** @type {number} */ i) => `id:561-HYG-937&token:_mch-example.com-1374552656411-${10000 + i}`;
  const calls = (/** @type {string} */ end) => marketo.rest.calls.filter(({ path }) => path.endsWith(end)).length;
  await Promise.all(Array.from({ length: 80 }, (_, i) => queue.lead(`ada${i}@example.com`, {}, { cookie: cookie(i) })));
  await queue.passUntil(() => calls('associate.json') > 40);
  for (let second = 0; second < 60; second += 1) {
    queue.advance(1000);
    await delay(20);
  }
  assert.ok(marketo.rest.calls.length < 50, `${marketo.rest.calls.length} calls, at noon`);
  await queue.lead('grace@example.com');
  await until(() => marketo.leads.has('grace@example.com'), 'a lead');
  queue.advance(Date.parse('2026-11-25T05:59:00Z') - marketo.clock.now());
  await until(() => marketo.rest.calls.length > 55, 'calls that are left at the end of the day');
  queue.advance(120_000);
  await queue.passUntil(() => calls('associate.json') === 80);
});

test('so do cookies that are looked up, one after the other', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { daily: 40 } });
  const lookups = () => marketo.rest.calls.filter(({ method, path }) => method === 'GET' && path === LEADS).length;
  for (let i = 0; i < 40 && lookups() === i; i += 1) {
    await queue.lead('', { FirstName: 'Ada' }, { cookie: `id:561-HYG-937&token:_mch-example.com-1374552656411-${10000 + i}`, cookie_first: true });
    for (let step = 0; step < 50 && lookups() === i; step += 1) {
      queue.advance(100);
      await delay(10);
    }
  }
  assert.ok(lookups() > 30 && lookups() < 36, `${lookups()} lookups, at noon`);
  await queue.lead('grace@example.com');
  await queue.passUntil(() => marketo.leads.has('grace@example.com'));
});

test('413: half as many, until they fit; one that is too large alone is kept aside', async (t) => {
  const { marketo, queue } = await queueFor(t, {
    options: { linger: 5000 },
    simulator: { restLimits: { bodyBytes: 1000 } },
  });
  await Promise.all(
    Array.from({ length: 40 }, (_, i) => queue.lead(`ada${i}@example.com`, { FirstName: 'x'.repeat(i === 7 ? 250 : 40), Address: i === 7 ? 'y'.repeat(900) : '' })),
  );
  await queue.passUntil(() => marketo.leads.size === 39);
  await queue.settle();
  const first = syncs(marketo)[0];
  assert.deepEqual([first.records, first.status], [0, 413]);
  assert.deepEqual((await queue.dead()).map(({ who, code }) => [who, code]), [['ada7@example.com', '413']]);
  assert.ok(marketo.rest.calls.length < 60, `${marketo.rest.calls.length} calls`);
});

test('413 for one lead alone: it is kept aside, and the others go', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.calls.push({ status: 413, path: LEADS });
  await queue.lead('ada@example.com', { FirstName: 'Ada' });
  await until(() => syncs(marketo).length === 1, 'the call');
  await queue.lead('grace@example.com');
  await until(() => marketo.leads.get('grace@example.com'), 'the other lead');
  const [letter, ...more] = await queue.dead();
  assert.deepEqual(more, []);
  assert.equal(letter.code, '413');
  assert.equal(letter.who, 'ada@example.com');
  assert.match(letter.payload, /"FirstName":"Ada"/);
});

for (const code of ['1001', '1003', '1007']) {
  test(`${code} of one record: it is kept aside with the reason, and the others arrive`, async (t) => {
    const { marketo, queue } = await queueFor(t, { options: { linger: 5000 } });
    marketo.faults.records['ada@example.com'] = code;
    await Promise.all(['ada', 'grace', 'mary'].map((name) => queue.lead(`${name}@example.com`, { FirstName: name })));
    await queue.passUntil(() => marketo.leads.size === 2);
    await queue.settle();
    assert.equal(syncs(marketo).length, 1);
    const [letter, ...more] = await queue.dead();
    assert.deepEqual(more, []);
    assert.equal(letter.kind, 'lead');
    assert.equal(letter.who, 'ada@example.com');
    assert.equal(letter.code, code);
    assert.ok(letter.reason.length > 5);
    assert.ok(!queue.log().includes('@example.com'));
  });
}

/** What Marketo does where companies are its own business. @param {import('../sim/simulator.mjs').Simulator} marketo */
function refuseCompanies(marketo) {
  marketo.faults.choose = ({ method, path, body }) => {
    if (method !== 'POST' || path !== LEADS) return undefined;
    const { input } = JSON.parse(`${body}`);
    for (const { email, company, website } of input) {
      if (company ?? website) marketo.faults.records[email] = '1021';
      else delete marketo.faults.records[email];
    }
    return undefined;
  };
}

test('1021, Marketo does not let their companies be written: leads arrive without, which is told of once', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { linger: 5000, interval: 0 } });
  refuseCompanies(marketo);
  const names = ['ada', 'grace', 'mary'];
  await Promise.all(names.map((name) => queue.lead(`${name}@example.com`, { FirstName: name, Company: 'Engines', Website: 'https://example.com' })));
  await queue.lead('edsger@example.com', { FirstName: 'edsger' });
  await queue.passUntil(() => marketo.leads.size === 4);
  for (const name of names) assert.deepEqual(marketo.leads.get(`${name}@example.com`)?.fields, { Email: `${name}@example.com`, FirstName: name });
  await queue.settle();
  assert.deepEqual(syncs(marketo).map(({ records }) => records), [4, 3]);
  // From then on it is known of these.
  await queue.lead('ada@example.com', { Title: 'Countess', Company: 'Looms' });
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.fields.Title === 'Countess');
  await queue.settle();
  assert.equal(syncs(marketo).length, 3);
  assert.equal(logged(queue.log(), 'company_refused'), 1);
  assert.deepEqual(await queue.dead(), []);
});

test('1021 for a lead that says nothing of a company: it is kept aside', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.records['ada@example.com'] = '1021';
  await queue.lead('ada@example.com', { FirstName: 'Ada' });
  await queue.passUntil(() => syncs(marketo).length === 2);
  await queue.settle();
  assert.equal(syncs(marketo).length, 2);
  assert.deepEqual((await queue.dead()).map(({ code }) => code), ['1021']);
});

test('604 of one record: it goes again', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { linger: 5000 } });
  marketo.faults.records['ada@example.com'] = '604';
  await Promise.all(['ada', 'grace'].map((name) => queue.lead(`${name}@example.com`)));
  await queue.passUntil(() => marketo.leads.size === 1);
  delete marketo.faults.records['ada@example.com'];
  await queue.passUntil(() => marketo.leads.size === 2);
  assert.deepEqual(await queue.dead(), []);
});

test('1006: the list of fields is asked for again, and the record sent once more', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.records['ada@example.com'] = '1006';
  await queue.lead('ada@example.com', { FirstName: 'Ada' });
  await until(() => syncs(marketo).length === 2, 'two tries');
  await queue.settle();
  assert.equal(marketo.rest.callsByPath['GET /rest/v1/leads/describe.json'], 2);
  assert.equal(syncs(marketo).length, 2);
  const [letter] = await queue.dead();
  assert.equal(letter.code, '1006');
  assert.equal(letter.who, 'ada@example.com');
});

test('1004: a lead that Marketo has merged or deleted is found again by its e-mail', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  await queue.lead('ada@example.com', { FirstName: 'Ada' });
  await until(() => marketo.leads.get('ada@example.com'), 'the lead');
  await queue.settle();
  marketo.reset();
  await queue.lead('grace@example.com'); // that ids differ from before
  await until(() => marketo.leads.get('grace@example.com'), 'another lead');
  await queue.lead('grace2@example.com');
  await until(() => marketo.leads.get('grace2@example.com'), 'another lead');
  marketo.leadsById.delete(1);
  await queue.lead('ada@example.com', { LastName: 'Lovelace' });
  await queue.passUntil(() => marketo.leads.get('ada@example.com'));
  assert.equal(marketo.leads.get('ada@example.com')?.fields.LastName, 'Lovelace');
  assert.deepEqual(await queue.dead(), []);
});

test('an activity of a lead that Marketo has deleted goes to the one that its e-mail makes', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  await queue.lead('ada@example.com');
  await until(() => marketo.leads.get('ada@example.com'), 'the lead');
  await queue.settle();
  marketo.reset();
  await queue.send({ kind: 'activity', email: 'ada@example.com', type: 100001, primary: 'one', attributes: '[]' });
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.activities.length);
  assert.deepEqual(await queue.dead(), []);
});

for (const [what, path, more] of /** @type {[string, string, object][]} */ ([
  ['activity', '/rest/v1/activities/external.json', { kind: 'activity', type: 100001, primary: 'one', attributes: '[]' }],
  ['cookie', '/rest/v1/leads/{id}/associate.json', { kind: 'lead', fields: '{}', cookie: COOKIE }],
])) {
  test(`1004 for one ${what} again and again, of a lead that Marketo says it has: five calls, and it is kept aside`, async (t) => {
    const { marketo, queue } = await queueFor(t);
    await queue.lead('ada@example.com');
    await until(() => marketo.leads.get('ada@example.com'), 'the lead');
    // An outage before says nothing of the lead.
    marketo.faults.calls.push({ status: 503, path, times: 6 }, { code: '1004', path, times: 1000 });
    await queue.send({ ...more, email: 'ada@example.com' });
    const calls = () => marketo.rest.calls.filter((call) => call.path === path && call.code === '1004');
    await queue.passUntil(() => calls().length === 5);
    for (let i = 0; i < 60; i += 1) {
      queue.advance(10_000);
      await delay(25);
    }
    assert.equal(calls().length, 5);
    assert.deepEqual((await queue.dead()).map(({ kind, who, code }) => [kind, who, code]), [[what, 'ada@example.com', '1004']]);
    assert.ok(syncs(marketo).length <= 6, `${syncs(marketo).length} syncs`);
    // Of the next there is nothing wrong.
    marketo.faults.calls.length = 0;
    await queue.send({ kind: 'activity', email: 'ada@example.com', type: 100001, primary: 'two', attributes: '[]' });
    await queue.passUntil(() => marketo.leads.get('ada@example.com')?.activities.length === 1);
  });

  test(`1004 for one ${what} four times: it arrives`, async (t) => {
    const { marketo, queue } = await queueFor(t);
    await queue.lead('ada@example.com');
    await until(() => marketo.leads.get('ada@example.com'), 'the lead');
    marketo.faults.calls.push({ code: '1004', path, times: 4 });
    await queue.send({ ...more, email: 'ada@example.com' });
    await queue.passUntil(() => {
      const { activities = [], tokens = [] } = marketo.leads.get('ada@example.com') ?? {};
      return activities.length + tokens.length === 1;
    });
    assert.deepEqual(await queue.dead(), []);
  });
}

test('a cookie of a lead that Marketo has deleted goes to the one that its e-mail makes', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  await queue.lead('ada@example.com');
  await until(() => marketo.leads.get('ada@example.com'), 'the lead');
  await queue.settle();
  marketo.reset();
  await queue.lead('ada@example.com', {}, { cookie: COOKIE });
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.tokens.length);
  assert.deepEqual(await queue.dead(), []);
});

test('credentials that are refused: said once, all is kept, one try in five minutes', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.calls.push({ status: 401, path: '/identity/oauth/token', times: 2 });
  await until(() => marketo.rest.callsByPath[TOKEN] === 1, 'the first try');
  await queue.settle();
  await queue.lead('ada@example.com');
  queue.advance(290_000);
  await queue.settle();
  assert.equal(marketo.rest.callsByPath[TOKEN], 1);
  queue.advance(10_000);
  await until(() => marketo.rest.callsByPath[TOKEN] === 2, 'the second try');
  await queue.settle();
  queue.advance(300_000);
  await until(() => marketo.leads.get('ada@example.com'), 'the lead');
  assert.equal(logged(queue.log(), 'credentials_refused'), 1);
  assert.ok(!queue.log().includes('JhnfFYJ8aWkrTq1w'));
});

test('a token or a list of fields that does not come is asked for again', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.calls.push({ answer: 'rubbish', path: '/identity/oauth/token', times: 2 });
  marketo.faults.calls.push({ answer: 'empty', path: '/rest/v1/leads/describe.json', times: 2 });
  await queue.lead('ada@example.com');
  await queue.passUntil(() => marketo.leads.get('ada@example.com'));
  assert.equal(marketo.rest.callsByPath[TOKEN], 3);
  assert.equal(marketo.rest.callsByPath['GET /rest/v1/leads/describe.json'], 3);
});

test('a token that is said to have ended already is not asked for again and again', async (t) => {
  const { marketo, queue } = await queueFor(t);
  const path = '/identity/oauth/token';
  marketo.faults.calls.push({ path, text: JSON.stringify({ access_token: 'ended', expires_in: 0 }), times: 1e6 });
  await queue.lead('ada@example.com');
  await until(() => marketo.rest.callsByPath[TOKEN] > 1, 'another try');
  await queue.settle();
  assert.ok(marketo.rest.callsByPath[TOKEN] < 8, `${marketo.rest.callsByPath[TOKEN]}`);
  marketo.faults.calls.length = 0;
  await queue.passUntil(() => marketo.leads.get('ada@example.com'));
});

for (const code of ['413', '1035']) {
  test(`a list of fields that is refused with ${code}: one try in five minutes`, async (t) => {
    const { marketo, queue } = await queueFor(t);
    const describes = () => marketo.rest.callsByPath['GET /rest/v1/leads/describe.json'];
    marketo.faults.calls.push({ code, path: '/rest/v1/leads/describe.json', times: 1e6 });
    await queue.lead('ada@example.com');
    await until(() => logged(queue.log(), 'marketo_refuses'), 'word of it');
    await queue.settle();
    queue.advance(290_000);
    await queue.settle();
    assert.equal(describes(), 1);
    queue.advance(10_000);
    await until(() => describes() === 2, 'the next try');
    await queue.settle(); // its answer is handled at this time, not after the next five minutes
    marketo.faults.calls.length = 0;
    queue.advance(300_000);
    await until(() => marketo.leads.get('ada@example.com'), 'the lead');
    assert.equal(logged(queue.log(), 'marketo_refuses'), 1);
  });
}

test('a Marketo that does not answer is told of, once, and when it does again', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.calls.push({ answer: 'reset', path: LEADS, times: 5 });
  await queue.lead('ada@example.com');
  await queue.passUntil(() => marketo.leads.get('ada@example.com'), { step: 10_000 });
  await until(() => logged(queue.log(), 'marketo_recovered'), 'word of its end');
  assert.equal(logged(queue.log(), 'marketo_does_not_answer'), 1);
  assert.match(queue.log(), /"event":"marketo_does_not_answer","call":"leads: \w+/);
  // Once or twice is not worth a line.
  marketo.faults.calls.push({ status: 503, path: LEADS, times: 2 });
  await queue.lead('grace@example.com');
  await queue.passUntil(() => marketo.leads.get('grace@example.com'));
  marketo.faults.calls.push({ code: '611', path: LEADS, times: 3 });
  await queue.lead('edsger@example.com');
  await queue.passUntil(() => marketo.leads.get('edsger@example.com'));
  await until(() => logged(queue.log(), 'marketo_recovered') === 2, 'word of the second end');
  assert.equal(logged(queue.log(), 'marketo_does_not_answer'), 2);
  assert.match(queue.log(), /"call":"leads: 611"/);
});

for (const fault of [{ code: '602' }, { status: 401 }, { code: '606' }, { code: '615' }]) {
  test(`nor is it silent about ${fault.code ?? fault.status} again and again`, async (t) => {
    const { marketo, queue } = await queueFor(t);
    marketo.faults.calls.push({ ...fault, path: LEADS, times: 6 });
    await queue.lead('ada@example.com');
    await queue.passUntil(() => marketo.leads.get('ada@example.com'));
    await until(() => logged(queue.log(), 'marketo_recovered'), 'word of its end');
    assert.equal(logged(queue.log(), 'marketo_does_not_answer') + logged(queue.log(), 'marketo_has_too_many_calls'), 1);
  });
}

test('a record that a whole call is refused for, where others went well, is put aside', async (t) => {
  const { marketo, queue } = await queueFor(t, { simulator: { fields: [{ name: 'userId', soapName: 'UserId' }] } });
  const send = (/** @type {string} */ user_id) => queue.send({ kind: 'lead', user_id, fields: JSON.stringify({ UserId: user_id }) });
  await send('good');
  await queue.passUntil(() => marketo.leadsById.size === 1);
  marketo.faults.calls.push({ code: '1003', path: LEADS });
  await send('bad');
  await queue.passUntil(() => syncs(marketo).length === 2);
  await send('better');
  await queue.passUntil(() => marketo.leadsById.size === 2);
  assert.deepEqual((await queue.dead()).map(({ code, who }) => [code, who]), [['1003', 'bad']]);
});

test('a code of records that each call is refused with is not for what they say: few are put aside, and the others wait', async (t) => {
  const { marketo, queue } = await queueFor(t);
  await queue.lead('first@example.com');
  await queue.passUntil(() => marketo.leads.size === 1);
  const dead = async () => (await queue.dead()).length;
  let refuses = true;
  marketo.faults.choose = ({ path }) => (refuses && path === LEADS ? { code: '1003' } : undefined);
  for (let i = 0; i < 30; i += 1) await queue.lead(`lead-${i}@example.com`);
  await queue.passUntil(() => logged(queue.log(), 'marketo_refuses') === 1);
  assert.equal(await dead(), 10);
  const calls = syncs(marketo).length;
  assert.ok(calls < 45, `${calls}`);
  await queue.passUntil(() => syncs(marketo).length === calls + 9, { step: 10_000 });
  const times = syncs(marketo).map(({ at }) => at);
  assert.ok(times[calls + 8] - times[calls + 7] >= 300_000, `${times}`);
  assert.equal(await dead(), 10);
  refuses = false;
  await queue.passUntil(() => marketo.leads.size === 21, { step: 10_000 });
  assert.equal(logged(queue.log(), 'marketo_recovered'), 1);
  assert.equal(await dead(), 10);
});

test('a field UserId that no lead can be looked up by: its leads wait, and no others', async (t) => {
  const { marketo, queue } = await queueFor(t, { simulator: { fields: [{ name: 'userId', soapName: 'UserId', searchable: false }] } });
  const named = Array.from({ length: 20 }, (_, i) => `user-${i}`);
  await Promise.all(named.map((user_id) => queue.send({ kind: 'lead', user_id, fields: JSON.stringify({ UserId: user_id, FirstName: 'x' }) })));
  await until(() => logged(queue.log(), 'marketo_refuses'), 'word of it');
  assert.match(queue.log(), /"call":"leads by UserId: \d+"/);
  await Promise.all(named.map((name) => queue.lead(`${name}@example.com`)));
  await queue.passUntil(() => marketo.leads.size === 20);
  for (let minute = 0; minute < 10; minute += 1) {
    queue.advance(60_000);
    await queue.settle();
  }
  assert.ok(syncs(marketo).filter(({ code }) => code).length <= 3, JSON.stringify(syncs(marketo)));
  assert.deepEqual(await queue.dead(), []);
  assert.equal(logged(queue.log(), 'marketo_refuses'), 1);
});

test('a cookie that Marketo does not take is kept aside', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.calls.push({ code: '1012', path: '/rest/v1/leads/{id}/associate.json' });
  await queue.lead('ada@example.com', {}, { cookie: COOKIE });
  await queue.passUntil(() => marketo.rest.callsByPath['POST /rest/v1/leads/{id}/associate.json']);
  await queue.settle();
  const [letter] = await queue.dead();
  assert.equal(letter.kind, 'cookie');
  assert.equal(letter.code, '1012');
});

test('--check says what is wrong', async (t) => {
  // No queue beside it, whose own calls would meet the faults.
  const marketo = await startSimulator({ restClient: CLIENT });
  t.after(() => marketo.close());
  assert.deepEqual(await check(marketo.url), { code: 0, text: 'ok' });
  assert.match((await check(marketo.url, { MARKETO_CLIENT_SECRET: 'wrong' })).text, /refuses the client id and secret/);
  marketo.faults.calls.push({ code: '603', path: '/rest/v1/leads/describe.json' });
  assert.match((await check(marketo.url)).text, /permission/);
  marketo.faults.calls.push({ answer: 'rubbish', path: '/rest/v1/leads/describe.json' });
  assert.match((await check(marketo.url)).text, /--rest-url/);
  marketo.faults.calls.push({ status: 404, text: 'nothing here', path: '/identity/oauth/token' });
  const { host } = new URL(marketo.url);
  assert.equal((await check(marketo.url)).text, `identity/oauth/token of ${host} does not answer as Marketo does (HTTP 404); look at --rest-url and the network.`);
  // What stands before an @ may be a password.
  for (const url of ['http://127.0.0.1:1', 'http://user:hidden@127.0.0.1:1/path@x']) {
    assert.equal((await check(url)).text, "127.0.0.1:1 does not answer (Couldn't connect to server); look at --rest-url and the network.");
  }
  assert.match((await check('http://nobody.invalid')).text, /^nobody\.invalid does not answer \(Couldn't resolve host name\); look at --rest-url/);
});
