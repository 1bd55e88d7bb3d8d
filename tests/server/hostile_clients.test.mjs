/** Clients that mean harm: each is answered with an error or cut off, and the others go on being served. */

import assert from 'node:assert/strict';
import { afterEach, after, test } from 'node:test';
import { askForHash, openConnection, sendRaw } from './http_client.mjs';
import { kilobytes, ORIGIN, serverFor } from './server_process.mjs';

const server = await serverFor({ after }, { args: ['--rate-limit', '0', '--rate-limit-email', '0'] });
const body = '{"email":"a@b.co"}';

/** A request for a hash. @param {string} headers lines, each with its line break @param {string} [content] */
const post = (headers, content = body) =>
  `POST /v1/hash HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\n${headers}\r\n${content}`;

afterEach(async () => {
  // From another address: this one's connections may still be closing.
  assert.equal((await askForHash(server, { email: 'a@b.co' }, { localAddress: '127.0.0.2' })).status, 200, 'it goes on');
});

test('what is not HTTP is refused', async () => {
  const hostile = [
    '\0'.repeat(1000),
    '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', // the first bytes of TLS
    'nonsense\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n', // without Host
    '\r\n'.repeat(500),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256)),
  ];
  // Side by side: one whose end came with its last bytes may be closed only as an idle one, after 10 seconds.
  const answers = await Promise.all(hostile.map((bytes) => sendRaw(server, bytes)));
  for (const answer of answers) assert.doesNotMatch(answer, /^HTTP\/1\.1 2/);
});

test('chunks are a body like another, and their sum is limited', async () => {
  const chunk = (/** @type {string} */ text) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const asked = post('Transfer-Encoding: chunked\r\nConnection: close\r\n', `${[...body].map(chunk).join('')}0\r\n\r\n`);
  assert.match(await sendRaw(server, asked), /"hash":"[0-9a-f]{40}"/);

  const large = post('Transfer-Encoding: chunked\r\nConnection: close\r\n', `${chunk(' '.repeat(4096)).repeat(5)}0\r\n\r\n`);
  assert.match(await sendRaw(server, large), /^HTTP\/1\.1 413 .*"body_too_large"/s);

  // Without an end it is not read to its end.
  const { socket, closed } = await openConnection(server);
  const endless = setInterval(() => socket.write(chunk('x'.repeat(65536))), 1);
  socket.write(post('Transfer-Encoding: chunked\r\n', ''));
  await closed;
  clearInterval(endless);
});

test('a body that is announced as a flood is refused before it is sent', async () => {
  const answer = await sendRaw(server, post('Content-Length: 1000000000\r\n', ''));
  assert.match(answer, /^HTTP\/1\.1 413 .*"body_too_large"/s);
});

test('a flood of headers is cut off', async () => {
  for (const flood of [
    `X-${'a'.repeat(40000)}: 1\r\n`,
    'X: 1\r\n'.repeat(10000),
    `Cookie: ${'a=b; '.repeat(10000)}\r\n`,
  ]) {
    assert.doesNotMatch(await sendRaw(server, post(`${flood}Content-Length: ${body.length}\r\n`)), /"hash"/);
  }
  assert.doesNotMatch(await sendRaw(server, `GET /${'a'.repeat(100000)} HTTP/1.1\r\nHost: x\r\n\r\n`), /^HTTP\/1\.1 2/);
});

test('compressed bodies are not unpacked', async () => {
  const answer = await askForHash(server, Buffer.from('1f8b0800000000000003', 'hex'), { headers: { 'Content-Encoding': 'gzip' } });
  assert.equal(answer.status, 400);
});

test('requests in a pipeline are answered one by one, in order', async () => {
  const one = (/** @type {string} */ email, more = '') => {
    const json = JSON.stringify({ email });
    return post(`${more}Content-Length: ${json.length}\r\n`, json);
  };
  const answer = await sendRaw(server, one('a@b.co') + one('none') + one('a@b.co', 'Connection: close\r\n') + one('c@d.co'));
  assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 400', 'HTTP/1.1 200']);
});

test('a thousand idle connections of one address leave room for the others, and take little memory', async () => {
  const before = kilobytes(server);
  const idle = await Promise.all(Array.from({ length: 1000 }, () => openConnection(server)));
  // It is refused more than 512; the requests of those that it has are answered.
  await Promise.race(idle.slice(512).map(({ closed }) => closed));
  assert.equal((await askForHash(server, { email: 'a@b.co' }, { localAddress: '127.0.0.3' })).status, 200);
  assert.ok(kilobytes(server) - before < 512 * 64, `${kilobytes(server) - before} kB`);
  for (const { socket } of idle) socket.destroy();
  await Promise.all(idle.map(({ closed }) => closed));
});

test('who begins a request and does not go on is cut off, and keeps nobody waiting', async () => {
  const slow = await Promise.all(Array.from({ length: 50 }, () => openConnection(server)));
  for (const { socket } of slow) socket.write('POST /v1/hash HTTP/1.1\r\nHost: x\r\n');
  assert.equal((await askForHash(server, { email: 'a@b.co' })).status, 200);
  // All of them end without ever having been sent more.
  await Promise.all(slow.map(({ closed }) => closed));
});

test('the memory of all this was given back', () => {
  // Sanitizers keep freed memory aside, so the bound is wide: it is there for what grows without end.
  assert.ok(kilobytes(server) < 200_000, `${kilobytes(server)} kB`);
});
