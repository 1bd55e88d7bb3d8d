import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { request, sendRaw } from './http_client.mjs';
import { KEY, serverFor } from './server_process.mjs';

const server = await serverFor({ after });

const types = {
  'munchkin-shim.js': 'text/javascript; charset=utf-8',
  'munchkin-shim.asm.js': 'text/javascript; charset=utf-8',
  'munchkin-shim.mjs': 'text/javascript; charset=utf-8',
  'munchkin_shim.wasm': 'application/wasm',
  'snippet.html': 'text/html; charset=utf-8',
  'LICENSES.txt': 'text/plain; charset=utf-8',
};
const inDist = (/** @type {string} */ name) => readFileSync(new URL(`../../dist/${name}`, import.meta.url));

/** @param {string} path @param {Record<string, string>} [headers] */
const get = (path, headers) => request(`${server.url}${path}`, { headers });

for (const [name, type] of Object.entries(types)) {
  test(`${name} is served byte for byte, whole, in gzip and in brotli`, async () => {
    const built = inDist(name);
    const plain = await get(`/${name}`);
    assert.equal(plain.status, 200);
    assert.equal(plain.headers['content-type'], type);
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.deepEqual(plain.body, built);

    const gzip = await get(`/${name}`, { 'Accept-Encoding': 'gzip' });
    assert.equal(gzip.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(gzip.body), built);

    const brotli = await get(`/${name}`, { 'Accept-Encoding': 'gzip, deflate, br, zstd' });
    assert.equal(brotli.headers['content-encoding'], 'br');
    assert.equal(brotli.headers['content-type'], type);
    assert.equal(Number(brotli.headers['content-length']), brotli.body.length);
    assert.deepEqual(brotliDecompressSync(brotli.body), built);
    assert.ok(brotli.body.length < gzip.body.length && gzip.body.length < built.length);

    for (const { headers } of [plain, gzip, brotli]) {
      assert.equal(headers.vary, 'Accept-Encoding');
      assert.equal(headers['access-control-allow-origin'], '*');
      assert.equal(headers['cross-origin-resource-policy'], 'cross-origin');
      assert.equal(headers['x-content-type-options'], 'nosniff');
    }
  });
}

test('the encoding is the one that the client weighs most, and none that it refuses', async () => {
  for (const [accepted, encoding] of /** @type {[string, string | undefined][]} */ ([
    ['', undefined],
    ['br', 'br'],
    ['BR', 'br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip'],
    ['gzip; q=0.5, br; q=0.9', 'br'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0, gzip;q=0', undefined],
    ['*', 'br'],
    ['*;q=0.1, br;q=0', 'gzip'],
    ['identity, br;q=0.1', undefined],
    ['deflate', undefined],
    ['brotli, xgzip', undefined],
    [',,;q=1,br', 'br'],
    ['br;q=nonsense', undefined],
  ])) {
    const { status, headers } = await get('/snippet.html', { 'Accept-Encoding': accepted });
    assert.equal(status, 200);
    assert.equal(headers['content-encoding'], encoding, accepted);
  }
});

test('what the browser has already is not sent again', async () => {
  const { headers } = await get('/munchkin-shim.js', { 'Accept-Encoding': 'br' });
  const etag = String(headers.etag);
  assert.match(etag, /^"[0-9a-f]+-br"$/);
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await get('/munchkin-shim.js', { 'Accept-Encoding': 'br', 'If-None-Match': known });
    assert.equal(again.status, 304, known);
    assert.equal(again.body.length, 0);
    assert.equal(again.headers.etag, etag);
    assert.equal(again.headers.vary, 'Accept-Encoding');
  }
  for (const other of ['"other"', etag.slice(1), `${etag}x`, '']) {
    assert.equal((await get('/munchkin-shim.js', { 'Accept-Encoding': 'br', 'If-None-Match': other })).status, 200, other);
  }
  // Another encoding is another representation.
  assert.equal((await get('/munchkin-shim.js', { 'If-None-Match': etag })).status, 200);
});

test('under its release a file is cached for ever; without, for an hour', async () => {
  const { release } = (await get('/healthz')).json;
  const named = await get(`/${release}/munchkin-shim.js`);
  assert.deepEqual(named.body, inDist('munchkin-shim.js'));
  assert.equal(named.headers['cache-control'], 'public, max-age=31536000, immutable');
  assert.equal((await get('/munchkin-shim.js')).headers['cache-control'], 'public, max-age=3600');
  // Another release's files are not these.
  assert.equal((await get('/0123456789abcdef/munchkin-shim.js')).status, 404);
});

test('HEAD tells the length and sends nothing; other methods are refused', async () => {
  const head = await request(`${server.url}/munchkin-shim.js`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(Number(head.headers['content-length']), inDist('munchkin-shim.js').length);
  assert.equal(head.body.length, 0);
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const { status, headers } = await request(`${server.url}/munchkin-shim.js`, { method });
    assert.equal(status, 405);
    assert.equal(headers.allow, 'GET, HEAD');
  }
});

test('nothing else is served, by whatever path', async () => {
  for (const path of [
    '/core.mjs',
    '/types/index.d.ts',
    '/munchkin-shim.js/',
    '/munchkin-shim.js%00.html',
    '//munchkin-shim.js',
    '/./munchkin-shim.js',
    '/../munchkin-shim.js',
    '/../../etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..\\..\\etc\\passwd',
    '/%252e%252e/%252e%252e/etc/passwd',
    '/..%255c..%255cetc/passwd',
    '/%c0%ae%c0%ae/etc/passwd',
    '/..;/..;/etc/passwd',
    '/munchkin-shim.js/..',
    '/munchkin-shim.js%2f..%2f..%2fetc%2fpasswd',
    '/x/../munchkin-shim.js',
    '/munchkin%2dshim.js',
    '/MUNCHKIN-SHIM.JS',
    '/munchkin-shim.js.',
    '/munchkin-shim.js:$DATA',
    '/munchkin-shim.js~',
    '/.git/config',
    '/dist/munchkin-shim.js',
    'file:///etc/passwd',
    'etc/passwd',
    '/proc/self/environ',
    `/${'a/'.repeat(2000)}`,
  ]) {
    const answer = await sendRaw(server, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 404 /, path.slice(0, 80));
    assert.ok(!answer.includes('root:') && !answer.includes(KEY));
  }
});

test('a query does not hide a file', async () => {
  assert.equal((await get('/munchkin-shim.js?v=2')).status, 200);
});
