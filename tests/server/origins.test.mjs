import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { askForHash, request, sendRaw } from './http_client.mjs';
import { eventually } from './intake.mjs';
import { ORIGIN, serverFor } from './server_process.mjs';

const server = await serverFor(
  { after },
  {
    args: [
      ...['--rate-limit', '0', '--rate-limit-email', '0'],
      ...['--allow-origin', 'HTTP://Shop.Example.com:8080'],
      ...['--allow-origin', 'https://default-port.example.com:443'],
      ...['http://[::1]:3000', 'http://192.168.0.10:65535', 'http://[2001:DB8::a:0:0:1]', 'https://example.com.', 'http://1.2.3.com', 'http://localhost', 'https://xn--bcher-kva.my_shop-1.example:1'].flatMap((origin) => ['--allow-origin', origin]),
    ],
  }
);

test('each listed origin gets hashes, and leave to read them', async () => {
  for (const origin of [
    ORIGIN,
    'http://shop.example.com:8080',
    'https://default-port.example.com',
    'http://[::1]:3000',
    'http://192.168.0.10:65535',
    'http://[2001:db8::a:0:0:1]',
    'https://example.com.',
    'http://1.2.3.com',
    'http://localhost',
    'https://xn--bcher-kva.my_shop-1.example:1',
    'https://WWW.example.com', // a browser writes lower case; a host is the same in any
  ]) {
    const { status, headers } = await askForHash(server, { email: 'a@b.co' }, { origin });
    assert.equal(status, 200, origin);
    assert.equal(headers['access-control-allow-origin'], origin);
    assert.equal(headers['access-control-allow-credentials'], undefined);
    assert.equal(headers.vary, 'Origin');
  }
});

test('no other origin gets any, nor leave to read the refusal', async () => {
  for (const origin of [
    'https://evil.example',
    'http://www.example.com',
    'https://www.example.com:8443',
    'https://www.example.com:443',
    'https://www.example.com.evil.example',
    'https://evil-www.example.com',
    'https://example.com',
    'https://sub.www.example.com',
    'https://www.example.com/',
    'https://www.example.com@evil.example',
    'https://www.example.com.',
    'https://www.example.com:0443',
    'https://www.example.com:443:443',
    'https://www.example.com?',
    'https://www.example.com#',
    'https://www.example.com\\.evil.example',
    'https://www.example.com%2eevil.example',
    'https://%77ww.example.com',
    'https:www.example.com',
    'https:/www.example.com',
    '//www.example.com',
    'www.example.com',
    'https://evil@www.example.com',
    'https://www\tw.example.com',
    'https://xn--www-example-com.evil.example',
    'http://[::1]:3000.evil.example',
    'http://[0:0:0:0:0:0:0:1]:3000',
    'chrome-extension://www.example.com',
    'NULL',
    'https://www.example.co',
    'https://www.example.comm',
    'null',
    '*',
    'file://',
    'https://www.example.com https://evil.example',
    'https://www.example.com, https://evil.example',
    'x'.repeat(4000),
  ]) {
    const { status, headers, json } = await askForHash(server, { email: 'a@b.co' }, { origin });
    assert.equal(status, 403, origin);
    assert.equal(json.error, 'origin_not_allowed');
    assert.equal(headers['access-control-allow-origin'], undefined);
    assert.equal(headers.vary, 'Origin');
  }
});

test('without an origin, or with an empty one, there is no hash', async () => {
  const none = await request(`${server.url}/v1/hash`, { method: 'POST', body: '{"email":"a@b.co"}' });
  assert.equal(none.status, 403);
  assert.equal(none.json.error, 'origin_missing');
  const empty = await askForHash(server, { email: 'a@b.co' }, { origin: '' });
  assert.equal(empty.status, 403);
});

test('a Referer, a Host or a forwarding header does not stand in for the origin', async () => {
  const { status } = await request(`${server.url}/v1/hash`, {
    method: 'POST',
    headers: { Referer: `${ORIGIN}/page`, Host: 'www.example.com', 'X-Forwarded-Host': 'www.example.com' },
    body: '{"email":"a@b.co"}',
  });
  assert.equal(status, 403);
});

test('two Origin headers are one too many', async () => {
  for (const origins of [
    [ORIGIN, 'https://evil.example'],
    ['https://evil.example', ORIGIN],
    [ORIGIN, ORIGIN],
  ]) {
    const body = '{"email":"a@b.co"}';
    const answer = await sendRaw(
      server,
      `POST /v1/hash HTTP/1.1\r\nHost: x\r\n${origins.map((origin) => `Origin: ${origin}\r\n`).join('')}` +
        `Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    );
    assert.match(answer, /^HTTP\/1\.1 403 .*"origin_not_allowed"/s);
  }
});

test('a preflight gets leave for a listed origin, and only for that', async () => {
  const ask = (/** @type {string} */ origin) =>
    request(`${server.url}/v1/hash`, {
      method: 'OPTIONS',
      headers: {
        Origin: origin,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'content-type',
      },
    });
  const allowed = await ask(ORIGIN);
  assert.equal(allowed.status, 204);
  assert.equal(allowed.body.length, 0);
  assert.equal(allowed.headers['access-control-allow-origin'], ORIGIN);
  assert.equal(allowed.headers['access-control-allow-methods'], 'POST');
  assert.equal(allowed.headers['access-control-allow-headers'], 'content-type');
  assert.match(String(allowed.headers['access-control-max-age']), /^\d+$/);

  const refused = await ask('https://evil.example');
  assert.equal(refused.status, 403);
  assert.equal(refused.headers['access-control-allow-origin'], undefined);
  assert.equal(refused.headers['access-control-allow-methods'], undefined);
});

test('that a body is larger than any is told before it is sent, so that a page of a listed origin can read it, and no other', async () => {
  const ask = (/** @type {string} */ path, /** @type {string} */ origin) =>
    sendRaw(server, `POST ${path} HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nContent-Length: 1048577\r\n\r\n`);
  for (const path of ['/v1/hash', '/v1/lead', '/v1/identify', '/v1/batch']) {
    const answer = await ask(path, ORIGIN);
    assert.match(answer, /^HTTP\/1\.1 413 .*"body_too_large"/s);
    assert.match(answer, /\r\nVary: Origin\r\n/, path);
    assert.ok(answer.includes(`\r\nAccess-Control-Allow-Origin: ${ORIGIN}\r\n`), answer);
    assert.doesNotMatch(await ask(path, 'https://evil.example'), /Access-Control-Allow-Origin/);
  }
  assert.doesNotMatch(await ask('/healthz', ORIGIN), /Access-Control-Allow-Origin/);
});

test('that a page was refused is in the log, once however often it asks', async (t) => {
  const own = await serverFor(t);
  const wordsOf = () => own.output().split('\n').filter((line) => line.includes('"origin_not_allowed"')).map((line) => JSON.parse(line));
  assert.equal((await askForHash(own, { email: 'a@b.co' })).status, 200);
  assert.equal((await request(`${own.url}/v1/hash`, { method: 'POST', body: '{"email":"a@b.co"}' })).status, 403); // no page
  const ask = (/** @type {string} */ path, /** @type {string} */ origin, method = 'POST') =>
    request(`${own.url}${path}`, { method, headers: { Origin: origin }, ...(method === 'POST' && { body: '{"email":"a@b.co"}' }) });
  for (let n = 0; n < 50; n++) {
    for (const path of ['/v1/hash', '/v1/lead']) assert.equal((await ask(path, 'https://shop.example.com:8443')).status, 403);
    assert.equal((await ask('/v1/lead', 'https://shop.example.com:8443', 'OPTIONS')).status, 403);
  }
  const [word] = await eventually(() => wordsOf().length > 0 && wordsOf(), 'word of it');
  assert.deepEqual([word.level, word.event, word.origin], ['warning', 'origin_not_allowed', 'https://shop.example.com:8443']);
  assert.match(word.count, /^[1-9]\d*$/);
  await new Promise((resolve) => setTimeout(resolve, 2500)); // it looks every second
  assert.equal(wordsOf().length, 1);
});
