/** One of the database's two files, moved away and put back later: what was acknowledged meanwhile arrives all the same. */

import assert from 'node:assert/strict';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { holdDatabase } from './held_database.mjs';
import { eventually, intakeFor } from './intake.mjs';

const emailOf = (/** @type {number} */ n) => `person-${n}@example.com`;

/** Sends leads, each acknowledged. @param {import('./intake.mjs').Intake} intake @param {number} from @param {number} to */
async function send(intake, from, to) {
  for (let n = from; n < to; n++) assert.equal((await intake.post('/v1/identify', { messageId: `m-${n}`, traits: { email: emailOf(n) } })).status, 200);
}

/** @param {import('./intake.mjs').Intake} intake @param {number} from @param {number} to */
const arrived = (intake, from, to) =>
  eventually(() => Array.from({ length: to - from }, (_, n) => emailOf(from + n)).every((email) => intake.simulator.leads.get(email)), `${from} to ${to}`);

/** Acknowledged, and not carried out when it stops. @param {import('./intake.mjs').Intake} intake @param {number} from @param {number} to */
async function leaveWaiting(intake, from, to) {
  const letGo = await holdDatabase(intake.db);
  await send(intake, from, to);
  await intake.server.stop('SIGKILL');
  await letGo();
}

test('a database that is put back beside what was accepted for another one: all of that is sent, and the log says so', async (t) => {
  const intake = await intakeFor(t);
  const { db } = intake;
  await send(intake, 0, 100);
  await arrived(intake, 0, 100);
  await intake.server.stop();
  renameSync(db, `${db}.old`);
  await intake.restart();
  await send(intake, 200, 201);
  await arrived(intake, 200, 201);
  await leaveWaiting(intake, 300, 320);
  for (const end of ['', '-wal', '-shm']) if (existsSync(db + end)) rmSync(db + end);
  renameSync(`${db}.old`, db);
  await intake.restart();
  await arrived(intake, 300, 320);
  assert.match(intake.server.output(), /"level":"warning","event":"files_of_two_databases"/);

  // From then on they belong together.
  await intake.server.stop();
  await intake.restart();
  assert.doesNotMatch(intake.server.output(), /files_of_two_databases/);
});

test('accepted requests that are put back beside a database that has carried out others: all of them are sent', async (t) => {
  const intake = await intakeFor(t);
  const { db } = intake;
  await leaveWaiting(intake, 300, 320);
  for (const end of ['', '-wal', '-shm']) if (existsSync(`${db}-accepted${end}`)) renameSync(`${db}-accepted${end}`, `${db}.aside${end}`);
  await intake.restart();
  await send(intake, 400, 430);
  await arrived(intake, 400, 430);
  await intake.server.stop();
  for (const end of ['', '-wal', '-shm']) if (existsSync(`${db}.aside${end}`)) renameSync(`${db}.aside${end}`, `${db}-accepted${end}`);
  await intake.restart();
  await arrived(intake, 300, 320);
  assert.match(intake.server.output(), /files_of_two_databases/);
});
