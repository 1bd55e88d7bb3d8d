/** More connections than there are places for: those who use theirs get one, and memory is bounded. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { askForHash, openConnection, request } from './http_client.mjs';
import { intakeFor } from './intake.mjs';
import { kilobytes, ORIGIN, serverFor } from './server_process.mjs';

/** One address may have no more than this. */
const OF_ADDRESS = 512;
const WANTED = 10_000;

/** What this process may open, with room for what else it has open. */
const allowed = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]) - 200;

/** Each crowd has addresses of its own. */
let addresses = 0;

/**
 * Opens connections from as many addresses as it takes, a few hundred at a time.
 * @param {{url: string}} server
 * @param {number} count
 * @param {string} [text] what each sends
 */
async function crowd(server, count, text = '') {
  const { hostname, port } = new URL(server.url);
  /** @type {import('node:net').Socket[]} */
  const sockets = [];
  const first = addresses;
  addresses += Math.ceil(count / OF_ADDRESS);
  let ended = 0;
  const one = (/** @type {number} */ n) =>
    new Promise((resolve) => {
      const address = first + Math.floor(n / OF_ADDRESS);
      const socket = connect({ host: hostname, port: Number(port), localAddress: `127.0.${10 + (address >> 8)}.${1 + (address & 255)}` });
      sockets.push(socket);
      socket.on('connect', () => socket.write(text, resolve));
      socket.on('error', resolve);
      socket.on('close', () => ended++);
      socket.resume();
    });
  for (let n = 0; n < count; n += 250) await Promise.all(Array.from({ length: Math.min(250, count - n) }, (_, i) => one(n + i)));
  return { sockets, ended: () => ended };
}

/** @param {{sockets: import('node:net').Socket[]}} crowd */
function disperse({ sockets }) {
  for (const socket of sockets) socket.destroy();
}

for (const [what, text] of [
  ['say nothing', ''],
  ['have begun a request', `POST /v1/hash HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nContent-Length: 18\r\n\r\n{`],
]) {
  test(`ten thousand connections that ${what}: the others are answered, and memory is bounded`, { timeout: 60_000 }, async (t) => {
    const count = Math.min(WANTED, allowed);
    // Sanitizers would keep what is freed aside.
    const server = await serverFor(t, { args: ['--rate-limit', '0', '--rate-limit-email', '0'], env: { ASAN_OPTIONS: 'quarantine_size_mb=1' } });
    const before = kilobytes(server);
    const idle = await crowd(server, count, text);
    const took = [];
    for (let n = 0; n < 50; n++) {
      const started = performance.now();
      assert.equal((await askForHash(server, { email: 'a@b.co' }, { localAddress: `127.0.0.${2 + n}` })).status, 200);
      took.push(performance.now() - started);
    }
    took.sort((a, b) => a - b);
    const grown = kilobytes(server) - before;
    t.diagnostic(
      `${count} connections were opened, the server let ${count - idle.ended()} stay; half of the others were answered within ` +
        `${took[25].toFixed(1)} ms, all within ${took[49].toFixed(0)} ms; it took ${grown} kB`,
    );
    assert.ok(idle.ended() > count - 4096, 'the oldest had to go');
    assert.ok(took[49] < 2000, `${took[49]} ms`);
    // 4096 connections of 8 KB, with what surrounds them, and what the sanitizers add.
    assert.ok(grown < 150_000, `${grown} kB`);
    disperse(idle);
  });
}

test('who has just been served keeps the place, and who has been silent the longest goes', { timeout: 60_000 }, async (t) => {
  const server = await serverFor(t, { args: ['--rate-limit', '0', '--rate-limit-email', '0'] });
  const started = performance.now();
  const silent = await openConnection(server, '127.0.0.9');
  const busy = await openConnection(server, '127.0.0.8');
  /** Asks on the connection that stays. */
  const ask = async () => {
    const answered = new Promise((resolve) => busy.socket.once('data', resolve));
    busy.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await Promise.race([answered, busy.closed.then(() => assert.fail('it was cut off'))]);
  };
  const idle = [];
  for (let n = 0; n < 5; n++) {
    idle.push(await crowd(server, 1000));
    await ask();
  }
  assert.equal(await silent.closed, '');
  assert.ok(performance.now() - started < 9000, 'it was not closed for being idle');
  idle.forEach(disperse);
  busy.socket.destroy();
});

test('where few files may be open there are fewer places, and the queue has its files', { timeout: 60_000 }, async (t) => {
  const { post, server, simulator } = await intakeFor(t, { wrap: ['sh', '-c', 'ulimit -n 200; exec "$0" "$@"'], args: ['--threads', '2'] });
  assert.match(server.output(), /"event":"few_open_files"/);
  for (let n = 0; n < 3; n++) {
    const idle = await crowd(server, 400);
    const email = `p${n}@example.com`;
    assert.equal((await post('/v1/identify', { messageId: email, traits: { email } })).status, 200);
    while (!simulator.leads.get(email)) await request(`${server.url}/healthz`);
    disperse(idle);
  }
});
