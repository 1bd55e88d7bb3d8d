/** What the simulator's APIs refuse, delay and lose, by Marketo's limits and on demand, and what they note of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startSimulator } from '../sim/simulator.mjs';

/** @typedef {import('../sim/simulator.mjs').Simulator} Simulator */

const LEADS = '/rest/v1/leads.json';
const DESCRIBE = '/rest/v1/leads/describe.json';

/**
 * @param {import('node:test').TestContext} t
 * @param {Partial<import('../sim/traffic.mjs').Limits>} [restLimits]
 */
async function worldFor(t, restLimits) {
  const simulator = await startSimulator({ restClient: { id: 'i', secret: 's' }, restLimits });
  t.after(() => simulator.close());
  const asked = await fetch(`${simulator.url}/identity/oauth/token?grant_type=client_credentials&client_id=i&client_secret=s`);
  const headers = { authorization: `Bearer ${(await asked.json()).access_token}`, 'content-type': 'application/json' };
  /** @param {string} path @param {RequestInit} [init] */
  const call = (path, init) => fetch(simulator.url + path, { headers, ...init });
  /** @param {...string} emails */
  const sync = (...emails) => call(LEADS, { method: 'POST', body: JSON.stringify({ input: emails.map((email) => ({ email })) }) });
  return { simulator, call, sync };
}

/** @param {Response} response @returns {Promise<string>} its error, or "ok" */
async function outcome(response) {
  const answer = await response.json();
  return answer.success ? 'ok' : answer.errors[0].code;
}

/** Waits until so many calls have arrived, and what they do at once is done. @param {Simulator} simulator @param {number} count */
async function arrived(simulator, count) {
  const calls = () => simulator.rest.calls.filter(({ records }) => records > 0).length;
  while (calls() < count) await new Promise((resolve) => setImmediate(resolve));
}

test('more calls than there may be in 20 seconds are 606, by the simulator\'s clock', async (t) => {
  const { simulator, call } = await worldFor(t, { calls: 3 });
  const outcomes = [];
  for (let index = 0; index < 5; index++) outcomes.push(await outcome(await call(DESCRIBE)));
  assert.deepEqual(outcomes, ['ok', 'ok', 'ok', '606', '606']);
  simulator.clock.advance(20_000);
  assert.equal(await outcome(await call(DESCRIBE)), 'ok');
  assert.equal(simulator.rest.mostInWindow, 5);
  simulator.rest.limits.calls = 1;
  const refused = await (await call(DESCRIBE)).json();
  assert.equal(refused.errors[0].message, "Max rate limit '1' exceeded with in '20' secs");
  assert.equal(simulator.rest.callsToday, 4);
  assert.deepEqual(simulator.rest.callsByPath, { [`GET ${DESCRIBE}`]: 7, 'GET /identity/oauth/token': 1 });
});

test('more calls at once than there may be are 615', async (t) => {
  const { simulator, sync } = await worldFor(t, { atOnce: 2 });
  simulator.faults.calls.push({ times: 2, delayMs: 600_000 });
  for (const email of ['one@x.example', 'two@x.example']) sync(email).catch(() => {});
  await arrived(simulator, 2);
  assert.equal(await outcome(await sync('third@x.example')), '615');
  assert.equal(simulator.rest.mostAtOnce, 3);
});

test('the quota of a day is 607 until midnight US Central', async (t) => {
  const { simulator, call } = await worldFor(t, { daily: 2 });
  /** @type {[time: string, outcome: string][]} */
  const steps = [
    ['2026-11-24T12:00:00Z', 'ok'],
    ['2026-11-25T05:59:50Z', 'ok'],
    ['2026-11-25T05:59:55Z', '607'],
    ['2026-11-25T06:00:00Z', 'ok'],
    // In summer it is an hour earlier.
    ['2027-07-01T04:59:50Z', 'ok'],
    ['2027-07-01T04:59:51Z', 'ok'],
    ['2027-07-01T04:59:52Z', '607'],
    ['2027-07-01T05:00:00Z', 'ok'],
  ];
  for (const [time, expected] of steps) {
    simulator.clock.set(time);
    const token = await fetch(`${simulator.url}/identity/oauth/token?grant_type=client_credentials&client_id=i&client_secret=s`);
    const headers = { authorization: `Bearer ${(await token.json()).access_token}` };
    assert.equal(await outcome(await call(DESCRIBE, { headers })), expected, time);
  }
  assert.equal(simulator.rest.callsToday, 1);
});

test('a lead in two calls at the same time is noted, by whatever it is known', async (t) => {
  const { simulator, call, sync } = await worldFor(t);
  await sync('ada@example.com', 'grace@example.com');
  assert.equal(await outcome(await sync('ada@example.com')), 'ok');
  assert.equal(simulator.rest.overlaps.length, 0);

  simulator.faults.calls.push({ delayMs: 60_000, path: LEADS });
  const stop = new AbortController();
  const held = call(LEADS, { method: 'POST', body: '{"input": [{"email": "Ada@example.com"}, {"email": "new@example.com"}]}', signal: stop.signal });
  held.catch(() => {});
  await arrived(simulator, 3);
  simulator.clock.advance(5000);
  assert.equal(await outcome(await sync('grace@example.com')), 'ok');
  assert.equal(await outcome(await sync('NEW@example.com')), 'ok');
  const cookie = encodeURIComponent('id:561-HYG-937&token:_mch-a');
  assert.equal(await outcome(await call(`/rest/v1/leads/1/associate.json?cookie=${cookie}`, { method: 'POST' })), 'ok');
  assert.deepEqual(simulator.rest.overlaps.map(({ key, calls }) => [key, ...calls.map(({ number }) => number)]), [
    ['Email:new@example.com', 3, 5],
    ['Id:1', 3, 6],
  ]);
  const [one, other] = simulator.rest.overlaps[1].calls;
  assert.equal(other.path, '/rest/v1/leads/{id}/associate.json');
  assert.ok(other.at - one.at >= 5000 && other.at - one.at < 30_000);
  stop.abort();
  await assert.rejects(held);
});

test('a call whose client has gone is carried out all the same, and holds its leads until then', async (t) => {
  const { simulator, call, sync } = await worldFor(t);
  simulator.faults.calls.push({ delayMs: 500, path: LEADS });
  const stop = new AbortController();
  const gone = call(LEADS, { method: 'POST', body: '{"input": [{"email": "ada@example.com"}]}', signal: stop.signal });
  gone.catch(() => {});
  await arrived(simulator, 1);
  stop.abort();
  await assert.rejects(gone);
  await delay(100);
  assert.equal(await outcome(await sync('ada@example.com')), 'ok');
  assert.deepEqual(simulator.rest.overlaps.map(({ key }) => key), ['Email:ada@example.com']);
  while (simulator.leadsById.size < 2) await delay(10);
  assert.equal(await outcome(await sync('grace@example.com')), 'ok');
});

test('a call that is never answered holds its leads for as long as its client waits', async (t) => {
  const { simulator, call, sync } = await worldFor(t);
  simulator.faults.calls.push({ answer: 'hang', path: LEADS });
  const waits = new AbortController();
  const hanging = call(LEADS, { method: 'POST', body: '{"input": [{"email": "ada@example.com"}]}', signal: waits.signal });
  hanging.catch(() => {});
  await arrived(simulator, 1);
  await sync('ada@example.com');
  assert.equal(simulator.rest.overlaps.length, 1);
  waits.abort();
  await delay(100);
  await sync('ada@example.com');
  assert.equal(simulator.rest.overlaps.length, 1);
});

test('two calls that make the same lead at the same time make it twice, as in Marketo', async (t) => {
  const { simulator, sync } = await worldFor(t);
  simulator.faults.callDelayMs = 500;
  await Promise.all([sync('ada@example.com'), sync('ada@example.com')]);
  simulator.faults.callDelayMs = 0;
  assert.deepEqual([...simulator.leadsById.values()].map(({ email }) => email), ['ada@example.com', 'ada@example.com']);
  const { result } = await (await sync('ada@example.com')).json();
  assert.equal(result[0].reasons[0].code, '1007');
  assert.equal(simulator.rest.overlaps.length, 1);
});

test('calls fail as told: so many, of one path, by code or by status', async (t) => {
  const { simulator, call, sync } = await worldFor(t);
  const faults = [
    { path: LEADS, times: 2, code: '611' },
    { path: LEADS, method: 'GET', status: 429 },
    { path: '/rest/v1/leads/{id}/associate.json', status: 503 },
    { path: LEADS, method: 'POST', code: 606 },
  ];
  const put = await fetch(`${simulator.url}/_sim/faults`, { method: 'PUT', body: JSON.stringify({ calls: faults }) });
  assert.equal(put.status, 200);
  assert.equal(await outcome(await call(DESCRIBE)), 'ok');
  assert.deepEqual([await outcome(await sync('a@x.example')), await outcome(await sync('a@x.example'))], ['611', '611']);
  assert.equal((await call('/rest/v1/leads/1/associate.json', { method: 'POST' })).status, 503);
  const limited = await (await sync('a@x.example')).json();
  assert.deepEqual(limited.errors, [{ code: '606', message: "Max rate limit '100' exceeded with in '20' secs" }]);
  assert.equal(simulator.leadsById.size, 0);
  assert.equal(await outcome(await sync('a@x.example')), 'ok');
  assert.equal((await call(`${LEADS}?filterType=email&filterValues=a`)).status, 429);
  assert.deepEqual(simulator.faults.calls, []);
  const { calls } = await (await fetch(`${simulator.url}/_sim/rest?since=1`)).json();
  assert.deepEqual(calls.map((/** @type {any} */ { code, status }) => [code, status]), [
    ['611', 200], ['611', 200], ['1002', 503], ['606', 200], ['', 200], ['', 429],
  ]);
});

test('answers get lost as told, before or after the call was carried out', async (t) => {
  const { simulator, sync } = await worldFor(t);
  simulator.faults.calls.push({ answer: 'reset' }, { answer: 'reset', carriedOut: true }, { answer: 'hang' });
  await assert.rejects(sync('before@x.example'));
  await assert.rejects(sync('after@x.example'));
  assert.deepEqual([...simulator.leads.keys()], ['after@x.example']);
  const hanging = sync('hanging@x.example');
  hanging.catch(() => {});
  await arrived(simulator, 3);
  simulator.faults.calls.push({ answer: 'empty' }, { answer: 'rubbish', status: 502 }, { answer: 'truncated' }, { code: 604, carriedOut: true });
  const answers = [];
  for (const email of ['empty@x.example', 'rubbish@x.example', 'truncated@x.example', 'late@x.example']) {
    const response = await sync(email);
    answers.push([response.status, await response.text()]);
  }
  assert.deepEqual(answers[0], [200, '']);
  assert.deepEqual(answers[1], [502, '<html><body><h1>It works!</h1></body></html>']);
  assert.match(String(answers[2][1]), /^\{"requestId":"[^}]*$/);
  assert.match(String(answers[3][1]), /"code":"604"/);
  assert.deepEqual([...simulator.leads.keys()], ['after@x.example', 'truncated@x.example', 'late@x.example']);
  // A call that nobody answers is under way until its caller gives up.
  assert.equal(simulator.rest.mostAtOnce, 2);
});

test('answers that no client should swallow', async (t) => {
  const { simulator, sync } = await worldFor(t);
  simulator.faults.calls.push({ answer: 'cut', carriedOut: true }, { answer: 'huge' }, { answer: 'bomb' }, { text: '{}', type: 'text/plain' });
  const cut = await sync('cut@x.example');
  assert.equal(cut.status, 200);
  await assert.rejects(cut.text());
  assert.equal((await (await sync('huge@x.example')).text()).length, 16 << 20);
  const bomb = await sync('bomb@x.example');
  assert.equal(bomb.headers.get('content-encoding'), 'gzip');
  assert.equal((await bomb.text()).length, 64 << 20);
  const other = await sync('other@x.example');
  assert.deepEqual([other.headers.get('content-type'), await other.text()], ['text/plain', '{}']);
  assert.deepEqual([...simulator.leads.keys()], ['cut@x.example']);
});

test('web events and tokens fail as told', async (t) => {
  const { simulator } = await worldFor(t);
  const visit = () => fetch(`${simulator.url}/webevents/visitWebPage?_mchRu=/a`, { method: 'POST' });
  const ask = () => fetch(`${simulator.url}/identity/oauth/token?grant_type=client_credentials&client_id=i&client_secret=s`);
  simulator.faults.calls.push(
    { code: 606 },
    { path: '/webevents/visitWebPage', status: 500 },
    { path: '/webevents/visitWebPage', answer: 'reset', carriedOut: true },
    { path: '/identity/oauth/token', status: 500 },
    { path: '/identity/oauth/token', answer: 'rubbish' },
  );
  assert.equal((await visit()).status, 500);
  assert.equal(simulator.events.length, 0);
  await assert.rejects(visit());
  assert.equal(simulator.events.length, 1);
  assert.equal((await visit()).status, 200);
  assert.equal((await ask()).status, 500);
  assert.match(await (await ask()).text(), /^<html>/);
  assert.equal((await ask()).status, 200);
  assert.equal(simulator.faults.calls.length, 1, 'a fault of no path is for calls of REST and SOAP only');
});

test('a reset forgets calls and moves the clock back, and the token stays', async (t) => {
  const { simulator, call, sync } = await worldFor(t);
  await sync('ada@example.com');
  simulator.clock.advance(3_000_000);
  simulator.rest.limits.calls = 1;
  simulator.reset();
  assert.ok(Math.abs(simulator.clock.now() - Date.now()) < 1000);
  const { calls, callsByPath, overlaps, callsToday, mostInWindow, limits } = simulator.rest;
  assert.deepEqual([calls, callsByPath, overlaps, callsToday, mostInWindow, limits.calls], [[], {}, [], 0, 0, 100]);
  assert.equal(simulator.leadsById.size, 0);
  assert.equal(await outcome(await call(DESCRIBE)), 'ok');
  assert.deepEqual((await (await sync('grace@example.com')).json()).result, [{ id: 1, status: 'created' }]);
  const wrong = await fetch(`${simulator.url}/_sim/clock`, { method: 'POST', body: '{"set": "soon"}' });
  assert.deepEqual([wrong.status, (await wrong.json()).error], [400, 'clock_invalid']);
});
