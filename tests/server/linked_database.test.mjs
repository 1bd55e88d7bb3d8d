/** A database by a symbolic link, as volumes are often mounted: it is the one that the link leads to, for all. */

import assert from 'node:assert/strict';
import { existsSync, linkSync, readdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { command, eventually, folderFor, intakeFor, MUNCHKIN_ID, refusal, REST, WRITE_KEY } from './intake.mjs';

/** @param {string} db */
const status = (db) => JSON.parse(command(['status', '--db', db, '--json']).stdout);

/** Settings of a server that would use this database. @param {string} db */
const settingsOf = (db) => ['--db', db, '--munchkin-id', MUNCHKIN_ID, '--write-key', WRITE_KEY];

test('a second server does not start on a database by a symbolic link to it, or to its folder', async (t) => {
  const intake = await intakeFor(t);
  const link = `${intake.db}-link`;
  const folder = join(folderFor(t), 'folder');
  symlinkSync(intake.db, link);
  symlinkSync(dirname(intake.db), folder);
  for (const db of [link, join(folder, 'munchkin.db')]) {
    const { code, said } = await refusal(settingsOf(db), REST);
    assert.equal(code, 1, said);
    assert.match(said, /Another munchkin-server uses this database/);
  }
  assert.deepEqual(readdirSync(dirname(link)).filter((name) => name.startsWith('munchkin.db-link')), ['munchkin.db-link']);
});

test('what was accepted by the link and not sent is sent by the real path, after a kill -9; status agrees', async (t) => {
  const real = join(folderFor(t), 'real.db');
  const link = join(folderFor(t), 'link.db');
  // Made by a server, since a link to nothing is refused.
  const first = await intakeFor(t, { args: ['--db', real] });
  await first.server.stop();
  symlinkSync(real, link);

  const byLink = await intakeFor(t, { args: ['--db', link, '--linger', '3600'] });
  for (let n = 0; n < 20; n++) {
    assert.equal((await byLink.post('/v1/identify', { traits: { email: `p${n}@example.com` } })).status, 200);
  }
  // While they are sorted, a message may be counted as the lead's that it has become, too.
  await eventually(() => status(link).messagesWaiting === 0, 'all of them sorted');
  const waits = (/** @type {string} */ db) => status(db).messagesWaiting + status(db).leadsWaiting;
  assert.deepEqual([waits(link), waits(real)], [20, 20]);
  await byLink.server.stop('SIGKILL');
  assert.deepEqual(status(link), status(real));
  assert.equal(waits(real), 20);

  const { simulator, advance } = await intakeFor(t, { args: ['--db', real] });
  advance(3_600_000); // for which they linger
  await eventually(() => simulator.leadsById.size === 20, 'all leads');
});

test('a link that leads nowhere, and a database of several names, are told of', async (t) => {
  const folder = folderFor(t);
  const link = join(folder, 'link.db');
  symlinkSync(join(folder, 'nowhere.db'), link);
  for (const args of [settingsOf(link), [...settingsOf(link), '--check']]) {
    const { code, said } = await refusal(args, REST);
    assert.equal(code, 1, said);
    assert.match(said, /a symbolic link to a file that is not there/);
  }
  assert.match(command(['status', '--db', link]).stderr, /a symbolic link to a file that is not there/);
  assert.deepEqual(readdirSync(folder), ['link.db']);
  unlinkSync(link);

  const { db, server } = await intakeFor(t);
  linkSync(db, link);
  const { code, said } = await refusal(settingsOf(link), REST);
  assert.equal(code, 1, said);
  assert.match(said, /several names \(hard links/);
  assert.match(command(['status', '--db', link]).stderr, /several names/);
  unlinkSync(link);
  await server.stop();

  // The file beside it: somewhere else, and nowhere.
  const accepted = `${db}-accepted`;
  const elsewhere = join(folder, 'elsewhere');
  renameSync(accepted, elsewhere);
  symlinkSync(elsewhere, accepted);
  for (const what of ['a file', 'nothing']) {
    const { code, said } = await refusal(settingsOf(db), REST);
    assert.deepEqual([code, /a symbolic link in place of/.test(said)], [1, true], `${what}: ${said}`);
    assert.match(command(['status', '--db', db]).stderr, /a symbolic link in place of/, what);
    rmSync(elsewhere, { force: true });
  }
  assert.ok(!existsSync(elsewhere), 'nothing is made by the link');
});
