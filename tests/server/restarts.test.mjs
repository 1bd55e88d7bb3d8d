/** Started and stopped again and again, and twice on one database: what was answered 200 arrives, all the same. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { arrived, SHARED_FIELDS, startLoad } from './load.mjs';
import { INTERVAL, marketoWorld } from './marketo_world.mjs';
import { runServer } from './server_process.mjs';

/** @typedef {Awaited<ReturnType<typeof marketoWorld>>} World */

/** @param {World} world @param {import('./load.mjs').Load} load */
async function assertAllThere(world, load) {
  const missing = () => {
    const there = arrived(world.simulator);
    return [...load.taken].filter((n) => !there.has(n));
  };
  await world.drive(() => missing().length === 0, { timeout: 30_000 });
  assert.deepEqual([...arrived(world.simulator)].filter((n) => !load.sent.has(n)), []);
  assert.deepEqual(world.simulator.rest.overlaps, []);
}

test('a storm of restarts under load: twenty times, SIGTERM at any moment, even before it listens', { timeout: 120_000 }, async (t) => {
  const world = await marketoWorld(t, { simulator: { fields: SHARED_FIELDS, keepBodies: false } });
  world.simulator.faults.callDelayMs = 10;
  const load = startLoad(world, { connections: 8 });
  const timer = setInterval(() => world.clock.advance(500), 25);
  let early = 0;
  try {
    for (let n = 0; n < 20; n++) {
      await delay(Math.random() * 100);
      await world.stop(); // fails unless it ends with 0
      if (n % 2 === 0) {
        // One that is stopped while it starts: it ends as it is told, or by the signal itself, and breaks nothing.
        const { child, closed, output } = runServer(...world.command());
        await delay(Math.random() * 60);
        child.kill();
        const code = await closed;
        assert.ok(code === 0 || child.signalCode === 'SIGTERM', `${code} ${output()}`);
        if (!output().includes('listening')) early++;
      }
      await world.start();
    }
  } finally {
    clearInterval(timer);
    await load.stop();
  }
  t.diagnostic(`${load.taken.size} messages were taken, of ${load.sent.size} sent; ${early} servers had not listened yet`);
  assert.ok(load.taken.size > 100);
  assert.deepEqual([...load.answers.keys()].filter((status) => ![0, 200, 503].includes(status)), []);
  await assertAllThere(world, load);
});

test('a second server on the same database is refused, again and again, and the first one does not notice', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t, { simulator: { fields: SHARED_FIELDS, keepBodies: false } });
  const load = startLoad(world, { connections: 4 });
  for (let n = 0; n < 5; n++) {
    const second = runServer(...world.command());
    assert.equal(await second.closed, 1);
    assert.match(second.output(), /Another munchkin-server uses this database; each needs a database of its own, by --db\./);
    assert.doesNotMatch(second.output(), /listening/);
  }
  await load.stop();
  assert.ok(load.taken.size > 0);
  assert.deepEqual([...load.answers.keys()], [200]);
  world.clock.advance(INTERVAL);
  await assertAllThere(world, load);
  // Once the first is gone, even by SIGKILL, there is nothing in the way of the next.
  await world.stop('SIGKILL');
  await world.start();
  await world.identify('next@example.com', {});
  await world.drive(() => world.simulator.leads.has('next@example.com'));
});
