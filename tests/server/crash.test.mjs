/** What was answered with 200 reaches Marketo, whatever becomes of the server. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { arrived, SHARED_FIELDS, startLoad } from './load.mjs';
import { cookieOf, INTERVAL, marketoWorld, tokenOf } from './marketo_world.mjs';
import { UNDER_VALGRIND } from './server_process.mjs';

/** @typedef {Awaited<ReturnType<typeof marketoWorld>>} World */

/**
 * Time goes by, many times as fast as it does, until the promise that is returned is asked to end.
 * @param {World} world
 */
function letTimePass(world) {
  const timer = setInterval(() => world.clock.advance(500), 25);
  return () => clearInterval(timer);
}

/**
 * All that was taken is there, nothing is that was not sent, and no lead was in two calls at once.
 * @param {World} world
 * @param {import('./load.mjs').Load} load
 */
async function assertAllThere(world, load) {
  const missing = () => {
    const there = arrived(world.simulator);
    return [...load.taken].filter((n) => !there.has(n));
  };
  await world.drive(() => missing().length === 0, { timeout: UNDER_VALGRIND ? 120_000 : 30_000 }).catch((reason) => {
    throw new Error(`Of ${load.taken.size} that were taken these are missing: ${missing()}\n${reason.message}`);
  });
  assert.deepEqual([...arrived(world.simulator)].filter((n) => !load.sent.has(n)), []);
  assert.deepEqual(world.simulator.rest.overlaps, []);
  const emails = [...world.simulator.leadsById.values()].map(({ email }) => email);
  assert.deepEqual(emails.filter((email, index) => emails.indexOf(email) !== index), [], 'leads that are there twice');
}

test('kill -9, fifty times under load: every message that was taken arrives', { timeout: 290_000 }, async (t) => {
  const world = await marketoWorld(t, { simulator: { fields: SHARED_FIELDS, keepBodies: false } });
  // So that some calls are under way when the server is killed.
  world.simulator.faults.callDelayMs = 10;
  const load = startLoad(world);
  const stopTime = letTimePass(world);
  try {
    for (let kills = 0; kills < 50; kills++) {
      await delay(20 + Math.random() * 300);
      await world.stop('SIGKILL');
      await world.start();
    }
  } finally {
    stopTime();
    await load.stop();
  }
  t.diagnostic(`${load.taken.size} messages were taken, of ${load.sent.size} sent; answers ${JSON.stringify([...load.answers])}`);
  assert.ok(load.taken.size > (UNDER_VALGRIND ? 100 : 1000) && load.taken.size < load.sent.size);
  assert.deepEqual([...load.answers.keys()].filter((status) => status !== 0 && status !== 200 && status !== 503), []);
  await assertAllThere(world, load);
});

test('SIGTERM under load: every message that was taken is there after the next start', { timeout: UNDER_VALGRIND ? 240_000 : 60_000 }, async (t) => {
  const world = await marketoWorld(t, { simulator: { fields: SHARED_FIELDS, keepBodies: false } });
  world.simulator.faults.callDelayMs = 10;
  const load = startLoad(world);
  const stopTime = letTimePass(world);
  try {
    for (let stops = 0; stops < 8; stops++) {
      await delay(50 + Math.random() * 200);
      await world.stop('SIGTERM'); // fails unless it ends with 0
      await world.start();
    }
  } finally {
    stopTime();
    await load.stop();
  }
  assert.ok(load.taken.size > 100);
  await assertAllThere(world, load);
});

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGTERM', 'SIGKILL'])) {
  test(`a repeated messageId is stored once, across ${signal} too`, { timeout: UNDER_VALGRIND ? 240_000 : 60_000 }, async (t) => {
    const world = await marketoWorld(t);
    const visit = (/** @type {string} */ id) =>
      world.send('/v1/track', { messageId: id, event: id, context: { Marketo: { marketoCookie: cookieOf(7) } } });
    const paths = () => world.simulator.events.map(({ path }) => path);

    await visit('once');
    await visit('once');
    await world.identify('ada@example.com', { firstName: 'Ada' }, { messageId: 'first' });
    await world.drive(() => world.syncsOf('ada@example.com').length > 0 && paths().length > 0);
    await world.stop(signal);
    await world.start();
    await visit('once');
    await world.send('/v1/batch', {
      batch: [
        { type: 'track', messageId: 'once', event: 'once', context: { Marketo: { marketoCookie: cookieOf(7) } } },
        { type: 'track', messageId: 'other', event: 'other', context: { Marketo: { marketoCookie: cookieOf(7) } } },
      ],
    });
    // The same id is the same message, whatever it says now.
    await world.identify('ada@example.com', { firstName: 'Eve' }, { messageId: 'first' });
    world.clock.advance(2 * INTERVAL);
    await world.letPass('marker@example.com');
    await world.drive(() => paths().includes('/event/other'));
    // What Marketo had answered and the server had no time to note down, before it was killed, it sends once more.
    const killed = signal === 'SIGKILL';
    assert.deepEqual(killed ? [...new Set(paths())] : paths(), ['/event/once', '/event/other']);
    assert.ok(world.simulator.events.every(({ token }) => token === tokenOf(7)));
    assert.equal(world.simulator.leads.get('ada@example.com')?.fields.FirstName, 'Ada');
    const syncs = world.syncsOf('ada@example.com').map(({ sent }) => sent.firstName);
    assert.deepEqual(killed ? [...new Set(syncs)] : syncs, ['Ada']);
  });
}
