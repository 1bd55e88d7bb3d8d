/** The simulator's REST API: what a client of Marketo's gets to see, and what tests get to see of the client. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startSimulator } from '../sim/simulator.mjs';

/** @typedef {import('../sim/simulator.mjs').Simulator} Simulator */

const CLIENT = { id: 'client', secret: 'a pretended secret' };
const COOKIE = 'id:561-HYG-937&token:_mch-example.com-1374552656411-90718';
const TOKEN = '_mch-example.com-1374552656411-90718';
const LEADS = '/rest/v1/leads.json';
const ACTIVITIES = '/rest/v1/activities/external.json';
const MAIN = fileURLToPath(new URL('../sim/main.mjs', import.meta.url));

/**
 * @param {import('node:test').TestContext} t
 * @param {import('../sim/simulator.mjs').SimulatorOptions} [options]
 */
async function worldFor(t, options) {
  const simulator = await startSimulator({ restClient: CLIENT, ...options });
  t.after(() => simulator.close());
  return { simulator, ...clientOf(simulator, String((await askToken(simulator)).body.access_token)) };
}

/** @param {{url: string}} simulator @param {Record<string, string>} [parameters] in place of the usual ones */
async function askToken(simulator, parameters) {
  const usual = { grant_type: 'client_credentials', client_id: CLIENT.id, client_secret: CLIENT.secret };
  const response = await fetch(`${simulator.url}/identity/oauth/token?${new URLSearchParams({ ...usual, ...parameters })}`);
  return { status: response.status, body: await response.json() };
}

/** @param {{url: string}} simulator @param {string} token */
function clientOf(simulator, token) {
  const authorization = `Bearer ${token}`;
  /** @param {string} path @param {RequestInit} [init] */
  const call = (path, init = {}) => fetch(simulator.url + path, { ...init, headers: { authorization, ...init.headers } });
  /** @param {string} path @returns {Promise<any>} */
  const get = async (path) => (await call(path)).json();
  /** @param {string} path @param {unknown} [body] @returns {Promise<any>} */
  const post = async (path, body) => {
    const headers = { 'content-type': 'application/json' };
    return (await call(path, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  };
  /** @param {object[]} input @param {object} [more] */
  const sync = async (input, more) => (await post(LEADS, { input, ...more })).result;
  return { call, get, post, sync };
}

/** @param {any} answer */
const errorOf = (answer) => [answer.success, answer.errors?.[0].code];

/** @param {any[]} results each as its code, or as its status and id */
const short = (results) => results.map(({ id, status, reasons }) => (status === 'skipped' ? reasons[0].code : `${status} ${id}`));

test('a token is given to who has the secret, and is the same until it expires', async (t) => {
  const simulator = await startSimulator({ restClient: CLIENT, restLimits: { tokenSeconds: 600 } });
  t.after(() => simulator.close());
  const first = await askToken(simulator);
  assert.deepEqual([first.status, first.body.token_type, first.body.expires_in], [200, 'bearer', 600]);
  simulator.clock.advance(540_000);
  const again = await askToken(simulator);
  assert.equal(again.body.access_token, first.body.access_token);
  assert.ok(again.body.expires_in <= 60);
  assert.equal((await clientOf(simulator, first.body.access_token).get('/rest/v1/leads/describe.json')).success, true);
  simulator.clock.advance(60_000);
  assert.deepEqual(errorOf(await clientOf(simulator, first.body.access_token).get(LEADS)), [false, '602']);
  assert.notEqual((await askToken(simulator)).body.access_token, first.body.access_token);
  assert.deepEqual(errorOf(await clientOf(simulator, first.body.access_token).get(LEADS)), [false, '602']);

  const refused = await askToken(simulator, { client_secret: 'wrong' });
  assert.deepEqual([refused.status, refused.body.error], [401, 'invalid_client']);
  assert.deepEqual((await askToken(simulator, { client_id: 'wrong' })).status, 401);
  assert.deepEqual((await askToken(simulator, { grant_type: 'password' })).status, 400);
  const nobody = await startSimulator();
  t.after(() => nobody.close());
  assert.equal((await askToken(nobody)).status, 401);
});

test('only a Bearer header opens, and a wrong token, or one in the query, is 601', async (t) => {
  const { simulator } = await worldFor(t);
  const token = (await askToken(simulator)).body.access_token;
  const path = `${simulator.url}/rest/v1/leads/describe.json`;
  for (const response of [
    await fetch(`${path}?access_token=${token}`),
    await fetch(path, { headers: { authorization: 'Bearer made-up' } }),
    await fetch(path, { headers: { authorization: `Basic ${token}` } }),
  ]) {
    const answer = await response.json();
    assert.deepEqual([response.status, ...errorOf(answer)], [200, false, '601']);
    assert.match(answer.requestId, /^[0-9a-f]+#[0-9a-f]+$/);
    assert.equal(answer.errors[0].message, 'Access token invalid');
  }
  simulator.faults.token = 'invalid';
  assert.deepEqual(errorOf(await clientOf(simulator, token).get(LEADS)), [false, '601']);
  simulator.faults.token = 'expired';
  const next = (await askToken(simulator)).body.access_token;
  assert.notEqual(next, token);
  assert.equal((await clientOf(simulator, next).get('/rest/v1/leads/describe.json')).success, true);
});

test('leads are created and updated by their e-mail in any case, with results in order', async (t) => {
  const { simulator, sync } = await worldFor(t);
  const results = await sync([
    { email: 'Ada@example.com', firstName: 'Ada', company: 'Old' },
    { email: 'grace@example.com', numberOfEmployees: '12', unsubscribed: 'no' },
    { email: 'ada@EXAMPLE.com', company: 'New', firstName: null },
  ]);
  assert.deepEqual(short(results), ['created 1', 'created 2', 'updated 1']);
  assert.deepEqual(simulator.leads.get('ada@example.com')?.fields, { Email: 'ada@EXAMPLE.com', Company: 'New' });
  assert.deepEqual(simulator.leadsById.get(2)?.fields, { Email: 'grace@example.com', NumberOfEmployees: 12, Unsubscribed: false });
  assert.deepEqual(short(await sync([{ email: 'ada@example.com' }], { action: 'createOnly' })), ['1005']);
  assert.deepEqual(short(await sync([{ email: 'new@example.com' }, { email: 'ada@example.com' }], { action: 'updateOnly' })), ['1004', 'updated 1']);
  assert.deepEqual([...simulator.leads.keys()], ['ada@example.com', 'grace@example.com']);
});

test('a record that is wrong is skipped with its reason, and the others are not', async (t) => {
  const { simulator, sync } = await worldFor(t, { fields: [{ name: 'rank', readOnly: true }, { name: 'company', readOnly: true }] });
  simulator.faults.records['refused@example.com'] = 1021;
  const email = 'a@example.com';
  /** @type {[record: any, code: string][]} */
  const refused = [
    [{ email, zip: '1' }, '1006'],
    [{ email, rank: '1' }, '1003'],
    [{ email, company: 'Any' }, '1003'],
    [{ email, id: 5 }, '1003'],
    [{ firstName: 'Nobody' }, '1003'],
    [{ email: '' }, '1003'],
    [{ email: 'nobody' }, '1001'],
    [{ email: 'ä@example.com' }, '1001'],
    [{ email, numberOfEmployees: 'many' }, '1001'],
    [{ email, dateOfBirth: '10.12.1815' }, '1001'],
    [{ email, firstName: { first: 'Ada' } }, '1001'],
    [{ email, firstName: 'x'.repeat(256) }, '1003'],
    [{ email, address: 'ä'.repeat(15_001) }, '1003'],
    [{ email: 'Refused@example.com' }, '1021'],
    [null, '1003'],
    ['text', '1003'],
  ];
  const results = await sync([...refused.map(([record]) => record), { email, firstName: '🙂'.repeat(255) }]);
  assert.deepEqual(short(results), [...refused.map(([, code]) => code), 'created 1']);
  assert.equal(results[0].reasons[0].message, "Field 'zip' not found");
  assert.equal(simulator.leadsById.size, 1);
});

test('leads are looked up by id and by fields of their own, and several that match are 1007', async (t) => {
  const { simulator, sync, get } = await worldFor(t, { fields: [{ name: 'userId' }, { name: 'plan', searchable: false }] });
  assert.deepEqual(short(await sync([{ userId: 'u1', email: 'a@x.example' }, { userId: 'U1' }], { lookupField: 'userId' })), ['created 1', 'updated 1']);
  assert.deepEqual(short(await sync([{ id: 1, email: 'b@x.example' }, { id: 9 }], { lookupField: 'id' })), ['updated 1', '1004']);
  assert.deepEqual(short(await sync([{ id: 1 }], { lookupField: 'id', action: 'createOnly' })), ['1003']);
  assert.deepEqual([...simulator.leads.keys()], ['b@x.example']);
  // As in Marketo, an address is no key for who writes by another one.
  assert.deepEqual(short(await sync([{ userId: 'u2', email: 'B@x.example' }], { lookupField: 'userId' })), ['created 2']);
  assert.deepEqual(short(await sync([{ email: 'b@x.example' }])), ['1007']);
  assert.equal(simulator.leads.get('b@x.example')?.id, 1);
  assert.deepEqual((await get(`${LEADS}?filterType=userId&filterValues=U2,u1,u3&fields=userId`)).result, [
    { id: 2, userId: 'u2' },
    { id: 1, userId: 'U1' },
  ]);
  assert.deepEqual(errorOf(await get(`${LEADS}?filterType=plan&filterValues=x`)), [false, '1011']);
});

test('a call that is wrong is refused as a whole', async (t) => {
  const { simulator, call, get, post } = await worldFor(t);
  const record = { email: 'a@x.example' };
  /** @param {BodyInit} body @param {string} type */
  const raw = async (body, type) => (await call(LEADS, { method: 'POST', body, headers: { 'content-type': type } })).json();
  /** @type {[answer: any, code: string][]} */
  const refusals = [
    [await raw('{"input": [', 'application/json'), '609'],
    [await raw('[]', 'application/json'), '609'],
    [await raw(JSON.stringify({ input: [record] }), 'text/plain'), '612'],
    [await post(LEADS, {}), '1002'],
    [await post(LEADS, { input: Array(301).fill(record) }), '1003'],
    [await post(LEADS, { input: [record], action: 'upsert' }), '1001'],
    [await post(LEADS, { input: [record], lookupField: 'firstName' }), '1011'],
    [await post(LEADS, { input: [record], lookupField: 'nothing' }), '1006'],
    [await (await call(LEADS, { method: 'PUT' })).json(), '605'],
    [await get('/rest/v1/nothing.json'), '610'],
    [await get(LEADS), '1002'],
    [await get(`${LEADS}?filterType=email`), '1002'],
    [await get(`${LEADS}?filterType=email&filterValues=${Array(301).fill('a').join()}`), '1003'],
    [await get(`${LEADS}?filterType=email&filterValues=a@x.example&fields=nothing`), '1006'],
    [await get(`${LEADS}?filterType=cookies&filterValues=${TOKEN}`), '1012'],
  ];
  for (const [answer, code] of refusals) assert.deepEqual(errorOf(answer), [false, code]);
  assert.deepEqual([simulator.leadsById.size, simulator.rest.calls.at(-1)?.code], [0, '1012']);

  const big = await call(LEADS, { method: 'POST', body: 'x'.repeat((1 << 20) + 1) });
  assert.equal(big.status, 413);
  const most = await call(LEADS, { method: 'POST', body: 'x'.repeat(1 << 20), headers: { 'content-type': 'application/json' } });
  assert.deepEqual([most.status, ...errorOf(await most.json())], [200, false, '609']);
  const path = `${LEADS}?filterType=email&filterValues=`;
  assert.equal((await call(path + 'x'.repeat(8193 - path.length))).status, 414);
  assert.equal((await call(path + 'x'.repeat(8192 - path.length))).status, 200);
});

test('describe pairs the names of REST and SOAP, and tells types and lengths', async (t) => {
  const { get } = await worldFor(t, { fields: [{ name: 'favoriteColor__c', dataType: 'text', length: 9, readOnly: true }] });
  const { result } = await get('/rest/v1/leads/describe.json');
  /** @type {Record<string, any>} */
  const fields = Object.fromEntries(result.map((/** @type {any} */ field) => [field.rest.name, field]));
  const { id, ...email } = fields.email;
  assert.equal(typeof id, 'number');
  assert.deepEqual(email, {
    displayName: 'Email',
    dataType: 'email',
    length: 255,
    rest: { name: 'email', readOnly: false },
    soap: { name: 'Email', readOnly: false },
  });
  const pairs = { firstName: 'FirstName', postalCode: 'PostalCode', numberOfEmployees: 'NumberOfEmployees', dateOfBirth: 'DateofBirth' };
  for (const [rest, soap] of Object.entries(pairs)) assert.equal(fields[rest].soap.name, soap);
  assert.deepEqual([fields.numberOfEmployees.dataType, 'length' in fields.numberOfEmployees], ['integer', false]);
  const { dataType, soap } = fields.favoriteColor__c;
  assert.deepEqual({ dataType, soap }, { dataType: 'text', soap: { name: 'FavoriteColor__c', readOnly: true } });
  assert.ok(!('length' in fields.favoriteColor__c), 'of text areas Marketo tells none');
  await assert.rejects(startSimulator({ fields: [{ name: 'a b' }] }), /"a b" cannot be the name of a field/);
  await assert.rejects(startSimulator({ fields: [{ name: 'a', dataType: 'colour' }] }), /type of a must be one of string, .*, not "colour"/);
});

test('a cookie is tied to one lead at a time, and takes the visits of before along', async (t) => {
  const { simulator, sync, post, get } = await worldFor(t);
  /** @param {string} path @param {string} [token] */
  const visit = (path, token = TOKEN) => {
    const headers = { 'user-agent': 'Visitor/1.0' };
    return fetch(`${simulator.url}/webevents/visitWebPage?_mchTk=${token}&_mchRu=${path}`, { method: 'POST', headers });
  };
  const associate = (/** @type {number} */ id) => post(`/rest/v1/leads/${id}/associate.json?cookie=${encodeURIComponent(COOKIE)}`);
  /** @param {number} id */
  const paths = (id) => simulator.leadsById.get(id)?.visits.map(({ path }) => path);
  await visit('/before');
  await visit('/else', 'another');
  await sync([{ email: 'ada@example.com' }, { email: 'grace@example.com' }]);
  assert.deepEqual(paths(1), []);
  assert.deepEqual((await associate(1)).result, []);
  await visit('/after');
  assert.equal((await associate(1)).success, true);
  assert.deepEqual([simulator.leadsById.get(1)?.tokens, paths(1)], [[TOKEN], ['/before', '/after']]);
  assert.equal(simulator.leadsById.get(1)?.visits[0].userAgent, 'Visitor/1.0');

  const found = `${LEADS}?filterType=cookies&filterValues=${COOKIE.replace('&', '%26')},id:1%26token:x&fields=cookies,email`;
  assert.deepEqual((await get(found)).result, [{ id: 1, cookies: TOKEN, email: 'ada@example.com' }]);
  await associate(2);
  await visit('/hers');
  assert.deepEqual([paths(1), paths(2)], [['/before', '/after'], ['/hers']]);
  assert.deepEqual((await get(found)).result.map((/** @type {any} */ { id }) => id), [2]);

  assert.deepEqual(errorOf(await associate(3)), [false, '1004']);
  assert.deepEqual(errorOf(await post(`/rest/v1/leads/1/associate.json?cookie=${TOKEN}`)), [false, '1012']);
  assert.deepEqual(errorOf(await post('/rest/v1/leads/1/associate.json')), [false, '1002']);
  const [lead] = await (await fetch(`${simulator.url}/_sim/leads?email=GRACE@example.com`)).json();
  assert.deepEqual([lead.id, lead.visits], [2, [{ number: 4, type: 'visitWebPage', path: '/hers', params: '', link: '' }]]);
});

test('a long query goes in the body of a POST', async (t) => {
  const { simulator, call, sync } = await worldFor(t);
  const emails = Array.from({ length: 300 }, (_, index) => `somebody.with.a.long.name.${index}@example.com`);
  await sync(emails.map((email) => ({ email })));
  for (const [path, more] of /** @type {const} */ ([[LEADS, { _method: 'GET' }], [`${LEADS}?_method=GET`, {}]])) {
    const body = new URLSearchParams({ ...more, filterType: 'email', filterValues: emails.join(), fields: 'id' });
    const { result } = await (await call(path, { method: 'POST', body })).json();
    assert.deepEqual([result.length, result[299]], [300, { id: 300 }]);
  }
  assert.deepEqual(simulator.rest.calls.map(({ method, records }) => [method, records]), [['POST', 300], ['GET', 300], ['GET', 300]]);
});

test('custom activities are the lead\'s', async (t) => {
  const { simulator, sync, post } = await worldFor(t);
  await sync([{ email: 'ada@example.com' }]);
  const activity = { leadId: 1, activityDate: '2026-11-24T06:00:00Z', activityTypeId: 100_001, primaryAttributeValue: 'Game' };
  const attributes = [{ apiName: 'score', value: 5 }];
  const { result } = await post(ACTIVITIES, {
    input: [
      { ...activity, attributes },
      { ...activity, leadId: 2 },
      { ...activity, activityDate: 'today' },
      { ...activity, activityTypeId: 'game' },
      { ...activity, primaryAttributeValue: undefined },
      { ...activity, attributes: [{ name: 'score' }] },
      activity,
    ],
  });
  assert.deepEqual(short(result), ['added 1', '1004', '1001', '1001', '1002', '1001', 'added 2']);
  assert.deepEqual(simulator.leadsById.get(1)?.activities, [{ id: 1, ...activity, attributes }, { id: 2, ...activity, attributes: [] }]);
});

test('the command takes an API user, fields and a quota', async (t) => {
  const flags = ['--port', '0', '--rest-client', 'client:a pretended secret', '--field', 'plan:text', '--field', 'rank:integer:readonly', '--daily-quota', '2'];
  const simulator = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => simulator.kill('SIGKILL'));
  const [line] = await once(createInterface(simulator.stdout), 'line');
  const url = /http:\/\/127\.0\.0\.1:\d+$/.exec(line)?.[0] ?? '';
  const { sync, get } = clientOf({ url }, (await askToken({ url })).body.access_token);
  assert.deepEqual(short(await sync([{ email: 'a@x.example', plan: 'pro' }, { email: 'a@x.example', rank: 1 }])), ['created 1', '1003']);
  const { result } = await get('/rest/v1/leads/describe.json');
  assert.equal(result.find((/** @type {any} */ { rest }) => rest.name === 'rank').dataType, 'integer');
  assert.deepEqual(errorOf(await get(LEADS)), [false, '607']);
  const clock = await (await fetch(`${url}/_sim/clock`, { method: 'POST', body: '{"set": "2031-01-01T00:00:00Z"}' })).json();
  assert.ok(Math.abs(clock.now - Date.UTC(2031, 0)) < 60_000);
  const { expires_in: left } = (await askToken({ url })).body;
  assert.equal(left, 3600);
});
