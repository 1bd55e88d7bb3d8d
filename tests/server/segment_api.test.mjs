/** Segment's HTTP API as libraries and curl speak it: who may send what, and what is answered. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { request, sendRaw } from './http_client.mjs';
import { basic, cookieOf, eventually, intakeFor, MUNCHKIN_ID, WRITE_KEY } from './intake.mjs';
import { ORIGIN, serverFor } from './server_process.mjs';

const OTHER_KEY = 'other-key';
const intake = await intakeFor({ after }, { keys: [WRITE_KEY, OTHER_KEY] });
const { simulator, post } = intake;

let people = 0;
/** An e-mail address that nobody had before. */
const someone = () => `person-${++people}@example.com`;

/** The lead of this address, once Marketo has it. @param {string} email */
const leadOf = (email) => eventually(() => simulator.leads.get(email), email);

/** @param {import('./http_client.mjs').Answer} answer */
function assertTaken({ status, json, headers }) {
  assert.deepEqual([status, json], [200, { success: true }]);
  assert.equal(headers['cache-control'], 'no-store');
}

for (const path of ['/v1/identify', '/v1/i']) {
  test(`${path} makes a lead`, async () => {
    const email = someone();
    assertTaken(await post(path, { userId: '1', traits: { email, name: 'Ada Lovelace' } }));
    const { fields } = await leadOf(email);
    assert.deepEqual([fields.FirstName, fields.LastName], ['Ada', 'Lovelace']);
  });
}

for (const path of ['/v1/page', '/v1/p']) {
  test(`${path} makes a visit under the visitor's token, with their browser`, async () => {
    const token = `${1374552656411 + ++people}`;
    assertTaken(
      await post(path, {
        name: 'Pricing',
        context: {
          Marketo: { marketoCookie: encodeURIComponent(cookieOf(token)) },
          page: { url: 'https://www.example.com/pricing?a=1&b=%26', referrer: 'https://google.com/' },
          userAgent: 'Mozilla/5.0 (X11)',
        },
      }),
    );
    const visit = await simulator.waitFor((event) => event.token === `_mch-example.com-${token}-90718`);
    assert.deepEqual(
      [visit.type, visit.munchkinId, visit.host, visit.path, visit.params, visit.referrer, visit.userAgent],
      ['visitWebPage', MUNCHKIN_ID, 'www.example.com', '/pricing', 'a=1&b=&', 'https://google.com/', 'Mozilla/5.0 (X11)'],
    );
  });
}

test("a referrer and an event's name of any length arrive, cut between characters", async () => {
  const long = 'https://google.com/?q=';
  for (const [referrer, arrives] of [
    [`${long}${'é'.repeat(12_000)}`, `${long}${'é'.repeat(1978)}`],
    [`${long}${'%C3%A9'.repeat(4000)}`, `${long}${'é'.repeat(329)}`],
    [`${long}${'q'.repeat(1978)}`, `${long}${'q'.repeat(1978)}`],
  ]) {
    const token = `${1374552656411 + ++people}`;
    const context = { Marketo: { marketoCookie: cookieOf(token) }, page: { url: 'https://www.example.com/', referrer } };
    assertTaken(await post('/v1/page', { context }));
    const visit = await simulator.waitFor((event) => event.token === `_mch-example.com-${token}-90718`);
    assert.equal(visit.referrer, arrives);
  }
  const token = `${1374552656411 + ++people}`;
  const context = { Marketo: { marketoCookie: cookieOf(token) } };
  assertTaken(await post('/v1/track', { event: 'é'.repeat(12_000), properties: { url: 'https://www.example.com/' }, context }));
  const visit = await simulator.waitFor((event) => event.token === `_mch-example.com-${token}-90718`);
  assert.equal(visit.name, 'é'.repeat(255));
});

for (const path of ['/v1/track', '/v1/t']) {
  test(`${path} makes a visit of the event`, async () => {
    const token = `${1374552656411 + ++people}`;
    const context = { 'Marketo V2': { marketoCookie: cookieOf(token) } };
    assertTaken(await post(path, { event: 'Signed up', properties: { plan: 'pro' }, context }));
    const visit = await simulator.waitFor((event) => event.token === `_mch-example.com-${token}-90718`);
    assert.deepEqual([visit.host, visit.path, visit.params], ['example.com', '/event/Signed-up', 'plan=pro']);
  });
}

for (const path of ['/v1/batch', '/v1/import', '/v1/b']) {
  test(`${path} takes many messages at once`, async () => {
    const emails = Array.from({ length: 100 }, someone);
    const batch = emails.map((email) => ({ type: 'identify', traits: { email } }));
    assertTaken(await post(path, { batch, sentAt: new Date().toISOString() }));
    for (const email of emails) await leadOf(email);
  });
}

test('a path may end in a slash, as that of analytics-java does', async () => {
  for (const path of ['/v1/import/', '/v1/batch/', '/v1/b/']) {
    const email = someone();
    const batch = [{ type: 'identify', messageId: `java-${email}`, traits: { email } }];
    assertTaken(await post(path, { batch, sentAt: new Date().toISOString(), sequence: 1, writeKey: WRITE_KEY }, { key: null }));
    await leadOf(email);
  }
  const email = someone();
  assertTaken(await post('/v1/identify/?a=b', { traits: { email } }));
  await leadOf(email);
  assert.equal((await post('/v1/import//', { batch: [] })).status, 404);
});

test('what a batch says around its messages counts in each of them, however long it is', async () => {
  const emails = Array.from({ length: 40 }, someone);
  const batch = emails.map((email) => ({ type: 'identify', traits: { email } }));
  assertTaken(await post('/v1/batch', { batch, context: { traits: { city: 'Köln', about: 'x'.repeat(8000) } } }));
  for (const email of emails) assert.equal((await leadOf(email)).fields.City, 'Köln');
});

test('screen, group and alias are taken, and nothing is made of them', async () => {
  const before = intake.ask('status');
  for (const path of ['screen', 's', 'group', 'g', 'alias', 'a']) {
    assertTaken(await post(`/v1/${path}`, { userId: someone(), messageId: `nothing-${path}` }));
  }
  const { dead, leadsWaiting } = intake.ask('status');
  assert.deepEqual([dead, leadsWaiting], [before.dead, before.leadsWaiting]);
});

test('the write key is the user name of HTTP Basic, or in the body', async () => {
  const message = { traits: { email: someone() } };
  assertTaken(await post('/v1/identify', message, { key: OTHER_KEY }));
  assertTaken(await post('/v1/identify', { ...message, writeKey: OTHER_KEY }, { key: null }));
  assertTaken(await post('/v1/batch', { batch: [{ type: 'identify', ...message }], writeKey: WRITE_KEY }, { key: null }));
  assertTaken(
    await post('/v1/identify', message, {
      key: null,
      headers: { Authorization: `basic ${Buffer.from(`${WRITE_KEY}:a password`).toString('base64')}` },
    }),
  );
});

test('a header that is empty, or of another scheme, does not keep the key in the body from counting', async () => {
  const message = { type: 'identify', traits: { email: someone() } };
  for (const authorization of ['', 'Bearer of.a.proxy', 'Bearer', 'Digest username="x"', WRITE_KEY]) {
    const asked = { key: null, headers: { Authorization: authorization } };
    assertTaken(await post('/v1/identify', { ...message, writeKey: WRITE_KEY }, asked));
    assertTaken(await post('/v1/batch', { batch: [message], writeKey: WRITE_KEY }, asked));
    // As large as without a header.
    assertTaken(await post('/v1/batch', { batch: [message], writeKey: WRITE_KEY, filler: 'x'.repeat(400_000) }, asked));
  }
  assertTaken(await post('/v1/identify', message, { headers: { 'Content-Encoding': '' } }));
});

test('without one of the keys nothing is taken', async () => {
  const email = someone();
  const message = { traits: { email } };
  const wrong = [
    [{}, {}],
    [{ writeKey: 'wrong' }, {}],
    [{ writeKey: `${WRITE_KEY} ` }, {}],
    [{ writeKey: WRITE_KEY.slice(1) }, {}],
    [{ writeKey: '' }, {}],
    [{ writeKey: 7 }, {}],
    [{ context: { writeKey: WRITE_KEY } }, {}],
    // Who names a key in the header means it.
    [{ writeKey: WRITE_KEY }, { Authorization: basic('wrong') }],
    [{ writeKey: WRITE_KEY }, { Authorization: 'Basic' }],
    [{ writeKey: WRITE_KEY }, { Authorization: 'BASIC %%%' }],
    // One of another scheme names none.
    [{}, { Authorization: `Bearer ${WRITE_KEY}` }],
    [{}, { Authorization: basic(WRITE_KEY).replace('Basic', 'Basics') }],
    [{ writeKey: 'wrong' }, { Authorization: 'Bearer token' }],
    [{ writeKey: 'wrong' }, { Authorization: '' }],
    [{}, { Authorization: basic('') }],
    [{}, { Authorization: 'Basic' }],
    [{}, { Authorization: 'Basic ' }],
    [{}, { Authorization: 'Basic %%%' }],
    [{}, { Authorization: basic(WRITE_KEY.toUpperCase()) }],
    [{}, { Authorization: basic('k'.repeat(1000)) }],
    [{}, { Authorization: basic(`${WRITE_KEY}\0`) }],
  ];
  for (const [more, headers] of wrong) {
    const single = await post('/v1/identify', { ...message, ...more }, { key: null, headers: /** @type {any} */ (headers) });
    const batch = await post(
      '/v1/batch',
      { batch: [{ type: 'identify', ...message, writeKey: WRITE_KEY }], ...more },
      { key: null, headers: /** @type {any} */ (headers) },
    );
    for (const { status, json, headers: answered } of [single, batch]) {
      assert.deepEqual([status, json.error], [401, 'write_key_invalid'], JSON.stringify([more, headers]));
      assert.match(String(answered['www-authenticate']), /^Basic /);
    }
  }
  const last = someone();
  await post('/v1/identify', { traits: { email: last } });
  await leadOf(last);
  assert.equal(simulator.leads.get(email), undefined);
});

test('what is not JSON is refused', async () => {
  for (const [path, body, code] of [
    ['identify', '', 'json_invalid'],
    ['identify', '{', 'json_invalid'],
    ['identify', '[]', 'json_invalid'],
    ['identify', '"text"', 'json_invalid'],
    ['identify', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'json_invalid'],
    ['identify', '{"a":1} {}', 'json_invalid'],
    ['identify', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, 'json_invalid'],
    ['batch', '', 'batch_missing'],
    ['batch', '{}', 'batch_missing'],
    ['batch', '[]', 'batch_missing'],
    ['batch', '{"batch":{}}', 'batch_missing'],
    ['batch', '{"context":{"batch":[{}]}}', 'batch_missing'],
    ['batch', '{"batch":[{"type":"alias"},]}', 'json_invalid'],
    ['batch', '{"batch":[,{"type":"alias"}]}', 'json_invalid'],
    ['batch', '{"batch":[{"type":"alias"}],}', 'json_invalid'],
    ['batch', '{"batch":[{"type":"alias"}]} x', 'json_invalid'],
    ['batch', '{"a":[,"batch":[{"type":"alias"}]}', 'json_invalid'],
    ['batch', '{"batch":[{"type":"alias"', 'json_invalid'],
    ['batch', '{"sentAt":"2026', 'json_invalid'],
    ['batch', '{"batch":[{"type":"alias"}],"batch":[{"type":"alias"}]}', 'json_invalid'],
    ['batch', '{"batch":[{"type":"alias"}],"sentAt":null,"b\\u0061tch":[]}', 'json_invalid'],
  ]) {
    const { status, json } = await post(`/v1/${path}`, body);
    assert.deepEqual([status, json.error], [400, code], String(body).slice(0, 60));
    assert.match(json.message, /\.$/);
  }
});

test('an empty batch is taken', async () => {
  assertTaken(await post('/v1/batch', ' { "batch" : [ ] , "sentAt" : null } '));
});

/** A message of exactly so many bytes. @param {number} size @param {string} email */
function messageOf(size, email) {
  const message = { type: 'identify', traits: { email, filler: '' } };
  message.traits.filler = 'x'.repeat(size - JSON.stringify(message).length);
  return JSON.stringify(message);
}

test('a message may have 32 KB, a batch 500 KB', async () => {
  const [most, rest] = [someone(), someone()];
  assertTaken(await post('/v1/identify', messageOf(32_768, most)));
  await leadOf(most);
  const large = await post('/v1/identify', messageOf(32_769, someone()));
  assert.deepEqual([large.status, large.json.error], [413, 'body_too_large']);

  const list = Array.from({ length: 15 }, () => messageOf(32_768, someone()));
  const batch = (/** @type {number} */ size) => {
    const text = `{"batch":[${[...list, messageOf(20_000, rest)].join(',')}]}`;
    return text.replace(/}$/, `,"_":"${'y'.repeat(size - text.length - 7)}"}`);
  };
  assert.equal(batch(512_000).length, 512_000);
  const tooLarge = await post('/v1/batch', batch(512_001));
  assert.deepEqual([tooLarge.status, tooLarge.json.error], [413, 'body_too_large']);
  assertTaken(await post('/v1/batch', batch(512_000)));
  await leadOf(rest);

  const many = await post('/v1/batch', `{"batch":[${Array.from({ length: 5001 }, () => '{}').join(',')}]}`);
  assert.deepEqual([many.status, many.json], [413, { error: 'batch_too_long', message: 'A batch may have 5000 messages; send several.' }]);
  const asMany = await post('/v1/batch', `{"batch":[${Array.from({ length: 5000 }, () => '{"type":"group"}').join(',')}]}`);
  assertTaken(asMany);
});

test('what a batch says around its messages may have 2 MB, counted for each of them', async () => {
  const batchOf = (/** @type {number} */ count, /** @type {object} */ message, /** @type {string} */ context) =>
    post('/v1/batch', `{"context":${context},"batch":[${Array(count).fill(JSON.stringify(message)).join(',')}]}`);
  const manyTraits = JSON.stringify({ traits: Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`trait${n}`, n])) });
  const longUrl = JSON.stringify({ Marketo: { marketoCookie: cookieOf('1') }, page: { url: `https://a.co/${'a/'.repeat(50_000)}` } });
  for (const [what, answer] of /** @type {const} */ ([
    ['many traits', batchOf(4000, { type: 'identify', userId: 'u' }, manyTraits)],
    ['many traits of nobody', batchOf(4000, { type: 'identify' }, manyTraits)],
    ['a long URL', batchOf(4000, { type: 'page' }, longUrl)],
    // Less than that as it comes, but more than the queue takes once the zeros are written out.
    ['large numbers', batchOf(500, { type: 'identify', userId: 'u' }, `{"traits":{"a":[${Array(800).fill('1e20').join(',')}]}}`)],
  ])) {
    const { status, json } = await answer;
    assert.deepEqual([status, json.error], [413, 'batch_shared_too_large'], what);
    assert.match(json.message, /around the messages/);
  }
  const email = someone();
  assertTaken(await batchOf(2000, { type: 'identify', traits: { email } }, `{"traits":{"city":"Paris","about":"${'x'.repeat(900)}"}}`));
  assert.equal((await leadOf(email)).fields.City, 'Paris');
});

test('a bad message in a batch is kept as a dead letter, and those around it are taken', async () => {
  const emails = Array.from({ length: 3 }, someone);
  const [first, second, third] = emails.map((email) => JSON.stringify({ type: 'identify', traits: { email } }));
  const tooLarge = messageOf(32_769, someone());
  const bad = [
    ['{"type":"identify","anonymousId":"a","messageId":"bad-1"}', 'email_missing'],
    ['{"type":"identify","traits":{"email":"nobody"},"messageId":"bad-2"}', 'email_invalid'],
    ['{"type":"purchase"}', 'type_unknown'],
    ['{"userId":"1"}', 'type_unknown'],
    ['{"type":"track"}', 'event_missing'],
    ['"text, not a message"', 'json_invalid'],
    ['{"type" "identify"}', 'json_invalid'],
    [`{"type":"identify","x":${'['.repeat(100)}${']'.repeat(100)}}`, 'json_invalid'],
    [tooLarge, 'message_too_large'],
    [JSON.stringify({ type: 'page', context: { Marketo: { marketoCookie: 'id:000-AAA-000&token:_mch-a.co-1-2' } } }), 'cookie_foreign'],
    [JSON.stringify({ type: 'page', context: { Marketo: { marketoCookie: 'x' } } }), 'cookie_invalid'],
    [JSON.stringify({ type: 'page', context: { Marketo: { marketoCookie: cookieOf(1) } } }), 'url_invalid'],
  ];
  intake.ask('dead', 'drop', 'all');
  const texts = [first, ...bad.slice(0, 6).map(([text]) => text), second, ...bad.slice(6).map(([text]) => text), third];
  assertTaken(await post('/v1/batch', `{"batch":[${texts.join(' ,\n')}]}`));
  for (const email of emails) await leadOf(email);
  const dead = intake.ask('dead', 'list');
  assert.deepEqual(
    dead.map((/** @type {any} */ { kind, code }) => [kind, code]),
    bad.map(([, code]) => ['message', code]),
  );
  for (const [i, { payload, reason }] of dead.entries()) {
    const kept = typeof payload === 'string' ? payload : JSON.stringify(payload);
    assert.equal(kept, typeof payload === 'string' ? bad[i][0] : JSON.stringify(JSON.parse(bad[i][0])));
    assert.match(reason, /\.$/);
  }
});

test('a message that can be read but not sent is answered with 200, and kept', async () => {
  intake.ask('dead', 'drop', 'all');
  assertTaken(await post('/v1/identify', { anonymousId: 'a', traits: { plan: 'pro' } }));
  const [{ code, payload }] = intake.ask('dead', 'list');
  assert.deepEqual([code, payload], ['email_missing', { anonymousId: 'a', traits: { plan: 'pro' } }]);
});

test('a messageId is taken once', async () => {
  const [first, again, other] = [someone(), someone(), someone()];
  for (const [messageId, email] of [['once', first], ['once', again], ['twice', other]]) {
    assertTaken(await post('/v1/identify', { messageId, traits: { email } }));
  }
  assertTaken(await post('/v1/batch', { batch: [{ type: 'identify', messageId: 'once', traits: { email: again } }] }));
  await leadOf(first);
  await leadOf(other);
  assert.equal(simulator.leads.get(again), undefined);
});

test('ids that are numbers of 64 bits are told apart', async () => {
  const [ann, bob, once, other] = [someone(), someone(), someone(), someone()];
  // No double holds these, so no JSON.stringify makes them.
  for (const [id, email] of [['1234567890123456789', ann], ['1234567890123456790', bob]]) {
    assertTaken(await post('/v1/identify', `{"userId":${id},"traits":{"email":"${email}"}}`));
    await leadOf(email);
  }
  assertTaken(await post('/v1/batch', `{"batch":[{"type":"identify","userId":1234567890123456790,"traits":{"lastName":"Bobson"}}]}`));
  await eventually(() => simulator.leads.get(bob)?.fields.LastName === 'Bobson', 'what is said of the second');
  assert.equal(simulator.leads.get(ann)?.fields.LastName, undefined);
  for (const [id, email] of [['1234567890123456789', once], ['1234567890123456790', other]]) {
    assertTaken(await post('/v1/identify', `{"messageId":${id},"traits":{"email":"${email}"}}`));
    await leadOf(email);
  }
});

test('bodies in gzip are unpacked', async () => {
  const email = someone();
  const gzip = { headers: { 'Content-Encoding': 'gzip' } };
  assertTaken(await post('/v1/identify', gzipSync(JSON.stringify({ traits: { email } })), gzip));
  await leadOf(email);
  assertTaken(await post('/v1/batch', gzipSync(`{"batch":[]${' '.repeat(500_000)}}`), gzip));
  for (const [body, status, code] of /** @type {[Buffer, number, string][]} */ ([
    [gzipSync(`{"batch":[]${' '.repeat(512_000)}}`), 413, 'body_too_large'],
    [gzipSync(Buffer.alloc(100_000_000)), 413, 'body_too_large'],
    [gzipSync('{"batch":[]}').subarray(0, -1), 400, 'gzip_invalid'],
    [Buffer.concat([gzipSync('{"batch":[]}'), Buffer.from('x')]), 400, 'gzip_invalid'],
    [Buffer.from('{"batch":[]}'), 400, 'gzip_invalid'],
    [Buffer.alloc(0), 400, 'gzip_invalid'],
  ])) {
    const { status: answered, json } = await post('/v1/batch', body, gzip);
    assert.deepEqual([answered, json.error], [status, code]);
  }
  const brotli = await post('/v1/batch', '{"batch":[]}', { headers: { 'Content-Encoding': 'br' } });
  assert.deepEqual([brotli.status, brotli.json.error], [415, 'encoding_unsupported']);
});

test('requests in a pipeline are answered one by one, in order', async () => {
  const emails = [someone(), someone(), someone()];
  const one = (/** @type {string} */ body, more = '') =>
    `POST /v1/identify HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(WRITE_KEY)}\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
  const [first, second, third] = emails.map((email) => JSON.stringify({ traits: { email } }));
  const answer = await sendRaw(intake.server, one(first) + one('{') + one(second) + one(third, 'Connection: close\r\n'));
  assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400', 'HTTP/1.1 200', 'HTTP/1.1 200']);
  for (const email of emails) await leadOf(email);
});

test('other methods are told what to use; pages of an allowed origin may read the answer', async () => {
  const get = await request(`${intake.server.url}/v1/identify`);
  assert.deepEqual([get.status, get.headers.allow], [405, 'POST, OPTIONS']);
  const asked = { method: 'OPTIONS', headers: { Origin: ORIGIN, 'Access-Control-Request-Method': 'POST' } };
  const preflight = await request(`${intake.server.url}/v1/t`, asked);
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers['access-control-allow-origin'], ORIGIN);
  assert.match(String(preflight.headers['access-control-allow-headers']), /authorization/);
  const page = await post('/v1/g', {}, { headers: { Origin: ORIGIN } });
  assert.equal(page.headers['access-control-allow-origin'], ORIGIN);
  const stranger = await post('/v1/g', {}, { headers: { Origin: 'https://evil.example' } });
  assert.equal(stranger.headers['access-control-allow-origin'], undefined);
});

test('integrations may leave Marketo out', async () => {
  const [never, always] = [someone(), someone()];
  const batch = [
    { type: 'identify', traits: { email: never }, integrations: { All: false } },
    { type: 'identify', traits: { email: never }, integrations: { Marketo: false } },
    { type: 'identify', traits: { email: always }, integrations: { All: false, Marketo: true } },
  ];
  assertTaken(await post('/v1/batch', { batch }));
  await leadOf(always);
  assert.equal(simulator.leads.get(never), undefined);
});

test('metrics tell what was taken, what waits and what is dead', async () => {
  intake.ask('dead', 'drop', 'all');
  const value = async (/** @type {string} */ name) => {
    const { body } = await request(`${intake.server.url}/metrics`);
    return Number(String(body).split('\n').find((line) => line.startsWith(`${name} `))?.split(' ').pop());
  };
  const [identifies, others] = ['identify', 'other'].map((type) => `munchkin_server_events_total{type="${type}"}`);
  const before = [await value(identifies), await value(others)];
  await post('/v1/batch', { batch: [{ type: 'identify', userId: someone() }, { type: 'identify', userId: someone() }, {}] });
  assert.deepEqual([await value(identifies), await value(others)], [before[0] + 2, before[1] + 1]);
  await eventually(async () => (await value('munchkin_server_dead_letters')) === 1, 'the dead letter');
  await eventually(async () => (await value('munchkin_server_queue{kind="lead"}')) === 0, 'an empty queue');
  assert.equal(await value('munchkin_server_oldest_waiting_seconds'), 0);
  await eventually(async () => (await value('munchkin_server_marketo_calls_today')) > 0, 'calls');
});

test('nothing personal is logged', () => {
  const output = intake.server.output();
  assert.match(output, /"event":"started"/);
  for (const secret of ['@example.com', '_mch-', WRITE_KEY, 'secret-of-client']) assert.ok(!output.includes(secret), secret);
});

test('without a write key, and without a queue, it takes no events', async (t) => {
  for (const server of [(await intakeFor(t, { keys: [] })).server, await serverFor(t)]) {
    const headers = { Authorization: basic(WRITE_KEY) };
    const { status, json } = await request(`${server.url}/v1/identify`, { method: 'POST', headers, body: '{}' });
    assert.deepEqual([status, json.error], [404, 'intake_closed']);
    assert.match(json.message, /--write-key/);
  }
});
