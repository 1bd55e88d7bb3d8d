/** The signer of munchkin-shim/signer: as a function of a Request, and mounted in a real node:http server. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect as connectHttp2, constants, createServer as createHttp2Server } from 'node:http2';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { createSigner } from 'munchkin-shim/signer';

const KEY = 'fortesting';
const ORIGIN = 'https://www.example.com';
const hashOf = (/** @type {string} */ email) => createHash('sha1').update(`${KEY}${email}`).digest('hex');

/** @param {Partial<import('../../js-glue/signer.js').SignerOptions>} [options] */
const signerWith = (options) => createSigner({ privateKey: KEY, authorize: () => true, ...options });

/** @param {BodyInit | null} body @param {RequestInit} [more] */
const post = (body, more) => new Request('https://site.example/v1/lead', { method: 'POST', body, ...more });

test('without a key, or without authorize, there is no signer', () => {
  assert.throws(() => createSigner(/** @type {any} */ ({ privateKey: KEY })), { name: 'TypeError', message: /authorize/ });
  assert.throws(() => createSigner(/** @type {any} */ ({ privateKey: KEY, authorize: true })), TypeError);
  assert.throws(() => signerWith({ privateKey: 'k'.repeat(1025) }), TypeError);
  assert.throws(() => signerWith({ privateKey: '' }), { name: 'TypeError', message: /privateKey/ });
});

test('of a lead, as pages hand it over, it signs the e-mail that identify finds in it', async () => {
  const signer = signerWith({});
  for (const [lead, email] of [
    [{ cookie: '', userId: '1', traits: { email: ' a@b.co ', plan: 'pro' } }, 'a@b.co'],
    [{ cookie: 'id:561-HYG-937&token:_mch-x-1-1', userId: 'c@d.co', traits: {} }, 'c@d.co'],
  ]) {
    const answer = await signer.handle(post(JSON.stringify(lead)));
    assert.deepEqual(await answer.json(), { hash: hashOf(String(email)) });
  }
  for (const [lead, error] of [
    [{ userId: '1', traits: { plan: 'pro' } }, 'email_missing'],
    [{ traits: { email: 'none' } }, 'email_invalid'],
    [{ userId: '1' }, 'email_missing'],
  ]) {
    const answer = await signer.handle(post(JSON.stringify(lead)));
    assert.deepEqual([answer.status, (await answer.json()).error], [400, error]);
  }
});

test('it signs what authorize allows, for the e-mail that it was asked about', async () => {
  /** @type {any[]} */
  const asked = [];
  const signer = signerWith({
    authorize: async (request, email) => {
      asked.push([request.headers.get('cookie'), email]);
      return email === 'me@example.com';
    },
  });
  const mine = await signer.handle(post('{"email":" me@example.com "}', { headers: { Cookie: 'session=1' } }));
  assert.equal(mine.status, 200);
  assert.deepEqual(await mine.json(), { hash: hashOf('me@example.com') });
  assert.equal(mine.headers.get('cache-control'), 'no-store');
  const theirs = await signer.handle(post('{"email":"them@example.com"}'));
  assert.equal(theirs.status, 403);
  assert.equal((await theirs.json()).error, 'not_authorized');
  assert.deepEqual(asked, [['session=1', 'me@example.com'], [null, 'them@example.com']]);
});

test('only true is a yes; an authorize that throws is a no, and tells the visitor nothing', async (t) => {
  for (const answer of [undefined, 1, 'yes', {}]) {
    const signer = signerWith({ authorize: () => /** @type {any} */ (answer) });
    assert.equal((await signer.handle(post('{"email":"a@b.co"}'))).status, 403);
  }
  const logged = t.mock.method(console, 'error', () => {});
  const signer = signerWith({ authorize: () => Promise.reject(new Error('database password is x')) });
  const answer = await signer.handle(post('{"email":"a@b.co"}'));
  assert.equal(answer.status, 500);
  const text = await answer.text();
  assert.match(text, /"authorize_failed"/);
  assert.doesNotMatch(text, /password/);
  assert.equal(logged.mock.callCount(), 1);
});

test('bad requests get the answers of munchkin-server, and authorize is not asked', async () => {
  const signer = signerWith({ authorize: () => assert.fail('asked') });
  for (const [body, status, code] of /** @type {[BodyInit | null, number, string][]} */ ([
    [null, 400, 'json_invalid'],
    ['{', 400, 'json_invalid'],
    [new Uint8Array([0xff, 0xfe]), 400, 'json_invalid'],
    ['{}', 400, 'email_missing'],
    ['{"email":"none"}', 400, 'email_invalid'],
    ['{"email":["a@b.co"]}', 400, 'email_invalid'],
    ['x'.repeat(65537), 413, 'body_too_large'],
    [new Blob(['x'.repeat(1 << 20)]).stream(), 413, 'body_too_large'],
  ])) {
    const answer = await signer.handle(post(body, /** @type {any} */ ({ duplex: 'half' })));
    assert.equal(answer.status, status, code);
    const { error, message } = await answer.json();
    assert.equal(error, code);
    assert.match(message, /\w/);
  }
  const got = await signer.handle(new Request('https://site.example/v1/lead'));
  assert.equal(got.status, 405);
  assert.equal(got.headers.get('allow'), 'POST, OPTIONS');
});

test('pages of other origins: those that are listed, with their preflight', async () => {
  const signer = signerWith({ origins: [ORIGIN] });
  const ask = (/** @type {string} */ origin, method = 'POST') =>
    signer.handle(post(method === 'POST' ? '{"email":"a@b.co"}' : null, { method, headers: { Origin: origin } }));
  const listed = await ask(ORIGIN);
  assert.equal(listed.status, 200);
  assert.equal(listed.headers.get('access-control-allow-origin'), ORIGIN);
  assert.equal(listed.headers.get('vary'), 'Origin');
  assert.equal((await ask(ORIGIN, 'OPTIONS')).status, 204);
  const other = await ask('https://evil.example');
  assert.equal(other.status, 403);
  assert.equal(other.headers.get('access-control-allow-origin'), null);
  assert.equal((await other.json()).error, 'origin_not_allowed');
  const preflight = await ask('https://evil.example', 'OPTIONS');
  assert.equal(preflight.headers.get('access-control-allow-origin'), null);
});

test('hash() signs ahead, and throws for what is no e-mail', () => {
  const signer = signerWith();
  assert.equal(signer.hash('a@b.co'), hashOf('a@b.co'));
  for (const email of ['', 'none', 'x'.repeat(70000)]) assert.throws(() => signer.hash(email), RangeError);
  assert.equal(signer.hash('a@b.co'), hashOf('a@b.co'), 'none of them has done harm');
});

test('a compiled module of munchkin_signer.wasm serves as well', () => {
  const module = new WebAssembly.Module(readFileSync(new URL('../../dist/munchkin_signer.wasm', import.meta.url)));
  assert.equal(signerWith({ module }).hash('a@b.co'), hashOf('a@b.co'));
});

/** @param {import('node:net').Server} server @param {import('node:test').TestContext} t ends it */
async function listening(server, t) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
}

test('in node:http, and behind whatever body parser', async (t) => {
  /** @type {unknown[]} */
  const given = [];
  const signer = signerWith({
    authorize: (request, email, incoming) => given.push(incoming) > 0 && request.headers.get('x-user') === email,
  });
  for (const parse of /** @type {(((body: Buffer) => unknown) | undefined)[]} */ ([
    undefined,
    () => undefined, // has kept the body elsewhere: there is none for us
    (body) => JSON.parse(String(body)),
    String,
    (body) => body,
  ])) {
    /** @type {unknown} */
    let last;
    const server = createServer(async (request, response) => {
      last = request;
      if (parse) {
        const parts = [];
        for await (const part of request) parts.push(part);
        if (parts.length) Object.assign(request, { body: parse(Buffer.concat(parts)) });
      }
      await signer.handleNode(request, response);
    });
    const url = `http://127.0.0.1:${await listening(server, t)}/api/v1/lead`;
    const answer = await fetch(url, { method: 'POST', headers: { 'X-User': 'a@b.co' }, body: '{"email":"a@b.co"}' });
    if (parse?.length === 0) {
      assert.equal((await answer.json()).error, 'json_invalid');
      continue;
    }
    assert.deepEqual(await answer.json(), { hash: hashOf('a@b.co') });
    assert.equal(given.at(-1), last, 'authorize sees what middleware has left on the request');
    assert.equal((await fetch(url, { method: 'POST', body: '{"email":"a@b.co"}' })).status, 403);
    assert.equal((await fetch(url)).status, 405);
  }
});

test("a body of {} that nobody has read is Express 4's, and says nothing", async (t) => {
  const server = createServer((request, response) => signerWith().handleNode(Object.assign(request, { body: {} }), response));
  const url = `http://127.0.0.1:${await listening(server, t)}/`;
  assert.deepEqual(await (await fetch(url, { method: 'POST', body: '{"email":"a@b.co"}' })).json(), { hash: hashOf('a@b.co') });
});

test('a second argument that is not ours, as a route of Next.js gets, is not taken for one', async () => {
  const signer = signerWith({ authorize: (...given) => given[2] === undefined });
  const context = { params: {} };
  assert.equal((await /** @type {any} */ (signer.handle)(post('{"email":"a@b.co"}'), context)).status, 200);
});

test('in node:http2', { timeout: 10_000 }, async (t) => {
  const server = createHttp2Server(signerWith().handleNode);
  const session = connectHttp2(`http://127.0.0.1:${await listening(server, t)}`);
  t.after(() => session.close());
  const stream = session.request({ ':method': 'POST', ':path': '/v1/lead' }).end('{"email":"a@b.co"}');
  assert.deepEqual(JSON.parse(await text(stream)), { hash: hashOf('a@b.co') });
});

const ASKED = '\r\nHost: a\r\nContent-Length: 18\r\n\r\n{"email":"a@b.co"}';

/** By what is wrong with them: requests, and the status that answers them. */
const HOSTILE = /** @type {Record<string, [request: string, status: number]>} */ ({
  'a path that is no URL': [`POST // HTTP/1.1${ASKED}`, 200],
  'a URL that is none': [`POST http://[ HTTP/1.1${ASKED}`, 200],
  'a URL with credentials': [`POST http://a:b@c/ HTTP/1.1${ASKED}`, 200],
  'a path with credentials': [`POST //a@b/ HTTP/1.1${ASKED}`, 200],
  'a header named __proto__': [`POST / HTTP/1.1\r\n__proto__: a\r\nconstructor: b${ASKED}`, 200],
  'a header that is no UTF-8': [`POST / HTTP/1.1\r\nX-A: \xff\xfe${ASKED}`, 200],
  'a method that no Request has': ['TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 405],
  'OPTIONS of everything': ['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n', 405],
  'GET with a body': [`GET / HTTP/1.1${ASKED}`, 405],
  'no body': ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 400],
  'a body said to be too large': ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n', 413],
  'a body without an end': [`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n${'x'.repeat(0x10001)}\r\n`, 413],
});

test('no client can stop a server of node:http', { timeout: 20_000 }, async (t) => {
  const server = createServer(signerWith().handleNode);
  const port = await listening(server, t);
  t.after(() => server.closeAllConnections());
  /** @param {string} request */
  const send = (request) => {
    const socket = connect(port, '127.0.0.1').setEncoding('latin1');
    socket.write(request, 'latin1');
    return socket;
  };
  for (const [what, [request, status]] of Object.entries(HOSTILE)) {
    const [answer] = await once(send(request), 'data');
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), what);
  }
  const gone = send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"email"');
  const [, response] = await once(server, 'request');
  gone.destroy();
  await once(response, 'close');
  const url = `http://127.0.0.1:${port}/`;
  assert.equal((await fetch(url, { method: 'POST', body: '{"email":"a@b.co"}' })).status, 200);
});

test('a client that is gone before the signer is asked, or while it answers, does not make it throw', { timeout: 20_000 }, async (t) => {
  const body = '{"email":"a@b.co"}';
  const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\n';
  const asked = t.mock.fn(() => true);

  // Middleware that waits for something, as a session does, and a client that does not: with half of the body, or all of it.
  for (const part of [body.slice(0, 8), body]) {
    const server = createServer();
    const gone = connect(await listening(server, t), '127.0.0.1');
    gone.write(HEAD + part);
    const [request, response] = await once(server, 'request');
    gone.resetAndDestroy();
    await once(response, 'close');
    assert.deepEqual([request.destroyed, request.readableDidRead], [true, false]);
    await signerWith({ authorize: asked }).handleNode(request, response);
    assert.equal(response.statusCode, 400);
  }
  assert.equal(asked.mock.callCount(), 0);

  // A client that is gone while authorize looks who it is.
  const server = createServer();
  const gone = connect(await listening(server, t), '127.0.0.1');
  gone.write(HEAD + body);
  const [request, response] = await once(server, 'request');
  const authorize = async () => {
    gone.resetAndDestroy();
    await once(response, 'close');
    return true;
  };
  await signerWith({ authorize }).handleNode(request, response);
  assert.equal(response.statusCode, 200);
});

test('a stream of node:http2 that is reset before the signer is asked does not make it throw', { timeout: 10_000 }, async (t) => {
  const server = createHttp2Server();
  const session = connectHttp2(`http://127.0.0.1:${await listening(server, t)}`);
  t.after(() => session.close());
  const stream = session.request({ ':method': 'POST', ':path': '/v1/lead' });
  stream.on('error', () => {}).write('{"email"');
  const [request, response] = await once(server, 'request');
  stream.close(constants.NGHTTP2_CANCEL);
  await once(response, 'close');
  await signerWith().handleNode(request, response);
});

test('a client so slow that a timeout of the site has answered it does not make the signer throw', { timeout: 10_000 }, async (t) => {
  const server = createServer();
  const slow = connect(await listening(server, t), '127.0.0.1').setEncoding('latin1');
  slow.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\n{"email"');
  t.after(() => slow.destroy());
  const [request, response] = await once(server, 'request');
  const handled = signerWith().handleNode(request, response);
  response.writeHead(503).end();
  const [answer] = await once(slow, 'data');
  slow.write(':"a@b.co"}');
  await handled;
  assert.match(answer, /^HTTP\/1.1 503 /);
});
