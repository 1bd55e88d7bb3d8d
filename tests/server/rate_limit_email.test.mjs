/** The rate of each e-mail address: however many addresses ask about it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askForHash, request } from './http_client.mjs';
import { ORIGIN, serverFor } from './server_process.mjs';
import { SECRET, tokenFor } from './tokens.mjs';

const BEHIND_PROXY = ['--trust-proxy', '127.0.0.1'];

/** As another client each time. @param {{url: string}} server @param {number} client @param {object} body @param {string} [path] */
const ask = (server, client, body, path = '/v1/hash') =>
  request(`${server.url}${path}`, {
    method: 'POST',
    headers: { Origin: ORIGIN, 'X-Forwarded-For': `203.0.${client >> 8}.${client & 255}` },
    body: JSON.stringify(body),
  });

/** How many of `count` requests, from as many clients, got a hash; and the last that did not. @param {{url: string}} server @param {number} count @param {(i: number) => object} body */
async function flood(server, count, body) {
  const answers = await Promise.all(Array.from({ length: count }, (_, i) => ask(server, i, body(i))));
  return { taken: answers.filter(({ status }) => status === 200).length, refused: answers.findLast(({ status }) => status !== 200) };
}

test('a flood of hashes for one e-mail from many addresses gets 30 a minute; others are let alone', async (t) => {
  const server = await serverFor(t, { args: BEHIND_PROXY });
  const { taken, refused } = await flood(server, 200, () => ({ email: 'ada@example.com' }));
  // A new one comes every two seconds.
  assert.ok(taken >= 30 && taken <= 40, `${taken}`);
  assert.deepEqual([refused?.status, refused?.json.error], [429, 'rate_limited']);
  assert.match(String(refused?.headers['retry-after']), /^[12]$/);
  assert.equal(refused?.headers['access-control-allow-origin'], ORIGIN);
  assert.match(refused?.json.message, /e-mail/);
  assert.equal((await ask(server, 1000, { email: 'bob@example.com' })).status, 200);
  assert.equal((await flood(server, 60, (i) => ({ email: `${i}@example.com` }))).taken, 60);
});

test('both paths and both cases of letters count together', async (t) => {
  const server = await serverFor(t, { args: [...BEHIND_PROXY, '--rate-limit-email', '3'] });
  assert.equal((await ask(server, 1, { email: 'ada@example.com' })).status, 200);
  assert.equal((await ask(server, 2, { email: 'ADA@Example.com' })).status, 200);
  assert.equal((await ask(server, 3, { userId: 'ada@example.com', traits: {} }, '/v1/lead')).status, 200);
  const fourth = await ask(server, 4, { traits: { email: ' Ada@example.com' } }, '/v1/lead');
  assert.deepEqual([fourth.status, fourth.json.error], [429, 'rate_limited']);
  assert.match(String(fourth.headers['retry-after']), /^(19|20)$/);
});

test('after the wait there is one again', async (t) => {
  const server = await serverFor(t, { args: [...BEHIND_PROXY, '--rate-limit-email', '60'] });
  await flood(server, 60, () => ({ email: 'ada@example.com' }));
  let refused;
  do refused = await ask(server, 100, { email: 'ada@example.com' });
  while (refused.status === 200);
  const wait = Number(refused.headers['retry-after']);
  await new Promise((resolve) => setTimeout(resolve, wait * 1000));
  assert.equal((await ask(server, 101, { email: 'ada@example.com' })).status, 200);
});

test('who is refused for another reason does not use it up', async (t) => {
  const server = await serverFor(t, { args: ['--rate-limit', '3', '--rate-limit-email', '2'], env: { MUNCHKIN_TOKEN_SECRET: SECRET } });
  const email = 'ada@example.com';
  const token = tokenFor(email);
  const statuses = async (/** @type {object} */ body, /** @type {string} */ localAddress, times = 3) => {
    const all = [];
    for (let i = 0; i < times; i++) all.push((await askForHash(server, body, { localAddress })).status);
    return all;
  };
  assert.deepEqual(await statuses({ email }, '127.0.0.2'), [403, 403, 403]);
  assert.deepEqual(await statuses({ email, token: tokenFor('eve@example.com') }, '127.0.0.3'), [403, 403, 403]);
  // An address beyond its own rate is not asked whose e-mail it would have been.
  assert.deepEqual(await statuses({ email, token }, '127.0.0.2', 1), [429]);
  assert.deepEqual(await statuses({ email, token }, '127.0.0.4'), [200, 200, 429]);
});

test('0 is no limit', async (t) => {
  const server = await serverFor(t, { args: [...BEHIND_PROXY, '--rate-limit-email', '0'] });
  assert.equal((await flood(server, 100, () => ({ email: 'ada@example.com' }))).taken, 100);
});
