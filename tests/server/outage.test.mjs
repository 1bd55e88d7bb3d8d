/** Marketo away, and a disk without room: nothing is lost that was taken, and nothing taken that would be. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { request } from './http_client.mjs';
import { cookieOf, INTERVAL, marketoWorld } from './marketo_world.mjs';

const HOUR = 3_600_000;
const FOR_EVER = 1_000_000;

/** @typedef {Awaited<ReturnType<typeof marketoWorld>>} World */

/** The value of a metric. @param {World} world @param {string} name */
async function metric(world, name) {
  const text = String((await request(`${world.url}/metrics`)).body);
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** Lets time go by, without a word from anybody. @param {World} world @param {number} milliseconds */
async function pass(world, milliseconds) {
  const end = world.clock.now() + milliseconds;
  await world.drive(() => world.clock.now() >= end, { step: 20_000 });
}

for (const [name, fault] of /** @type {[string, object][]} */ ([
  ['does not answer', { answer: 'reset' }],
  ['answers 503', { status: 503 }],
  ['answers with a page of somebody else', { answer: 'rubbish' }],
])) {
  test(`Marketo ${name} for an hour: nothing is lost`, { timeout: 60_000 }, async (t) => {
    const world = await marketoWorld(t);
    const { simulator } = world;
    await world.letPass('before@example.com');
    simulator.faults.calls.push({ ...fault, times: FOR_EVER }, { ...fault, path: '/identity/oauth/token', times: FOR_EVER });
    // To a collector a page is as good as an empty answer.
    simulator.faults.calls.push({ status: 503, path: '/webevents/visitWebPage', times: FOR_EVER });

    const people = Array.from({ length: 20 }, (_, n) => `lead${n}@example.com`);
    const calls = simulator.rest.calls.length;
    for (const [n, email] of people.entries()) {
      const context = { Marketo: { marketoCookie: cookieOf(n) } };
      await world.send('/v1/batch', {
        batch: [
          { type: 'identify', traits: { email, title: 'early' }, context },
          { type: 'page', properties: { url: `https://example.com/${n}` }, context },
        ],
      });
      await pass(world, HOUR / people.length);
      if (n === 10) {
        await world.stop();
        await world.start();
        await world.identify(people[0], { city: 'London' });
      }
    }
    assert.deepEqual([simulator.leadsById.size, simulator.events.length], [1, 0]);
    // It was asked now and then only.
    const attempts = simulator.rest.calls.length - calls + simulator.rest.callsByPath['GET /identity/oauth/token'];
    assert.ok(attempts >= 5 && attempts < 200, `${attempts} attempts`);

    simulator.faults.calls.length = 0;
    await world.drive(() => people.every((email) => simulator.leads.get(email)?.tokens.length) && simulator.events.length === people.length);
    await world.letPass('after@example.com');
    assert.equal(simulator.leadsById.size, people.length + 2);
    assert.deepEqual(simulator.leads.get(people[0])?.fields, { Email: people[0], Title: 'early', City: 'London' });
    assert.ok(people.every((email, n) => simulator.leads.get(email)?.visits[0]?.path === `/${n}`));
    assert.equal(simulator.events.length, people.length);
    assert.deepEqual(simulator.rest.overlaps, []);
    assert.equal(await metric(world, 'munchkin_server_dead_letters'), 0);
  });
}

/** A file system with little room, at a path of its own; null where that is not allowed. @param {import('node:test').TestContext} t */
function smallDisk(t) {
  const path = mkdtempSync(join(tmpdir(), 'munchkin-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path]).status === 0;
  t.after(() => {
    // Lazily, since the server may not have let go yet.
    if (mounted) spawnSync('umount', ['-l', path]);
    rmdirSync(path);
  });
  return mounted ? path : null;
}

test('a full disk: 503 until there is room again, and never a 200 for what is not kept', { timeout: 60_000 }, async (t) => {
  const disk = smallDisk(t);
  if (!disk) return t.skip('mounting a file system is not allowed here');
  const world = await marketoWorld(t, { db: join(disk, 'queue.db'), args: ['--allow-origin', 'https://www.example.com', '--rate-limit', '0', '--rate-limit-email', '0'] });
  const { simulator } = world;
  await world.letPass('before@example.com');

  const filler = join(disk, 'filler');
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(filler, Buffer.alloc((bavail - 40) * bsize));

  /** @type {Set<string>} */
  const taken = new Set();
  /** @type {Set<string>} */
  const refused = new Set();
  let count = 0;

  /** Sends one batch; says whether it was taken. */
  async function send() {
    const emails = Array.from({ length: 20 }, () => `lead${count++}@example.com`);
    const batch = emails.map((email) => ({ type: 'identify', messageId: email, traits: { email, address: 'x'.repeat(300) } }));
    const answer = await world.post('/v1/batch', { batch });
    for (const email of emails) (answer.status === 200 ? taken : refused).add(email);
    if (answer.status !== 200) {
      assert.equal(answer.status, 503);
      assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/);
      assert.match(JSON.stringify(answer.json), /not_stored|queue_full/);
    }
    return answer.status === 200;
  }

  while (await send()) assert.ok(count < 20_000, 'the disk never becomes full');
  assert.ok(taken.size > 0);
  for (let n = 0; n < 20; n++) await send();
  // The browser's way into the queue is the same.
  const lead = () =>
    request(`${world.url}/v1/lead`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain', Origin: 'https://www.example.com' },
      body: JSON.stringify({ traits: { email: 'page@example.com', address: 'y'.repeat(20_000) } }),
    });
  const answer = await lead();
  assert.ok(answer.status === 503 ? answer.headers['retry-after'] : answer.status === 202);
  assert.equal((await request(`${world.url}/healthz`)).status, 200);
  world.clock.advance(INTERVAL);

  rmSync(filler);
  // It looks again by itself; nobody has to start it anew.
  const end = Date.now() + 20_000;
  while (!(await send())) assert.ok(Date.now() < end, `it does not recover\n${world.output()}`);
  assert.equal((await lead()).status, 202);
  await world.drive(() => [...taken, 'page@example.com'].every((email) => simulator.leads.has(email)));
  assert.match(world.output(), /"event":"queue_failed"/);
  assert.match(world.output(), /"event":"queue_recovered"/);
  assert.deepEqual(simulator.rest.overlaps, []);

  // What was refused is not half there, and can be sent again with the same ids.
  assert.deepEqual([...refused].filter((email) => simulator.leads.has(email)), []);
  await world.send('/v1/batch', { batch: [...refused].map((email) => ({ type: 'identify', messageId: email, traits: { email } })) });
  await world.drive(() => [...refused].every((email) => simulator.leads.has(email)));
  assert.equal(simulator.leadsById.size, taken.size + refused.size + 2);
});
