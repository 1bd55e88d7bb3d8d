import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import { after, test } from 'node:test';
import { askForHash, request } from './http_client.mjs';
import { KEY, ORIGIN, serverFor } from './server_process.mjs';

const server = await serverFor({ after }, { args: ['--rate-limit', '0', '--rate-limit-email', '0'] });

/** As Marketo documents it. @param {string} email @param {string} key */
const hashOf = (email, key = KEY) => createHash('sha1').update(key + email, 'latin1').digest('hex');

test('the hash is the SHA-1 of key and e-mail, in lower-case hex', async () => {
  for (const email of ['friends@segment.com', 'A@B.co', "o'neil+tag@mail.example.co.uk", `${'x'.repeat(64)}@example.com`]) {
    const { status, headers, json } = await askForHash(server, { email });
    assert.equal(status, 200);
    assert.deepEqual(json, { hash: hashOf(email) });
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-content-type-options'], 'nosniff');
  }
});

test('spaces around the e-mail are not part of it; its case is', async () => {
  assert.deepEqual((await askForHash(server, { email: '  Friends@Segment.com ' })).json, {
    hash: hashOf('Friends@Segment.com'),
  });
});

test('whatever the content type says, the body is read; other members do no harm', async () => {
  for (const type of ['application/json', 'text/plain;charset=UTF-8', 'application/x-www-form-urlencoded']) {
    const { json } = await askForHash(server, '{"email":"a@b.co","traits":{"x":[1,2]}}', { headers: { 'Content-Type': type } });
    assert.deepEqual(json, { hash: hashOf('a@b.co') }, type);
  }
});

test('each of many requests on one connection gets its own answer', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const emails = Array.from({ length: 200 }, (_, i) => `visitor${i}@example.com`);
  const answers = await Promise.all(
    emails.map((email) =>
      request(`${server.url}/v1/hash`, {
        method: 'POST',
        headers: { Origin: ORIGIN },
        body: JSON.stringify({ email }),
        agent,
      })
    )
  );
  agent.destroy();
  assert.deepEqual(answers.map(({ json }) => json.hash), emails.map((email) => hashOf(email)));
});

test('a key of 1,024 bytes signs too, of any bytes', async (t) => {
  const key = 'ÿ{"\\'.repeat(256).slice(0, 819); // 1,024 bytes of UTF-8
  assert.equal(Buffer.byteLength(key), 1024);
  const other = await serverFor(t, { env: { MARKETO_API_PRIVATE_KEY: key } });
  const expected = createHash('sha1').update(`${key}a@b.co`, 'utf8').digest('hex');
  assert.deepEqual((await askForHash(other, { email: 'a@b.co' })).json, { hash: expected });
});

/** @type {[string, string | Buffer, number, string][]} */
const refused = [
  ['nothing', '', 400, 'json_invalid'],
  ['no JSON', 'email=a@b.co', 400, 'json_invalid'],
  ['half of it', '{"email":"a@b.co"', 400, 'json_invalid'],
  ['more after it', '{"email":"a@b.co"}{"email":"c@d.co"}', 400, 'json_invalid'],
  ['bytes that are no UTF-8', Buffer.from('{"email":"a\xff@b.co"}', 'latin1'), 400, 'json_invalid'],
  ['a NUL byte', '{"email":"a@b.co"}\0', 400, 'json_invalid'],
  ['a list', '["a@b.co"]', 400, 'json_invalid'],
  ['text', '"a@b.co"', 400, 'json_invalid'],
  ['no e-mail', '{}', 400, 'email_missing'],
  ['null', '{"email":null}', 400, 'email_missing'],
  ['spaces', '{"email":"  "}', 400, 'email_missing'],
  ['a number', '{"email":7}', 400, 'email_invalid'],
  ['a list of e-mails', '{"email":["a@b.co"]}', 400, 'email_invalid'],
  ['no domain', '{"email":"a@"}', 400, 'email_invalid'],
  ['two e-mails', '{"email":"a@b.co,c@d.co"}', 400, 'email_invalid'],
  ['a line break inside', '{"email":"a@b.co\\nx"}', 400, 'email_invalid'],
  ['an escaped NUL', '{"email":"a@b.co\\u0000x"}', 400, 'email_invalid'],
  ['beyond ASCII', '{"email":"ä@b.co"}', 400, 'email_invalid'],
  ['255 characters', `{"email":"${'a'.repeat(250)}@b.co"}`, 400, 'email_invalid'],
  ['10,000 brackets', '['.repeat(10000), 400, 'json_invalid'],
  ['one byte more than 16 KB', ' '.repeat(16385), 413, 'body_too_large'],
  ['1 MB', 'x'.repeat(1 << 20), 413, 'body_too_large'],
];

for (const [what, body, status, code] of refused) {
  test(`a body with ${what}: ${status} ${code}`, async () => {
    const answer = await askForHash(server, body);
    assert.equal(answer.status, status, String(answer.body));
    assert.equal(answer.json.error, code);
    assert.match(answer.json.message, /^\w.+\.$/);
    assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
    assert.ok(!String(answer.body).includes(KEY));
  });
}

test('a body of 16 KB is read', async () => {
  const body = '{"email":"a@b.co"}'.padEnd(16384);
  assert.deepEqual((await askForHash(server, body)).json, { hash: hashOf('a@b.co') });
});

test('as are 16 KB of whatever is in it', async () => {
  const traits = Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`trait${n}`, `v${n}`]));
  for (const body of [
    JSON.stringify({ userId: 'u', traits: { email: 'a@b.co', ...traits } }),
    `{${'"":0,'.repeat(3270)}"email":"a@b.co"}`,
    `{"traits":{"email":"a@b.co","a":[${'0,'.repeat(8160)}0]}}`,
    `{"traits":{"email":"a@b.co",${'"a b":0,'.repeat(2040)}"a":0}}`,
    `{"traits":{"email":"a@b.co","a":"${'\\u0001'.repeat(2720)}"}}`,
  ]) {
    assert.ok(body.length > 15_900 && body.length <= 16_384, `${body.length}`);
    assert.deepEqual((await askForHash(server, body)).json, { hash: hashOf('a@b.co') }, body.slice(0, 60));
  }
});

test('methods other than POST and OPTIONS: 405, with what is allowed', async () => {
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH']) {
    const { status, headers, json } = await request(`${server.url}/v1/hash`, { method, headers: { Origin: ORIGIN } });
    assert.equal(status, 405, method);
    assert.equal(headers.allow, 'POST, OPTIONS');
    if (method !== 'HEAD') assert.equal(json.error, 'method_not_allowed');
  }
});

test('other paths: 404', async () => {
  for (const path of ['/', '/v1', '/v1/', '/hash/', '/v1/hash//', '/v1/hashes', '/healthz/', '/v1//hash', '/V1/HASH']) {
    const { status, json } = await request(`${server.url}${path}`, { method: 'POST', headers: { Origin: ORIGIN }, body: '{}' });
    assert.equal(status, 404, path);
    assert.equal(json.error, 'not_found');
  }
});
