/** The database's log is copied into the database while requests come without a pause. */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, intakeFor, REST } from './intake.mjs';
import { UNDER_VALGRIND } from './server_process.mjs';

const MEGABYTE = 2 ** 20;
const BATCHES = UNDER_VALGRIND ? 100 : 240;
const SENDERS = 8;

const filler = 'x'.repeat(4000);

/** @param {number} number */
const batchOf = (number) => ({
  batch: Array.from({ length: 100 }, (_, n) => ({ type: 'identify', messageId: `${number}-${n}`, traits: { email: `${number}.${n}@example.com`, filler } })),
});
const env = { ...REST, ASAN_OPTIONS: 'quarantine_size_mb=1' };

test('in a load that goes on the log is written from its start again and again', { timeout: 120_000 }, async (t) => {
  const { db, post, ask } = await intakeFor(t, { env });
  const size = (/** @type {string} */ end) => statSync(db + end).size / MEGABYTE;
  let next = 0;
  const longest = { '-wal': 0, '-accepted-wal': 0 };
  const look = () => {
    for (const end of /** @type {const} */ (['-wal', '-accepted-wal'])) longest[end] = Math.max(longest[end], size(end));
  };
  const send = async () => {
    while (next < BATCHES) {
      assert.equal((await post('/v1/batch', batchOf(next++))).status, 200);
      look();
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  await eventually(() => {
    look();
    return ask('status').messagesWaiting === 0;
  }, 'all of it to be carried out');

  // All that was sent, 100 MB, has been in both: as requests, and as leads. How much there is when somebody looks is chance.
  for (const megabytes of Object.values(longest)) assert.ok(megabytes > 1 && megabytes < 64, JSON.stringify(longest));
  for (const end of ['', '-accepted']) assert.ok(size(end) > 10, `${size(end)} MB`);
});

test('kill -9 while the log is written and copied: the database is sound, and all that was acknowledged is there', { timeout: 120_000 }, async (t) => {
  const { post, server, simulator, advance, restart } = await intakeFor(t, { env });
  /** @type {number[]} */
  const acknowledged = [];
  let next = 0;
  const send = async () => {
    while (next < BATCHES) {
      const number = next++;
      const { status } = await post('/v1/batch', batchOf(number)).catch(() => ({ status: 0 }));
      if (status !== 200) return;
      acknowledged.push(number);
      if (acknowledged.length === BATCHES / 2) void server.stop('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  assert.ok(acknowledged.length >= BATCHES / 2 && acknowledged.length < BATCHES, `${acknowledged.length} batches`);
  await restart(); // which looks through all of the database
  const missing = new Set(acknowledged.flatMap((number) => batchOf(number).batch.map(({ traits }) => traits.email)));
  await eventually(() => {
    advance(5000);
    for (const email of missing) if (simulator.leads.has(email)) missing.delete(email);
    return missing.size === 0;
  }, `what was acknowledged of ${acknowledged.length} batches`);
});
