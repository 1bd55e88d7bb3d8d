import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askForHash, request } from './http_client.mjs';
import { ORIGIN, serverFor } from './server_process.mjs';

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
  const server = await serverFor(t, { args: ['--rate-limit', '0'] });
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
