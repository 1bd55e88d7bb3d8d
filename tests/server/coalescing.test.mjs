/** What reaches Marketo, when, and in how many calls: as the simulator saw it, by a clock that the test moves. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { INTERVAL, LINGER, marketoWorld } from './marketo_world.mjs';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ADA = 'ada@example.com';

/** @typedef {Awaited<ReturnType<typeof marketoWorld>>} World */

/** What each sync of a lead sent beside its key. @param {World} world @param {string} email */
const sentOf = (world, email) => world.syncsOf(email).map(({ sent }) => sent);

test('a lead lingers, then goes; what comes after that waits for 30 seconds', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const begun = world.clock.now();
  await world.identify(ADA, { title: 'one' });
  await world.drive(() => world.syncsOf(ADA).length === 1, { step: 200 });
  const first = world.syncsOf(ADA)[0].at;
  assert.ok(first - begun >= LINGER && first - begun < INTERVAL, `${first - begun} ms`);

  await world.identify(ADA, { title: 'two' });
  // Others go meanwhile.
  world.clock.advance(10_000);
  await world.letPass('early@example.com');
  world.clock.advance(first + INTERVAL - 1500 - LINGER - world.clock.now());
  await world.identify('late@example.com', { title: 'x' });
  world.clock.advance(LINGER);
  await world.until(() => world.syncsOf('late@example.com').length === 1);
  assert.equal(world.syncsOf(ADA).length, 1);

  await world.drive(() => world.syncsOf(ADA).length === 2, { step: 100 });
  const second = world.syncsOf(ADA)[1].at;
  assert.ok(second - first >= INTERVAL && second - first < 2 * INTERVAL, `${second - first} ms`);
  assert.deepEqual(sentOf(world, ADA), [{ title: 'one' }, { title: 'two' }]);
  assert.equal(world.simulator.leadsById.size, 3);
});

test('one who is identified all the time is synced twice a minute', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const begun = world.clock.now();
  let count = 0;
  while (world.clock.now() - begun < 5 * 60_000) {
    await world.identify(ADA, { title: `title ${++count}` });
    world.clock.advance(2000);
    if (count % 5 === 0) await world.until(() => world.simulator.rest.calls.every(({ status }) => status > 0));
    // Its time goes by only as fast as the server comes along.
    if (count % 30 === 0) await world.until(() => world.syncsOf(ADA).length >= count / 30);
  }
  await world.drive(() => world.simulator.leads.get(ADA)?.fields.Title === `title ${count}`);
  const times = world.syncsOf(ADA).map(({ at }) => at);
  const gaps = times.slice(1).map((at, index) => at - times[index]);
  assert.ok(gaps.every((gap) => gap >= INTERVAL), `${gaps}`);
  assert.ok(count > 140 && times.length >= 4 && times.length <= 12, `${count} identifies in ${times.length} calls`);
});

test('what waits is merged: the newest value of each field, none is dropped', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const at = (/** @type {number} */ seconds) => ({ timestamp: new Date(world.clock.now() + seconds * 1000).toISOString() });
  await world.identify(ADA, { firstName: 'A.', title: 'Countess', city: 'London' }, at(-60));
  await world.identify('ADA@example.com', { firstName: 'Ada', phone: '1' }, at(-40));
  // Older than what is there, though it comes later.
  await world.identify(ADA, { phone: '0', firstName: 'Augusta', company: 'Engines' }, at(-50));
  await world.send('/v1/batch', { batch: [{ type: 'identify', userId: ADA, traits: { industry: 'Computing', city: 'Ockham' }, ...at(-30) }] });
  await world.carriedOut();
  await world.drive(() => world.syncs().length > 0);
  await world.letPass('marker@example.com');
  assert.deepEqual(world.syncs().map(({ input }) => input.length), [1, 1]);
  assert.deepEqual(world.simulator.leads.get(ADA)?.fields, {
    ...{ Email: world.simulator.leads.get(ADA)?.fields.Email, FirstName: 'Ada', Title: 'Countess', City: 'Ockham', Phone: '1' },
    ...{ Company: 'Engines', Industry: 'Computing', UserId: ADA },
  });
  assert.equal(world.simulator.leadsById.size, 2);
});

test('names in another case are of the same field: the newest value is sent, and what is sent again after another', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const phone = () => world.simulator.leads.get(ADA)?.fields.Phone;
  await world.identify(ADA, { Phone: '1', title: 'Countess' });
  await world.identify(ADA, { PHONE: '2' });
  await world.carriedOut();
  await world.drive(() => world.syncsOf(ADA).length === 1);
  assert.equal(phone(), '2');
  await world.letPass('second@example.com');
  for (const [count, traits] of /** @type {[number, object][]} */ ([[2, { phone: '3' }], [3, { PHONE: '1' }], [4, { Phone: '2' }]])) {
    await world.identify(ADA, traits);
    await world.drive(() => world.syncsOf(ADA).length === count);
    await world.letPass(`after${count}@example.com`);
    assert.equal(phone(), Object.values(traits)[0]);
  }
  // It has that already.
  await world.identify(ADA, { PHONE: '2' });
  await world.letPass('last@example.com');
  assert.equal(world.syncsOf(ADA).length, 4);
});

test('what comes while its lead is in flight waits for the next sync; nobody is in two calls', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const { rest, faults } = world.simulator;
  const inFlight = () => rest.calls.filter(({ path, status }) => path === '/rest/v1/leads.json' && status === 0);
  await world.identify('first@example.com', { title: 'x' });
  await world.drive(() => world.syncsOf('first@example.com').length > 0); // token and fields are there

  faults.calls.push({ path: '/rest/v1/leads.json', delayMs: 1500 });
  await world.identify(ADA, { title: 'one', city: 'London' });
  await world.drive(() => inFlight().length === 1);
  await world.identify(ADA, { title: 'two', phone: '2' });
  await world.identify(ADA, { title: 'three' });
  // Its 30 seconds go by while it is in flight, and others go.
  world.clock.advance(2 * INTERVAL);
  await world.letPass('other@example.com');
  assert.equal(inFlight().length, 1);
  assert.ok(world.syncs().slice(1).every(({ input }) => input.length === 1));

  await world.drive(() => world.simulator.leads.get(ADA)?.fields.Title === 'three');
  assert.deepEqual(sentOf(world, ADA), [{ title: 'one', city: 'London' }, { title: 'three', phone: '2' }]);
  assert.deepEqual(rest.overlaps, []);
});

test('a call that Marketo does not answer is made again with what has come meanwhile', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const { faults, rest } = world.simulator;
  // Carried out, for all that anybody knows.
  faults.calls.push({ path: '/rest/v1/leads.json', answer: 'reset', carriedOut: true, delayMs: 2000 });
  await world.identify(ADA, { title: 'one', city: 'London' });
  await world.drive(() => rest.callsByPath['POST /rest/v1/leads.json'] === 1);
  await world.identify(ADA, { title: 'two' });
  await world.carriedOut();
  await world.drive(() => world.simulator.leads.get(ADA)?.fields.Title === 'two');
  assert.deepEqual(sentOf(world, ADA), [{ title: 'one', city: 'London' }, { title: 'two', city: 'London' }]);
  assert.equal(world.simulator.leadsById.size, 1);
  assert.deepEqual(rest.overlaps, []);
});

test('a lead that has not changed costs no call for a day', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const traits = { firstName: 'Ada', title: 'Countess' };
  await world.identify(ADA, traits);
  await world.drive(() => world.syncsOf(ADA).length === 1);
  const first = world.syncsOf(ADA)[0].at;
  // Not before the answer is on disk, which nobody sees but by what comes next.
  await world.letPass('before@example.com');

  for (const hours of [1, 8, 16, 23]) {
    world.clock.advance(first + hours * HOUR - world.clock.now());
    await world.identify(ADA, traits);
    await world.letPass(`after${hours}@example.com`);
    assert.equal(world.syncsOf(ADA).length, 1, `after ${hours} hours`);
  }
  // Of one that has, what has.
  await world.identify(ADA, { ...traits, title: 'Programmer' });
  await world.drive(() => world.syncsOf(ADA).length === 2);
  assert.deepEqual(sentOf(world, ADA)[1], { title: 'Programmer' });

  // And after a day all that is a day old. The server counts from when it read the answer, before which a slow machine may
  // have seen the clock moved some more.
  world.clock.advance(first + DAY + 10 * MINUTE - world.clock.now());
  await world.identify(ADA, { ...traits, title: 'Programmer' });
  await world.drive(() => world.syncsOf(ADA).length === 3);
  assert.deepEqual(sentOf(world, ADA)[2], { email: ADA, firstName: 'Ada' });
  assert.deepEqual(world.simulator.leads.get(ADA)?.fields, { Email: ADA, FirstName: 'Ada', Title: 'Programmer' });
});

test('it is known after a restart, too, that a lead has not changed', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  await world.identify(ADA, { title: 'Countess' });
  await world.drive(() => world.simulator.leads.get(ADA));
  // Not before the answer is on disk, which nobody sees but by what comes next.
  await world.letPass('before@example.com');
  await world.stop();
  await world.start();
  world.clock.advance(HOUR);
  await world.identify(ADA, { title: 'Countess' });
  await world.letPass('after@example.com');
  assert.equal(world.syncsOf(ADA).length, 1);
});

test('leads share calls, 300 in each', { timeout: 60_000 }, async (t) => {
  const world = await marketoWorld(t);
  const messages = Array.from({ length: 700 }, (_, n) => ({ type: 'identify', traits: { email: `lead${n}@example.com`, title: `t${n}` } }));
  const begun = world.clock.now();
  for (let n = 0; n < messages.length; n += 100) await world.send('/v1/batch', { batch: messages.slice(n, n + 100) });
  // Full calls wait for nothing, the rest for its time.
  await world.until(() => world.syncs().length === 2);
  assert.ok(world.syncs().every(({ at }) => at - begun < LINGER));
  await world.drive(() => world.simulator.leadsById.size === 700);
  assert.deepEqual(world.syncs().map(({ input }) => input.length), [300, 300, 100]);
  assert.deepEqual(
    [...world.simulator.leadsById.values()].map(({ fields }) => `${fields.Email} ${fields.Title}`).sort(),
    messages.map(({ traits }) => `${traits.email} ${traits.title}`).sort(),
  );
});

test('a hundred people who change all the time, a slow Marketo: the last value of each field, no lead in two calls', { timeout: 120_000 }, async (t) => {
  const world = await marketoWorld(t);
  const { simulator } = world;
  simulator.faults.callDelayMs = 60;
  /** @type {Map<string, Record<string, string>>} */
  const expected = new Map();
  for (let turn = 0; turn < 60; turn++) {
    const batch = Array.from({ length: 50 }, (_, index) => {
      const email = `lead${Math.floor(Math.random() * 100)}@example.com`;
      const [trait, field] = [['title', 'Title'], ['city', 'City'], ['phone', 'Phone']][Math.floor(Math.random() * 3)];
      const value = `${turn}.${index}`;
      expected.set(email, { ...expected.get(email), Email: email, [field]: value });
      return { type: 'identify', traits: { email, [trait]: value } };
    });
    await world.send('/v1/batch', { batch });
    world.clock.advance(4000);
  }
  const different = () => [...expected].filter(([email, fields]) => {
    const there = simulator.leads.get(email)?.fields ?? {};
    return Object.entries(fields).some(([name, value]) => there[name] !== value);
  });
  await world.drive(() => different().length === 0);
  assert.deepEqual(simulator.rest.overlaps, []);
  assert.equal(simulator.leadsById.size, expected.size);
  for (const email of expected.keys()) {
    const times = world.syncsOf(email).map(({ at }) => at);
    assert.ok(times.every((at, index) => index === 0 || at - times[index - 1] >= INTERVAL), `${email} at ${times}`);
  }
  assert.ok(simulator.rest.mostAtOnce <= 5 && simulator.rest.mostInWindow <= 50);
});
