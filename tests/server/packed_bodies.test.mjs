/** Bodies in gzip that are more than they seem, or less: bounded memory, one answer, and the others are served. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { gzipSync, deflateSync, brotliCompressSync } from 'node:zlib';
import { request, sendRaw } from './http_client.mjs';
import { basic, intakeFor, REST, WRITE_KEY } from './intake.mjs';
import { kilobytes } from './server_process.mjs';

const { post, server } = await intakeFor({ after }, { env: { ...REST, ASAN_OPTIONS: 'quarantine_size_mb=1' } });

/** @param {Buffer | string} body @param {string} [encoding] @param {string | null} [key] */
const packed = (body, encoding = 'gzip', key = WRITE_KEY) => post('/v1/batch', body, { key, headers: { 'Content-Encoding': encoding } });
const whole = gzipSync('{"batch":[]}');

/** A gzip with fields in its header that nobody needs. @param {number} flags @param {Buffer} fields */
const withFields = (flags, fields) => Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]), fields, whole.subarray(10)]);

test('one that ends early is no gzip, wherever it ends', async () => {
  for (let length = 0; length < whole.length; length++) {
    const { status, json } = await packed(whole.subarray(0, length));
    assert.deepEqual([status, json.error], [400, 'gzip_invalid'], `${length}`);
  }
});

test('a bit that has changed is noticed, or changes nothing', async () => {
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const changed = Buffer.from(whole);
    changed[bit >> 3] ^= 1 << (bit & 7);
    const { status, json } = await packed(changed);
    // Time, the system that packed it, and what fills the last byte up are nothing that a checksum covers.
    if (status === 200) assert.ok((bit >= 24 && bit < 80) || bit >> 3 === whole.length - 9, `${bit}`);
    else assert.deepEqual([status, json.error], [400, 'gzip_invalid'], `${bit}`);
  }
});

test('several in one are one body, however many, within its limit', async () => {
  const text = '{"batch":[{"type":"alias"}]}';
  const members = [...text].map((character) => gzipSync(character));
  const nothing = gzipSync('');
  assert.equal((await packed(Buffer.concat(members))).status, 200);
  assert.equal((await packed(Buffer.concat([nothing, ...members, ...Array(20_000).fill(nothing)]))).status, 200);
  const large = gzipSync(' '.repeat(500_000));
  for (const [count, status] of [[1, 200], [2, 413], [1000, 413]]) {
    assert.equal((await packed(Buffer.concat([...Array(count).fill(large), whole]))).status, status, `${count}`);
  }
  assert.equal((await packed(Buffer.concat(Array(1000).fill(whole)))).json.error, 'json_invalid');
});

test('of several, each has to be whole, and nothing else may stand between or behind', async () => {
  const [first, second] = [gzipSync('{"batch"'), gzipSync(':[]}')];
  assert.equal((await packed(Buffer.concat([first, second]))).status, 200);
  /** @type {Buffer[][]} */
  const wrong = [[first.subarray(0, -1), second], [first, Buffer.alloc(1), second], [first, second, Buffer.alloc(1)], [first, Buffer.from(':[]}')], [first, deflateSync(':[]}')]];
  for (let length = 1; length < second.length; length++) wrong.push([first, second.subarray(0, length)]);
  for (const parts of wrong) {
    const { status, json } = await packed(Buffer.concat(parts));
    assert.deepEqual([status, json.error], [400, 'gzip_invalid'], `${Buffer.concat(parts).toString('hex')}`);
  }
});

test('names and remarks in its header are passed over', async () => {
  const name = Buffer.alloc(100_000, 'n');
  name[name.length - 1] = 0;
  assert.equal((await packed(withFields(8, name))).status, 200);
  assert.equal((await packed(withFields(16, name))).status, 200);
  assert.equal((await packed(withFields(4, Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(0xffff)])))).status, 200);
  assert.equal((await packed(withFields(8, name.subarray(0, -1)))).status, 400);
});

test('only gzip, once', async () => {
  for (const [encoding, body] of /** @type {[string, Buffer][]} */ ([
    ['deflate', deflateSync('{"batch":[]}')],
    ['br', brotliCompressSync('{"batch":[]}')],
    ['gzip, gzip', gzipSync(whole)],
    ['gzip,identity', whole],
    ['x-gzip', whole],
    ['gzip\t;q=1', whole],
  ])) {
    const { status, json } = await packed(body, encoding);
    assert.deepEqual([status, json.error], [415, 'encoding_unsupported'], encoding);
  }
  assert.equal((await packed(gzipSync(whole))).status, 400, 'it is not unpacked twice');
  assert.equal((await packed(deflateSync('{"batch":[]}'))).json.error, 'gzip_invalid', 'nor is anything else taken for it');
});

/** @param {string | null} key */
async function sendBombs(key) {
  const bomb = gzipSync(Buffer.alloc(200_000_000));
  assert.ok(bomb.length < 500_000);
  const before = kilobytes(server);
  const started = performance.now();
  const answers = Promise.all(Array.from({ length: 40 }, () => packed(bomb, 'gzip', key)));
  assert.equal((await request(`${server.url}/healthz`)).status, 200);
  for (const { status } of await answers) assert.ok(status === 413 || status === 503, `${status}`);
  assert.ok(performance.now() - started < 10_000);
  assert.ok(kilobytes(server) - before < 100_000, `${kilobytes(server) - before} kB`);
  assert.equal((await packed(whole)).status, 200);
}

test('bombs, many at once: each is told that it is too large, and memory is bounded', () => sendBombs(WRITE_KEY));

test('who names a wrong key in the header has nothing unpacked', async () => {
  assert.equal((await packed(gzipSync(Buffer.alloc(100_000_000)), 'gzip', 'wrong')).status, 401);
  assert.equal((await packed('no gzip at all', 'gzip', 'wrong')).status, 401);
});

test('without the header the key may be in the body, which is unpacked up to the limit and no further', async () => {
  await sendBombs(null);
  const batch = (/** @type {string} */ writeKey) => gzipSync(JSON.stringify({ batch: [], writeKey }));
  assert.equal((await packed(batch(WRITE_KEY), 'gzip', null)).status, 200);
  assert.equal((await packed(batch('wrong'), 'gzip', null)).status, 401);
  assert.equal((await packed(whole, 'gzip', null)).status, 401);
});

test('a length that lies is not waited for, nor read beyond', async () => {
  const head = (/** @type {number} */ length) =>
    `POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(WRITE_KEY)}\r\nContent-Encoding: gzip\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;
  assert.match(await sendRaw(server, Buffer.concat([Buffer.from(head(whole.length)), whole, whole])), /^HTTP\/1\.1 200 (?!.*HTTP\/1)/s);
  assert.match(await sendRaw(server, Buffer.concat([Buffer.from(head(whole.length - 1)), whole])), /^HTTP\/1\.1 400 .*"gzip_invalid"/s);
});
