/** POST /v1/lead: a page's identify, whichever way the server has to Marketo. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { request } from './http_client.mjs';
import { cookieOf, eventually, intakeFor, REST } from './intake.mjs';
import { KEY, ORIGIN, serverFor } from './server_process.mjs';

const intake = await intakeFor({ after }, { keys: [] });
const { simulator } = intake;

/**
 * As a page sends it.
 * @param {{url: string}} server
 * @param {unknown} body
 * @param {{origin?: string, method?: string, localAddress?: string}} [options]
 */
const send = (server, body, { origin = ORIGIN, method = 'POST', localAddress } = {}) =>
  request(`${server.url}/v1/lead`, {
    method,
    headers: { 'Content-Type': 'text/plain;charset=UTF-8', ...(origin && { Origin: origin }) },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    localAddress,
  });

/** @param {string} email */
const hashOf = (email) => createHash('sha1').update(KEY + email).digest('hex');

test('with REST credentials the lead is queued, and its cookie tied to it', async () => {
  const cookie = cookieOf(1);
  const traits = { email: 'Ada@example.com', name: 'Ada Lovelace', company: 'Analytical Engines' };
  const { status, json, headers } = await send(intake.server, {
    userId: '1234',
    traits,
    cookie: encodeURIComponent(cookie),
    url: 'https://www.example.com/',
  });
  assert.deepEqual([status, json], [202, { queued: true }]);
  assert.equal(headers['access-control-allow-origin'], ORIGIN);
  assert.equal(headers['cache-control'], 'no-store');
  assert.match(String(headers.vary), /Origin/);
  const lead = await eventually(() => simulator.leads.get('ada@example.com'), 'the lead');
  assert.deepEqual(
    [lead.fields.Email, lead.fields.FirstName, lead.fields.LastName, lead.fields.Company],
    ['Ada@example.com', 'Ada', 'Lovelace', 'Analytical Engines'],
  );
  await eventually(() => lead.tokens.includes('_mch-example.com-1-90718'), 'the cookie');
});

test("a cookie that was another visitor's does not make this one the other", async () => {
  const cookie = cookieOf(2);
  for (const email of ['first@example.com', 'second@example.com']) {
    assert.equal((await send(intake.server, { traits: { email }, cookie })).status, 202);
    await eventually(() => simulator.leads.get(email)?.tokens.length, email);
  }
  assert.equal(simulator.leads.get('first@example.com')?.fields.Email, 'first@example.com');
});

test("nor does the cookie of somebody whose address only Marketo knows, answered or while it is asked", async (t) => {
  const simulated = { fields: [{ name: 'userId', soapName: 'UserId' }] };
  const former = await intakeFor(t, { simulator: simulated });
  const marketo = former.simulator;
  await former.post('/v1/identify', { userId: 'v-1', traits: { email: 'victim@example.com', phone: '1' } });
  await former.post('/v1/identify', { traits: { email: 'known@example.com' }, context: { Marketo: { marketoCookie: cookieOf(8) } } });
  await eventually(() => marketo.leads.get('victim@example.com') && marketo.leads.get('known@example.com')?.tokens.length, 'both');

  // A server that has a new database.
  const { post, server } = await intakeFor(t, { args: ['--rest-url', marketo.url] });
  await post('/v1/identify', { userId: 'v-1', traits: { phone: '2' }, context: { Marketo: { marketoCookie: cookieOf(7) } } });
  await eventually(() => marketo.leads.get('victim@example.com')?.tokens.length, 'the cookie of v-1');
  assert.equal((await send(server, { traits: { email: 'mallory@example.com', phone: '3' }, cookie: cookieOf(7) })).status, 202);
  await eventually(() => marketo.leads.get('mallory@example.com'), 'a lead of their own');

  marketo.faults.calls.push({ path: '/rest/v1/leads.json', status: 503, times: 2 });
  await post('/v1/identify', { traits: { phone: '4' }, context: { Marketo: { marketoCookie: cookieOf(8) } } });
  await eventually(() => marketo.faults.calls.length === 0 || marketo.faults.calls[0].times === 1, 'the question whose it is');
  assert.equal((await send(server, { traits: { email: 'eve@example.com', phone: '5' }, cookie: cookieOf(8) })).status, 202);
  await eventually(() => marketo.leads.get('eve@example.com'), 'a lead of their own');

  assert.deepEqual(
    new Set([...marketo.leadsById.values()].map(({ fields }) => fields.Email)),
    new Set(['victim', 'known', 'mallory', 'eve'].map((who) => `${who}@example.com`)),
  );
  assert.equal(marketo.leadsById.size, 4);
  assert.deepEqual(
    ['victim', 'mallory', 'eve'].map((who) => marketo.leads.get(`${who}@example.com`)?.fields.Phone),
    ['2', '3', '5'],
  );
});

test('a cookie that cannot be used does not keep the lead back', async () => {
  for (const [i, cookie] of ['', 'x', 'id:000-AAA-000&token:_mch-a.co-1-2', 7, null].entries()) {
    const email = `without-${i}@example.com`;
    assert.equal((await send(intake.server, { traits: { email }, cookie })).status, 202);
    await eventually(() => simulator.leads.get(email), email);
  }
});

test('true is no user id', async (t) => {
  const { post, server, simulator: marketo } = await intakeFor(t, { simulator: { fields: [{ name: 'userId', soapName: 'UserId' }] } });
  assert.equal((await send(server, { userId: true, traits: { email: 'ann@example.com' } })).status, 202);
  await eventually(() => marketo.leads.get('ann@example.com'), 'the lead');
  await post('/v1/identify', { userId: 'true', traits: { lastName: 'Bobson' } });
  await eventually(() => [...marketo.leadsById.values()].some(({ fields }) => fields.UserId === 'true'), 'a lead of its own');
  assert.equal(marketo.leads.get('ann@example.com')?.fields.LastName, undefined);
});

test('the e-mail may be the user id; ids may be numbers', async () => {
  assert.equal((await send(intake.server, { userId: 'id@example.com' })).status, 202);
  await eventually(() => simulator.leads.get('id@example.com'), 'the lead');
  assert.equal((await send(intake.server, { userId: 7, traits: { email: 'seven@example.com' } })).status, 202);
});

/** What the tests of a lead's age say of it. */
const OF_PLAN = { simulator: { fields: [{ name: 'plan', soapName: 'Plan' }, { name: 'seats', soapName: 'Seats' }] } };
const DAY = 86_400_000;

test('what a browser kept for a while fills in, and does not take the place of what was said since', async (t) => {
  const { server, simulator: marketo, advance } = await intakeFor(t, { args: ['--linger', '5'], ...OF_PLAN });
  const told = async (/** @type {object} */ traits, age = 0) =>
    assert.equal((await send(server, { traits: { email: 'ada@example.com', ...traits }, age })).status, 202);
  const fields = () => marketo.leads.get('ada@example.com')?.fields ?? {};
  const calls = () => marketo.rest.callsByPath['POST /rest/v1/leads.json'];
  const linger = (/** @type {() => boolean} */ condition) => eventually(() => (advance(1000), condition()), String(condition));

  // While the newer value waits: they go in one call.
  await told({ plan: 'new' });
  await told({ plan: 'old', seats: '1' }, 60_000);
  await linger(() => fields().Seats === '1');
  assert.deepEqual([fields(), calls()], [{ Email: 'ada@example.com', Plan: 'new', Seats: '1' }, 1]);

  // And once Marketo has it.
  await told({ plan: 'old', lastName: 'Lovelace' }, 3_600_000);
  await linger(() => fields().LastName === 'Lovelace');
  assert.deepEqual([fields().Plan, calls()], ['new', 2]);
  await told({ plan: 'newest' });
  await linger(() => fields().Plan === 'newest');
});

test('an age that is none counts as none, and one of more than a day as a day', async (t) => {
  const { server, simulator: marketo } = await intakeFor(t, OF_PLAN);
  let number = 0;
  /** The plan of a lead that is told with one age, and then another one with another. @param {unknown[]} ages as JSON */
  const planOf = async (...ages) => {
    const email = `aged-${number++}@example.com`;
    for (const [i, age] of ages.entries()) {
      const body = `{"traits":{"email":"${email}","plan":"${i}","${i ? 'seats' : 'lastName'}":"${i}"},"age":${age}}`;
      assert.deepEqual((await send(server, body)).json, { queued: true }, body);
    }
    const fields = () => marketo.leads.get(email)?.fields;
    await eventually(() => fields()?.Seats === '1' && fields()?.LastName === '0', `all of ${ages}`);
    return fields()?.Plan;
  };
  assert.equal(await planOf(0, 60_000), '0');
  assert.equal(await planOf(0, 60_000.5), '0');
  for (const none of ['-60000', '-1e300', '"60000"', '""', 'null', 'true', '{"age":60000}', '[60000]', '0.5']) {
    assert.equal(await planOf(0, none), '1', none);
  }
  for (const long of [DAY + 60_000, 10 * DAY, '1e300']) {
    assert.equal(await planOf(DAY - 60_000, long), '0', `${long}: it is older than nearly a day`);
    assert.equal(await planOf(DAY, long), '1', `${long}: it is not older than a day`);
  }
});

test('what is no lead is told so', async () => {
  for (const [body, code] of /** @type {[unknown, string][]} */ ([
    ['{', 'json_invalid'],
    ['', 'json_invalid'],
    ['[]', 'json_invalid'],
    [{}, 'email_missing'],
    [{ userId: '1', traits: { plan: 'pro' }, cookie: cookieOf(1) }, 'email_missing'],
    [{ traits: { email: 'nobody' } }, 'email_invalid'],
  ])) {
    const { status, json, headers } = await send(intake.server, body);
    assert.deepEqual([status, json.error], [400, code]);
    assert.equal(headers['access-control-allow-origin'], ORIGIN, 'the page may read why');
  }
});

test('a body may have 64 KB', async () => {
  const body = (/** @type {number} */ size) => {
    const start = '{"traits":{"email":"large@example.com"},"_":"';
    return `${start}${'x'.repeat(size - start.length - 2)}"}`;
  };
  assert.equal((await send(intake.server, body(65_536))).status, 202);
  const { status, json } = await send(intake.server, body(65_537));
  assert.deepEqual([status, json.error], [413, 'body_too_large']);
});

test('only pages of allowed origins, at the pace that is allowed', async (t) => {
  const lead = { traits: { email: 'a@b.co' } };
  const stranger = await send(intake.server, lead, { origin: 'https://evil.example' });
  assert.deepEqual([stranger.status, stranger.json.error], [403, 'origin_not_allowed']);
  assert.equal(stranger.headers['access-control-allow-origin'], undefined);
  assert.deepEqual((await send(intake.server, lead, { origin: '' })).json.error, 'origin_missing');
  const preflight = await send(intake.server, '', { method: 'OPTIONS' });
  assert.deepEqual([preflight.status, preflight.headers['access-control-allow-methods']], [204, 'POST']);
  assert.equal((await send(intake.server, '', { method: 'PUT' })).status, 405);

  const { server } = await intakeFor(t, { args: ['--rate-limit', '2'] });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await send(server, lead)).status);
  assert.deepEqual(statuses, [202, 202, 429]);
  assert.equal((await send(server, lead, { localAddress: '127.0.0.2' })).status, 202);
});

test('with but the private key it answers with the hash', async (t) => {
  const server = await serverFor(t);
  const { status, json, headers } = await send(server, { userId: '1', traits: { email: ' Ada@example.com ' }, cookie: 'x', age: 60_000 });
  assert.deepEqual([status, json], [200, { hash: hashOf('Ada@example.com') }]);
  assert.equal(headers['access-control-allow-origin'], ORIGIN);
  assert.equal((await send(server, { traits: {} })).json.error, 'email_missing');
  const { body } = await request(`${server.url}/metrics`);
  assert.match(String(body), /^munchkin_server_hashes_total 1$/m);
});

test('with both it queues, and goes on signing for who asks for a hash', async (t) => {
  const { server } = await intakeFor(t, { env: { ...REST, MARKETO_API_PRIVATE_KEY: KEY } });
  assert.equal((await send(server, { traits: { email: 'a@b.co' } })).status, 202);
  const ask = (/** @type {{url: string}} */ asked) =>
    request(`${asked.url}/v1/hash`, { method: 'POST', headers: { Origin: ORIGIN }, body: '{"email":"a@b.co"}' });
  assert.deepEqual((await ask(server)).json, { hash: hashOf('a@b.co') });
  const without = await ask(intake.server);
  assert.deepEqual([without.status, without.json.error], [404, 'hash_unavailable']);
});
