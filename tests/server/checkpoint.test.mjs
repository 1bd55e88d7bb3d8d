/** The database's log is copied into the database while requests come without a pause. */

import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, intakeFor, REST } from './intake.mjs';

const MEGABYTE = 2 ** 20;
const BATCHES = 240;
const SENDERS = 8;

test('in a load that goes on the log is written from its start again and again', { timeout: 120_000 }, async (t) => {
  const { db, post, server, simulator, ask } = await intakeFor(t, { env: { ...REST, ASAN_OPTIONS: 'quarantine_size_mb=1' } });
  const size = (/** @type {string} */ end) => statSync(db + end).size / MEGABYTE;
  const filler = 'x'.repeat(4000);
  const batch = (/** @type {number} */ number) => ({
    batch: Array.from({ length: 100 }, (_, n) => ({ type: 'identify', messageId: `${number}-${n}`, traits: { email: `${number}.${n}@example.com`, filler } })),
  });
  let next = 0;
  let longest = 0;
  const send = async () => {
    while (next < BATCHES) {
      assert.equal((await post('/v1/batch', batch(next++))).status, 200);
      longest = Math.max(longest, size('-wal'));
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));

  // Each of nearly 100 MB has been in it, most of them twice: as a request, and as leads.
  assert.ok(longest > 10 && longest < 64, `${longest} MB`);
  assert.ok(size('') > 10, `${size('')} MB`);
  await eventually(() => ask('status').messagesWaiting === 0, 'the end of the sorting');
  await server.stop('SIGKILL');
  const { leadsWaiting, leadsInFlight } = ask('status');
  assert.equal(leadsWaiting + leadsInFlight + simulator.leadsById.size >= BATCHES * 100, true, `${leadsWaiting} + ${leadsInFlight} + ${simulator.leadsById.size}`);
});
