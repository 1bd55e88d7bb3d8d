/** One of the database's two files, moved away and put back later: what was acknowledged meanwhile arrives all the same. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { holdDatabase } from './held_database.mjs';
import { request } from './http_client.mjs';
import { eventually, intakeFor } from './intake.mjs';

/** As the sqlite3 program's .backup does. */
const BACK_UP = 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(sys.argv[2]))';

const emailOf = (/** @type {number} */ n) => `person-${n}@example.com`;

/** Sends leads, each acknowledged. @param {import('./intake.mjs').Intake} intake @param {number} from @param {number} to */
async function send(intake, from, to) {
  for (let n = from; n < to; n++) assert.equal((await intake.post('/v1/identify', { messageId: `m-${n}`, traits: { email: emailOf(n) } })).status, 200);
}

/** @param {import('./intake.mjs').Intake} intake @param {number} from @param {number} to */
const arrived = (intake, from, to) =>
  eventually(() => Array.from({ length: to - from }, (_, n) => emailOf(from + n)).every((email) => intake.simulator.leads.get(email)), `${from} to ${to}`);

/** What tells an alert of it. @param {import('./intake.mjs').Intake} intake @param {0 | 1} is */
const failing = async (intake, is) => String((await request(`${intake.server.url}/metrics`)).body).includes(`\nmunchkin_server_queue_failing ${is}\n`);

/** Acknowledged, and not carried out when it stops. @param {import('./intake.mjs').Intake} intake @param {number} from @param {number} to */
async function leaveWaiting(intake, from, to) {
  const letGo = await holdDatabase(intake.db);
  await send(intake, from, to);
  await intake.server.stop('SIGKILL');
  await letGo();
}

/** One of the two files, in place of another, with what SQLite keeps beside it. @param {string} from @param {string} to */
function move(from, to) {
  for (const end of ['', '-wal', '-shm']) {
    if (existsSync(to + end)) rmSync(to + end);
    if (existsSync(from + end)) renameSync(from + end, to + end);
  }
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
  move(`${db}.old`, db);
  await intake.restart();
  await arrived(intake, 300, 320);
  assert.match(intake.server.output(), /"level":"warning","event":"files_of_two_databases"/);

  // From then on they belong together.
  await intake.server.stop();
  await intake.restart();
  assert.doesNotMatch(intake.server.output(), /files_of_two_databases/);
});

/** Others are carried out, then what waits in the file that was put aside comes back and is sent. @param {import('./intake.mjs').Intake} intake */
async function putBackAfterOthers(intake) {
  await intake.restart();
  await send(intake, 400, 430);
  await arrived(intake, 400, 430);
  await intake.server.stop();
  move(`${intake.db}.aside`, `${intake.db}-accepted`);
  await intake.restart();
  await arrived(intake, 300, 320);
  assert.match(intake.server.output(), /files_of_two_databases/);
}

test('accepted requests that are put back beside a database that has carried out others: all of them are sent', async (t) => {
  const intake = await intakeFor(t);
  const { db } = intake;
  await leaveWaiting(intake, 300, 320);
  move(`${db}-accepted`, `${db}.aside`);
  await putBackAfterOthers(intake);
});

test('requests that were accepted after a backup, put back after that went on: all of them are sent', async (t) => {
  const intake = await intakeFor(t);
  const { db } = intake;
  await send(intake, 0, 50);
  await arrived(intake, 0, 50);
  for (const end of ['-accepted', '']) execFileSync('python3', ['-c', BACK_UP, db + end, `${db}.backup${end}`]);
  await leaveWaiting(intake, 300, 320);
  move(`${db}-accepted`, `${db}.aside`);
  move(`${db}.backup-accepted`, `${db}-accepted`);
  move(`${db}.backup`, db);
  await putBackAfterOthers(intake);
});

test('files that are moved away while it runs: 503, said once, until they are back; and what was acknowledged is there', async (t) => {
  const intake = await intakeFor(t);
  const folder = dirname(intake.db);
  const files = () => readdirSync(folder).filter((name) => /^munchkin\.db/.test(name) && !/lock$/.test(name));
  await send(intake, 0, 10);
  await arrived(intake, 0, 10);
  assert.ok(await failing(intake, 0));
  const moved = files();
  for (const name of moved) renameSync(join(folder, name), join(folder, `away-${name}`));
  for (let n = 10; n < 13; n++) assert.equal((await intake.post('/v1/identify', { traits: { email: emailOf(n) } })).status, 503);
  assert.deepEqual(files(), [], 'nothing is made in their place');
  const said = () => intake.server.output().match(/"event":"queue_failed","message":"its file was moved away or deleted/g) ?? [];
  assert.ok(said().length === 1 || said().length === 2, intake.server.output()); // by the thread that accepts, and maybe by the other
  assert.ok(await failing(intake, 1));
  await eventually(() => said().length === 2, 'the other one to notice');
  // First the file of what is accepted, with which one of the two can go on.
  const putBack = (/** @type {string[]} */ names) => names.forEach((name) => renameSync(join(folder, `away-${name}`), join(folder, name)));
  putBack(moved.filter((name) => name.includes('-accepted')));
  await send(intake, 20, 21);
  assert.match(intake.server.output(), /queue_recovered/);
  assert.ok(await failing(intake, 1));
  putBack(moved.filter((name) => !name.includes('-accepted')));
  await send(intake, 21, 30);
  await arrived(intake, 20, 30);
  await eventually(() => failing(intake, 0), 'all well');
  const before = said().length;

  // The database alone: what is accepted has a file that is there.
  renameSync(intake.db, `${intake.db}.away`);
  await send(intake, 30, 40);
  await eventually(() => said().length > before, 'the worker to notice');
  await eventually(() => failing(intake, 1), 'an alert of it');
  renameSync(`${intake.db}.away`, intake.db);
  await arrived(intake, 30, 40);
  await eventually(() => failing(intake, 0), 'all well again');
});
