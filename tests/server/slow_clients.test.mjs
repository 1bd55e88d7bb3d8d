/** Clients that take their time on purpose: however busy they look, each has so long for a request, and to take its answer. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { holdDatabase } from './held_database.mjs';
import { openConnection, request } from './http_client.mjs';
import { basic, eventually, intakeFor, WRITE_KEY } from './intake.mjs';
import { ORIGIN, serverFor } from './server_process.mjs';

const TIMEOUT = 2;
const body = '{"email":"a@b.co"}';
const head = `POST /v1/hash HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nContent-Length: ${body.length}\r\n\r\n`;

/** @param {import('node:test').TestContext} t */
const timedServer = (t) => serverFor(t, { args: ['--request-timeout', String(TIMEOUT), '--rate-limit', '0', '--rate-limit-email', '0'] });

/** Sends byte after byte until the connection ends; resolves with the seconds that it took. @param {Connection} connection @param {string} text */
async function drip({ socket, closed }, text) {
  const started = performance.now();
  let at = 0;
  const timer = setInterval(() => socket.write(text[at++ % text.length]), 200);
  await closed;
  clearInterval(timer);
  return (performance.now() - started) / 1000;
}

/** @typedef {Awaited<ReturnType<typeof openConnection>>} Connection */

/** @param {{url: string}} server @param {string} name */
async function metric(server, name) {
  const { body: page } = await request(`${server.url}/metrics`);
  return Number(new RegExp(`^munchkin_server_${name} (\\d+)$`, 'm').exec(String(page))?.[1]);
}

// They mostly wait, each for a server of its own.
describe('slow clients', { concurrency: true, timeout: 60_000 }, () => {
  test('who drips a request is cut off when its time is over, not when it falls silent', async (t) => {
    const server = await timedServer(t);
    const [inFirstLine, inHeaders, inBody, after] = await Promise.all(Array.from({ length: 4 }, () => openConnection(server)));
    inHeaders.socket.write('POST /v1/hash HTTP/1.1\r\nHost: x\r\n');
    inBody.socket.write(head.replace(/\d+\r\n\r\n/, '1000\r\n\r\n'));
    after.socket.write(head + body); // its first request is a right one
    await eventually(() => after.received().includes('"hash"'), 'an answer');
    const took = await Promise.all([
      drip(inFirstLine, `GET /${'a'.repeat(1000)}`),
      drip(inHeaders, 'X-Header: value\r\n'),
      drip(inBody, ' '),
      drip(after, 'X'),
    ]);
    for (const seconds of took) assert.ok(seconds > TIMEOUT - 1 && seconds < TIMEOUT + 3, `${seconds} s`);
    for (const { received } of [inFirstLine, inHeaders, inBody]) assert.equal(received(), '');
    await eventually(() => /"level":"warning","event":"clients_cut_off","count":"\d"/.test(server.output()), 'a warning');
  });

  test('who is slow but done in time is answered', async (t) => {
    const server = await timedServer(t);
    const { socket, closed } = await openConnection(server);
    const text = head.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n') + body;
    for (let at = 0; at < text.length; at += 20) {
      socket.write(text.slice(at, at + 20));
      await delay(50);
    }
    assert.match(await closed, /^HTTP\/1\.1 200 .*"hash":"[0-9a-f]{40}"/s);
  });

  test('a connection lives for as long as one request after the other comes in time', async (t) => {
    const server = await timedServer(t);
    const { socket, received } = await openConnection(server);
    for (let n = 1; n <= 2 * TIMEOUT; n++) {
      await delay(1000);
      socket.write(head + body);
      await eventually(() => received().split('"hash"').length === n + 1, `answer ${n}`);
    }
    socket.destroy();
  });

  test('who takes nothing of the answer, or a little now and then, is cut off', async (t) => {
    const server = await timedServer(t);
    // More than the buffers between the two can hold.
    const files = `GET /munchkin-shim.asm.js HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(100);
    const greedy = await Promise.all(Array.from({ length: 10 }, () => openConnection(server)));
    const timers = greedy.map(({ socket }, n) => {
      socket.pause();
      // Every other one takes some each second, so that it is never idle.
      const timer = setInterval(() => n % 2 && socket.read(1000), 500);
      // Sent on and on, for as long as they are taken.
      const fill = setInterval(() => socket.writableLength < 100_000 && socket.write(files), 20);
      return [timer, fill];
    });
    await eventually(async () => (await metric(server, 'requests_in_flight')) === greedy.length + 1, 'all of them to be stuck');
    const started = performance.now();
    await eventually(async () => (await metric(server, 'requests_in_flight')) === 1, 'all of them to be cut off');
    assert.ok(performance.now() - started < (2 * TIMEOUT + 3) * 1000);
    for (const timer of timers.flat()) clearInterval(timer);
    for (const { socket } of greedy) socket.destroy();
  });

  // An event that is stored waits for the disk first; one that is not has no need to.
  for (const path of ['/v1/identify', '/v1/group']) {
    test(`who takes nothing of the answers to ${path} is cut off`, async (t) => {
      // It comes back in each answer, so that few of them fill the buffers between the two.
      const origin = `https://${'a'.repeat(8000)}.example.com`;
      const { server } = await intakeFor(t, { args: ['--request-timeout', String(TIMEOUT), '--allow-origin', origin] });
      const event = '{"traits":{"email":"a@b.co"}}';
      const text =
        `POST ${path} HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nAuthorization: ${basic(WRITE_KEY)}\r\n` +
        `Content-Length: ${event.length}\r\n\r\n${event}`;
      const { socket } = await openConnection(server);
      socket.pause();
      const fill = setInterval(() => socket.writableLength < 100_000 && socket.write(text.repeat(10)), 5);
      t.after(() => {
        clearInterval(fill);
        socket.destroy();
      });
      // Where nothing moves, libmicrohttpd would close the connection later, and say nothing of it.
      await eventually(() => server.output().includes('"event":"clients_cut_off"'), 'it to be cut off');
    });
  }

  test('who waits for our disk is not to blame, and is answered', async (t) => {
    const { db, post, server } = await intakeFor(t, { args: ['--request-timeout', '1'] });
    const identify = (/** @type {number} */ n) => post('/v1/identify', { messageId: `m${n}`, traits: { email: `p${n}@example.com` } });
    assert.equal((await identify(0)).status, 200);
    const letGo = await holdDatabase(`${db}-accepted`);
    const waiting = Array.from({ length: 10 }, (_, n) => identify(n + 1));
    await delay(4000);
    await letGo();
    for (const { status } of await Promise.all(waiting)) assert.equal(status, 200);
    assert.doesNotMatch(server.output(), /clients_cut_off/);
  });
});
