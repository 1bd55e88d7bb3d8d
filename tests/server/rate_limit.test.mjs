import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { askForHash, request } from './http_client.mjs';
import { kilobytes, ORIGIN, serverFor } from './server_process.mjs';

/**
 * The statuses of as many requests one after another, each about another e-mail address.
 * @param {{url: string}} server
 * @param {number} count
 * @param {{localAddress?: string, origin?: string, headers?: Record<string, string>}} [options]
 */
async function statusesOf(server, count, options) {
  const statuses = [];
  for (let i = 0; i < count; i++) statuses.push((await askForHash(server, { email: `${i}@b.co` }, options)).status);
  return statuses;
}

test('an address gets 60 hashes a minute; then 429, with the seconds to wait', async (t) => {
  const server = await serverFor(t);
  assert.deepEqual(await statusesOf(server, 60), Array(60).fill(200));
  // A new one comes each second, so a slow machine may get one more.
  const more = await statusesOf(server, 5);
  assert.ok(more.includes(429), `${more}`);
  let refused;
  do refused = await askForHash(server, { email: 'a@b.co' });
  while (refused.status === 200);
  assert.equal(refused.json.error, 'rate_limited');
  assert.equal(refused.headers['retry-after'], '1');
  assert.equal(refused.headers['access-control-allow-origin'], ORIGIN, 'so that the page can read it');
  assert.equal(refused.headers['access-control-expose-headers'], 'Retry-After');

  // One address's limit is not another's, and what names another address in a header is still the same client.
  assert.deepEqual(await statusesOf(server, 1, { localAddress: '127.0.0.2' }), [200]);
  const forged = await statusesOf(server, 5, { headers: { 'X-Forwarded-For': '203.0.113.7', Forwarded: 'for=203.0.113.7' } });
  assert.ok(forged.includes(429), `${forged}`);
});

test('after the wait there is one again', async (t) => {
  const server = await serverFor(t, { args: ['--rate-limit', '30'] });
  await statusesOf(server, 30);
  const refused = await askForHash(server, { email: 'a@b.co' });
  assert.equal(refused.status, 429);
  const wait = Number(refused.headers['retry-after']);
  assert.ok(wait === 1 || wait === 2, `${wait}`);
  await new Promise((resolve) => setTimeout(resolve, wait * 1000));
  assert.equal((await askForHash(server, { email: 'a@b.co' })).status, 200);
});

test('preflights, refused origins and other paths cost nothing; a bad e-mail does', async (t) => {
  const server = await serverFor(t, { args: ['--rate-limit', '1'] });
  for (let i = 0; i < 5; i++) {
    assert.equal((await request(`${server.url}/v1/hash`, { method: 'OPTIONS', headers: { Origin: ORIGIN } })).status, 204);
    assert.equal((await askForHash(server, { email: 'a@b.co' }, { origin: 'https://evil.example' })).status, 403);
    assert.equal((await request(`${server.url}/healthz`)).status, 200);
  }
  assert.equal((await askForHash(server, { email: 'none' })).status, 400);
  assert.equal((await askForHash(server, { email: 'a@b.co' })).status, 429);
});

test('0 is no limit', async (t) => {
  const server = await serverFor(t, { args: ['--rate-limit', '0', '--rate-limit-email', '0'] });
  assert.deepEqual(await statusesOf(server, 200), Array(200).fill(200));
});

test('behind a trusted proxy each of its clients has a limit of its own, and cannot write itself another', async (t) => {
  const server = await serverFor(t, { args: ['--rate-limit', '1', '--trust-proxy', '127.0.0.1', '--trust-proxy', '10.0.0.7'] });
  const ask = async (/** @type {string} */ forwarded, localAddress = '127.0.0.1') => {
    const headers = forwarded ? { 'X-Forwarded-For': forwarded } : undefined;
    return (await askForHash(server, { email: 'a@b.co' }, { headers, localAddress })).status;
  };
  assert.equal(await ask('203.0.113.1'), 200);
  assert.equal(await ask('203.0.113.1'), 429);
  assert.equal(await ask('203.0.113.2'), 200, 'another client');
  assert.equal(await ask('198.51.100.1, 203.0.113.2'), 429, 'what stands before it the client wrote');
  assert.equal(await ask('203.0.113.3, 10.0.0.7'), 200, 'through two proxies');
  assert.equal(await ask('203.0.113.3:4711'), 429, 'with a port');
  assert.equal(await ask('[2001:db8::1]:443'), 200);
  assert.equal(await ask('2001:db8::2'), 429, 'of one /64');
  assert.equal(await ask('2001:db8:0:1::2'), 200);
  assert.equal(await ask('unknown'), 200, 'the proxy itself');
  assert.equal(await ask(''), 429);
  assert.equal(await ask('203.0.113.9', '127.0.0.2'), 200, 'who is no proxy is taken for itself');
  assert.equal(await ask('203.0.113.8', '127.0.0.2'), 429);
});

test('a flood from many addresses lets nobody off, and keeps nobody out', { timeout: 60_000 }, async (t) => {
  const server = await serverFor(t, { args: ['--rate-limit', '2', '--rate-limit-email', '0', '--trust-proxy', '127.0.0.1'], env: { ASAN_OPTIONS: 'quarantine_size_mb=1' } });
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  t.after(() => agent.destroy());
  const body = '{"email":"a@b.co"}';
  const ask = async (/** @type {string} */ forwarded) =>
    (await request(`${server.url}/v1/hash`, { method: 'POST', agent, body, headers: { Origin: ORIGIN, 'X-Forwarded-For': forwarded } })).status;
  const used = ['198.51.100.1', '2001:db8:1:2::1'];
  for (const address of used) while ((await ask(address)) !== 429);
  const before = kilobytes(server);
  // More than the table has rows, each of a network of its own, and many of one.
  const flood = Array.from({ length: 6000 }, (_, n) =>
    n % 3 === 0 ? `10.${n >> 8}.${n & 255}.1` : n % 3 === 1 ? `2001:db8:${n.toString(16)}::1` : `2001:db8:ffff:ffff::${n.toString(16)}`,
  );
  const statuses = await Promise.all(flood.map(ask));
  const taken = (/** @type {number} */ kind) => statuses.filter((status, n) => n % 3 === kind && status === 200).length;
  assert.deepEqual([taken(0), taken(1)], [2000, 2000], 'each has its own limit');
  assert.ok(taken(2) <= 4, `${taken(2)} of one /64`);
  // Their minute is not over: one more in thirty seconds is all that they get.
  for (const address of used) {
    await ask(address);
    assert.equal(await ask(address), 429, address);
  }
  assert.equal(await ask('203.0.113.200'), 200, 'who was not there before');
  assert.ok(kilobytes(server) - before < 20_000, `${kilobytes(server) - before} kB`);
});
