/**
 * Where a request ends: what a proxy may read in another way than this server is refused, and the connection with it, so
 * that nothing behind it is taken for a request of its own.
 */

import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { askForHash, openConnection, request, sendRaw } from './http_client.mjs';
import { ORIGIN, serverFor } from './server_process.mjs';

const server = await serverFor({ after }, { args: ['--rate-limit', '0', '--rate-limit-email', '0'] });
const body = '{"email":"a@b.co"}';
const length = `Content-Length: ${body.length}\r\n`;
const smuggled = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';

/** A request for a hash. @param {string} headers lines, each with its line break @param {string} [content] */
const post = (headers, content = body) => `POST /v1/hash HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\n${headers}\r\n${content}`;

/** @param {string} chunks */
const chunked = (chunks) => post('Transfer-Encoding: chunked\r\n', `${chunks}${smuggled}`);

afterEach(async () => {
  assert.equal((await askForHash(server, { email: 'a@b.co' })).status, 200, 'it goes on');
});

const firstLine = (/** @type {string} */ line) => `${line}\r\nHost: x\r\n\r\n${smuggled}`;

for (const [what, bytes] of Object.entries({
  'two lengths': post(`Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n`, smuggled),
  'the same length twice': post(length + length, body + smuggled),
  'two lengths in one': post(`Content-Length: 0, ${smuggled.length}\r\n`, smuggled),
  'a length with a sign': post(`Content-Length: +${body.length}\r\n`, body + smuggled),
  'a negative length': post('Content-Length: -1\r\n', smuggled),
  'a length in hex': post('Content-Length: 0x12\r\n', body + smuggled),
  'a length with something behind it': post(`Content-Length: ${body.length} 0\r\n`, body + smuggled),
  'a length with a zero behind it': post(`Content-Length: ${body.length}\0 0\r\n`, body + smuggled),
  'a length that is empty': post('Content-Length: \r\n', smuggled),
  'a length beyond 64 bits': post('Content-Length: 18446744073709551634\r\n', body + smuggled),
  'length and chunks': post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`),
  'chunks and length': post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${smuggled}`),
  'chunks in HTTP/1.0': chunked(`12\r\n${body}\r\n0\r\n\r\n`).replace('HTTP/1.1', 'HTTP/1.0'),
  'chunks twice': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', `0\r\n\r\n${smuggled}`),
  ...Object.fromEntries(
    ['xchunked', 'chunked, identity', 'identity, chunked', 'chunked,', 'chunked;q=1', '"chunked"', 'chunked\0', '\x0bchunked', 'chunked\x0b', 'identity', ''].map(
      (encoding) => [`the transfer encoding ${JSON.stringify(encoding)}`, post(`Transfer-Encoding: ${encoding}\r\n`, `0\r\n\r\n${smuggled}`)],
    ),
  ),
  'a space before the colon': post(`Content-Length : ${smuggled.length}\r\n`, smuggled),
  'a tab before the colon': post(`Transfer-Encoding\t: chunked\r\n`, `0\r\n\r\n${smuggled}`),
  'a folded header': post(`X: y\r\n Content-Length: ${smuggled.length}\r\n`, smuggled),
  'a folded length': post(`Content-Length: ${smuggled.length}\r\n 0\r\n`, smuggled),
  'a folded transfer encoding': post('Transfer-Encoding:\r\n\tchunked\r\n', `0\r\n\r\n${smuggled}`),
  'a fold before the first header': `GET /metrics HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n${smuggled}`,
  'a header without a name': post(`: y\r\n${length}`, body + smuggled),
  'a header without a name or value': post(`:y\r\n${length}`, body + smuggled),
  'a header without a colon': post(`Content-Length\r\n`, smuggled),
  'a name that is no token': post(`X(y): z\r\n${length}`, body + smuggled),
  'a line that begins with a zero': post(`\0X: y\r\n${length}`, body + smuggled),
  'a zero in a name': post(`X\0Content-Length: y\r\n${length}`, body + smuggled),
  'a zero in a value': post(`X: y\0z\r\n${length}`, body + smuggled),
  'a zero in the last value': post(`${length}X: y\0z\r\n`, body + smuggled),
  'a zero in the origin': post(length, body + smuggled).replace(ORIGIN, `${ORIGIN}\0.evil.example`),
  'a zero in the path': firstLine('GET /metrics\0.html HTTP/1.1'),
  'a zero in the method': firstLine('GET\0X /metrics HTTP/1.1'),
  'a carriage return in a value': post(`X: y\rContent-Length: 3\r\n${length}`, body + smuggled),
  'another control character in a value': post(`X: y\x7fz\r\n${length}`, body + smuggled),
  'line feeds alone': post(length, '').replaceAll('\r\n', '\n') + body + smuggled,
  'one line feed alone': post(`X: y\n${length}`, body + smuggled),
  'a line feed alone behind the first line': firstLine('GET /metrics HTTP/1.1').replace('\r\n', '\n'),
  'a line feed alone at the end of the head': post(length, body + smuggled).replace('\r\n\r\n', '\r\n\n'),
  'a chunk of no size': chunked('zz\r\n'),
  'a chunk with a sign': chunked('+12\r\n'),
  'a chunk of negative size': chunked('-12\r\n'),
  'a chunk in C\'s hex': chunked(`0x12\r\n${body}\r\n0\r\n\r\n`),
  'a chunk with a space behind its size': chunked(`12 \r\n${body}\r\n0\r\n\r\n`),
  'a chunk beyond 64 bits': chunked(`10000000000000012\r\n${body}\r\n0\r\n\r\n`),
  'a chunk that is longer than it says': chunked(`11\r\n${body}\r\n0\r\n\r\n`),
  'a chunk without an end': chunked(`12\r\n${body}0\r\n\r\n`),
  'two hosts': post(`Host: y\r\n${length}`, body + smuggled),
  'a host that is none': post(length, body + smuggled).replace('Host: x', 'Host: a b/c?d@e"\'<script>'),
  'no host': `GET /metrics HTTP/1.1\r\n\r\n${smuggled}`,
  'a file, asked for with a body in chunks': `GET /snippet.html HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  'HTTP/2': firstLine('GET /metrics HTTP/2.0'),
  'HTTP/0.9': `GET /metrics\r\n\r\n${smuggled}`,
  'a version in lower case': firstLine('GET /metrics http/1.1'),
  'two spaces between path and version': firstLine('GET /metrics  HTTP/1.1'),
  'tabs for spaces': firstLine('GET\t/metrics\tHTTP/1.1'),
})) {
  test(`${what}: refused, and nothing behind it is run`, async () => {
    const answer = await sendRaw(server, bytes);
    assert.doesNotMatch(answer, /^HTTP\/1\.1 2/m, answer);
    assert.doesNotMatch(answer, /"hash"|"status":"ok"/);
    assert.match(answer, /^(HTTP\/1\.1 (400|413|505) |$)/, answer);
  });
}

test('behind a body in chunks the connection ends, whatever it was made of', async () => {
  for (const chunks of [
    `12\r\n${body}\r\n0\r\n\r\n`,
    `12;a=b\r\n${body}\r\n0\r\n\r\n`,
    `12;a\n${body}\r\n0\r\n\r\n`, // line feeds alone, which libmicrohttpd lets pass here
    `12\n${body}\n0\n\n`,
    `12\r\n${body}\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: y\r\n\r\n`,
  ]) {
    const answer = await sendRaw(server, chunked(chunks));
    assert.match(answer, /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n.*"hash":"[0-9a-f]{40}"/s, JSON.stringify(chunks));
    assert.doesNotMatch(answer, /"status":"ok"/, JSON.stringify(chunks));
  }
});

test('other targets than a path are nothing that is served', async () => {
  for (const line of [
    'GET http://x/healthz HTTP/1.1',
    'GET http://evil.example/munchkin-shim.js HTTP/1.1',
    'POST https://x/v1/hash HTTP/1.1',
    'GET //healthz HTTP/1.1',
    'GET healthz HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'CONNECT evil.example:443 HTTP/1.1',
  ]) {
    const answer = await sendRaw(server, `${line}\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 404 .*"not_found"/s, line);
    assert.doesNotMatch(answer, /evil/);
  }
});

test('TRACE gives nothing back of what was sent', async () => {
  const answer = await sendRaw(server, 'TRACE /v1/hash HTTP/1.1\r\nHost: x\r\nX-Sent: secret\r\nConnection: close\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 403 /);
  assert.doesNotMatch(answer, /secret/);
});

test('a host is nothing that an answer depends on', async () => {
  const ask = (/** @type {string} */ host) => sendRaw(server, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const untimed = (/** @type {string} */ answer) => answer.replace(/\r\nDate: [^\r]*/, '');
  const expected = untimed(await ask('x'));
  assert.match(expected, /^HTTP\/1\.1 200 /);
  for (const host of ['', 'evil.example', '[::1]:8080', 'X.', 'h'.repeat(3000)]) assert.equal(untimed(await ask(host)), expected, host);
});

test('a visitor with a hundred cookies gets the script, and a hash', async () => {
  const cookie = Array.from({ length: 100 }, (_, n) => `cookie_${n}=${'v'.repeat(45)}`).join('; ');
  assert.ok(cookie.length > 5500);
  const headers = { Cookie: cookie, 'User-Agent': 'Mozilla/5.0 '.repeat(20), Accept: '*/*, '.repeat(20), Referer: `https://www.example.com/${'p'.repeat(500)}` };
  assert.equal((await request(`${server.url}/munchkin-shim.js`, { headers })).status, 200);
  assert.equal((await askForHash(server, { email: 'a@b.co' }, { headers })).status, 200);
});

test('what is right is taken, however it is cut into pieces', async () => {
  const random = (/** @type {number} */ below) => Math.floor(Math.random() * below);
  for (let n = 0; n < 60; n++) {
    const more = Array.from({ length: random(40) }, (_, i) => `X-${i}:${' '.repeat(random(3))}${'v\t \xfc;,='.repeat(random(12))}${' '.repeat(random(3))}\r\n`);
    const query = ['', '?', '?a', '?a=b&c=%00&&=', '?=?'][n % 5];
    const one = (/** @type {string} */ last) => post(more.join('') + length + last).replace('/v1/hash', `/v1/hash${query}`);
    const text = Buffer.from(`${n % 2 ? '\r\n' : ''}${one('')}${one('X:\r\n')}${one('Connection: close\r\n')}`, 'latin1');
    const { socket, closed } = await openConnection(server);
    socket.setNoDelay(true);
    for (let at = 0; at < text.length; ) {
      const end = at + 1 + random(n % 3 ? 3000 : 200);
      socket.write(text.subarray(at, end));
      at = end;
      await turn();
    }
    assert.deepEqual((await closed).match(/HTTP\/1\.1 \d+/g), Array(3).fill('HTTP/1.1 200'), String(text));
  }
});
