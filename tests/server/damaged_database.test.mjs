/** A database that was damaged: the server does not start on it, says what to do, and leaves every byte as it was. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, readdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { holdDatabase } from './held_database.mjs';
import { command, eventually, folderFor, intakeFor, MUNCHKIN_ID, REST, WRITE_KEY } from './intake.mjs';
import { isRoot } from './process_memory.mjs';
import { SERVER, startServer, UNDER_VALGRIND } from './server_process.mjs';

const WHOLE = 200;
const LOGGED = 240;
const WAITING = 200;

/** The two files of a database, and their logs. */
const SUFFIXES = ['', '-wal', '-accepted', '-accepted-wal'];

/**
 * What became of the database of a server: all is in one file, or in the log beside it, as it was killed. Or it is
 * accepted and was not carried out.
 */
const made = folderFor({ after });

/** @param {string} from @param {string} to */
function copyAll(from, to) {
  for (const suffix of SUFFIXES) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
}

/** One of those that were made. @param {'whole' | 'logged' | 'waiting'} name @param {string} db */
const copy = (name, db) => copyAll(join(made, `${name}.db`), db);

/** @type {{after: (end: () => Promise<void> | void) => void}[]} */
const endings = [];
const t = { after: (/** @type {any} */ end) => endings.unshift(end) };
{
  const intake = await intakeFor(t, { args: ['--linger', '3600'] });
  // Fewer than would make a call full, so that all of them wait.
  const send = async (/** @type {number} */ from, /** @type {number} */ to) => {
    for (let n = from; n < to; n += 20) {
      const batch = Array.from({ length: 20 }, (_, i) => ({ type: 'identify', messageId: `m${n + i}`, traits: { email: `p${n + i}@example.com`, address: 'x'.repeat(3000) } }));
      assert.equal((await intake.post('/v1/batch', { batch })).status, 200);
    }
  };
  const carriedOut = () => eventually(() => JSON.parse(command(['status', '--json', '--db', intake.db]).stdout).messagesWaiting === 0, 'all of it');
  await send(0, WHOLE);
  await carriedOut();
  await intake.server.stop();
  copyAll(intake.db, join(made, 'whole.db'));
  await intake.restart();
  await send(WHOLE, LOGGED);
  await carriedOut();
  await intake.server.stop('SIGKILL');
  copyAll(intake.db, join(made, 'logged.db'));
  await intake.restart();
  const letGo = await holdDatabase(intake.db);
  await send(LOGGED, LOGGED + WAITING);
  await intake.server.stop('SIGKILL');
  await letGo();
  // Who opens and closes it copies its log into it.
  spawnSync('python3', ['-c', 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM request").fetchall()', `${intake.db}-accepted`]);
  copyAll(intake.db, join(made, 'waiting.db'));
  for (const end of endings) await /** @type {any} */ (end)();
}

const PAGE = 4096;
const noise = (/** @type {number} */ length) => Buffer.from(Array.from({ length }, (_, i) => (i * 7919 + 13) % 251));

/** @param {string} file @param {number} at @param {Buffer} bytes */
function overwrite(file, at, bytes) {
  const all = readFileSync(file);
  bytes.copy(all, at);
  writeFileSync(file, all);
}

/** Every file of a folder, with its content. @param {string} folder */
const contents = (folder) => Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('latin1')]));

/** No byte of it has changed; beside it there may be what holds nothing. @param {string} folder @param {Record<string, string>} before */
function assertLeft(folder, before) {
  const after = contents(folder);
  for (const [name, content] of Object.entries(before)) assert.ok(after[name] === content, `${name} has changed`);
  assert.equal(after['munchkin.db.lock'], '');
  if (!('munchkin.db-wal' in before)) assert.equal(after['munchkin.db-wal'] ?? '', '');
}

/** @type {Record<string, (db: string) => void>} each is given a sound database of a few hundred pages */
const damages = {
  'the header is noise': (db) => overwrite(db, 0, noise(100)),
  'the first page is noise behind the header': (db) => overwrite(db, 100, noise(PAGE - 100)),
  // Its second one, the root of the leads' table: one further behind may be free, and then holds nothing that could be damaged.
  'a page is noise': (db) => overwrite(db, PAGE, noise(PAGE)),
  'a page is zeros, as after a crash of the disk': (db) => overwrite(db, PAGE, Buffer.alloc(PAGE)),
  'the last quarter is missing': (db) => truncateSync(db, PAGE * Math.floor((statSync(db).size / PAGE) * 0.75)),
  'it ends in the middle of a page': (db) => truncateSync(db, statSync(db).size - 2 * PAGE - 1000),
  'there is only its first page': (db) => truncateSync(db, PAGE),
  'there are only a few bytes of it': (db) => truncateSync(db, 50),
  'it is a text': (db) => writeFileSync(db, 'This is a text, and has been one all along.\n'.repeat(200)),
  'it is packed': (db) => writeFileSync(db, Buffer.concat([Buffer.from('1f8b0800000000000003', 'hex'), noise(9000)])),
  'it is of another page size than it says': (db) => overwrite(db, 16, Buffer.from([0x20, 0])),
  'two of its pages have changed places': (db) => {
    const all = readFileSync(db);
    const [a, b] = [1, 2].map((n) => Buffer.from(all.subarray(PAGE * n, PAGE * (n + 1))));
    b.copy(all, PAGE);
    a.copy(all, PAGE * 2);
    writeFileSync(db, all);
  },
};

const settings = (/** @type {string} */ db) => ['--write-key', WRITE_KEY, '--db', db, '--munchkin-id', MUNCHKIN_ID, '--rest-url', 'http://127.0.0.1:9', '--webevents-url', 'http://127.0.0.1:9', '--listen', '127.0.0.1:0'];

/** What it says and ends with; that it runs is an end, too. @param {string[]} args @param {string[]} [program] */
function refusal(args, [program, ...before] = [SERVER]) {
  const { status, stdout, stderr } = spawnSync(program, [...before, ...args], { env: { PATH: String(process.env.PATH), ...REST }, encoding: 'utf8', timeout: 30_000 });
  return { code: status, said: stdout + stderr };
}

for (const [what, damage] of Object.entries(damages)) {
  test(`${what}: refused, and left as it is`, async (t) => {
    const folder = folderFor(t);
    const db = join(folder, 'munchkin.db');
    copy('whole', db);
    damage(db);
    const before = contents(folder);
    for (const args of [['--check'], [], ['--check'], []]) {
      const { code, said } = refusal([...settings(db), ...args]);
      assert.equal(code, 1, said);
      assert.match(said, /The database is damaged, or no database at all; it was left as it is\. Move it away/);
      assert.match(said, /can often be saved before that with the sqlite3 program's \.recover/);
      assert.doesNotMatch(said, /listening|example\.com|AddressSanitizer/);
    }
    // This one looks at no more than it needs.
    const { code, stderr } = command(['status', '--db', db]);
    assert.ok(code === 0 || stderr.length > 20, stderr);
    assertLeft(folder, before);
    // What it says to do helps.
    for (const name of readdirSync(folder)) renameSync(join(folder, name), join(folder, `old-${name}`));
    const server = await startServer({ args: settings(db), env: REST });
    assert.equal(await server.stop(), 0);
  });
}

for (const [what, damage] of Object.entries(damages)) {
  test(`of the file of accepted requests, ${what}: refused, and left as it is`, async (t) => {
    const folder = folderFor(t);
    const db = join(folder, 'munchkin.db');
    copy('waiting', db);
    damage(`${db}-accepted`);
    const before = contents(folder);
    for (const args of [['--check'], []]) {
      const { code, said } = refusal([...settings(db), ...args]);
      assert.equal(code, 1, said);
      assert.match(said, /The file of accepted requests, .* is damaged; it was left as it is\. Move it away/);
      assert.match(said, /can often be saved before that with the sqlite3 program's \.recover/);
      assert.doesNotMatch(said, /listening|example\.com|AddressSanitizer/);
    }
    assertLeft(folder, before);
    // What it says to do helps, and keeps the rest.
    renameSync(`${db}-accepted`, join(folder, 'old'));
    const server = await startServer({ args: [...settings(db), '--linger', '3600'], env: REST });
    const { leadsWaiting, messagesWaiting } = JSON.parse(command(['status', '--json', '--db', db]).stdout);
    assert.deepEqual([leadsWaiting, messagesWaiting], [LOGGED, 0]);
    assert.equal(await server.stop(), 0);
  });
}

test('without damage the same database is taken, its log as well', async (t) => {
  const folder = folderFor(t);
  const db = join(folder, 'munchkin.db');
  for (const [name, leads] of /** @type {[string, number][]} */ ([['whole', WHOLE], ['logged', LOGGED], ['waiting', LOGGED + WAITING]])) {
    copy(/** @type {any} */ (name), db);
    const server = await startServer({ args: [...settings(db), '--linger', '3600'], env: REST });
    const { stdout } = command(['status', '--json', '--db', db]);
    assert.equal(await server.stop(), 0);
    const { leadsWaiting, messagesWaiting } = JSON.parse(stdout); // each is a lead of its own
    assert.equal(leadsWaiting + messagesWaiting, leads);
  }
});

test('a database that is noise, where its log does not tell better: refused, and both are left as they are', (t) => {
  const folder = folderFor(t);
  const db = join(folder, 'munchkin.db');
  copy('logged', db);
  overwrite(db, 100 * PAGE, noise(3 * PAGE));
  const before = contents(folder);
  const { code, said } = refusal(settings(db));
  assert.equal(code, 1, said);
  assert.match(said, /The database is damaged/);
  assertLeft(folder, before);
});

for (const [what, damage] of /** @type {[string, (db: string) => void][]} */ ([
  ['empty', (db) => truncateSync(db, 0)],
  ['missing', (db) => renameSync(db, `${db}.elsewhere`)],
])) {
  test(`a database that is ${what}, where its log is there: refused, and the log is left as it is`, (t) => {
    const folder = folderFor(t);
    const db = join(folder, 'munchkin.db');
    copy('logged', db);
    damage(db);
    const before = contents(folder);
    const { code, said } = refusal(settings(db));
    assert.equal(code, 1, said);
    assert.match(said, /The database is damaged/);
    assertLeft(folder, before);
  });
}

test('a log that breaks off is used up to there: what is behind was never acknowledged, or is damage that none can see', async (t) => {
  const folder = folderFor(t);
  const db = join(folder, 'munchkin.db');
  copy('logged', db);
  const size = statSync(`${db}-wal`).size;
  truncateSync(`${db}-wal`, size - 100);
  const server = await startServer({ args: [...settings(db), '--linger', '3600'], env: REST });
  const { stdout } = command(['status', '--json', '--db', db]);
  assert.equal(await server.stop(), 0);
  const { leadsWaiting, messagesWaiting } = JSON.parse(stdout);
  const leads = leadsWaiting + messagesWaiting;
  assert.ok(leads >= WHOLE && leads <= LOGGED, stdout);
});

test('an empty file is a new database', async (t) => {
  const db = join(folderFor(t), 'munchkin.db');
  writeFileSync(db, '');
  const server = await startServer({ args: settings(db), env: REST });
  assert.equal(await server.stop(), 0);
  assert.equal(spawnSync(SERVER, ['status', '--db', db]).status, 0);
});

test('a database of another program, a folder, and a path into nowhere are told apart', async (t) => {
  const folder = folderFor(t);
  const db = join(folder, 'other.db');
  spawnSync('python3', ['-c', 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("CREATE TABLE t (x)")', db]);
  const before = readFileSync(db);
  for (const [path, words] of /** @type {[string, RegExp][]} */ ([
    [db, /database of another program; give another path by --db/],
    [folder, /This is no file, so it can be no database; give another path by --db/],
    [join(folder, 'nowhere', 'munchkin.db'), /its folder must exist/],
    ['/proc/munchkin.db', /cannot be opened/],
  ])) {
    const { code, said } = refusal(settings(path));
    assert.equal(code, 1);
    assert.match(said, words);
  }
  assert.deepEqual(readFileSync(db), before);
});

for (const [what, ending] of [
  ['the database', ''],
  ["the database's log", '-wal'],
  ['the index of that log', '-shm'],
  ['the file of accepted requests', '-accepted'],
  ['the log of that file', '-accepted-wal'],
]) {
  test(`${what} may be read and not written: refused, and left as it is`, async (t) => {
    const folder = folderFor(t);
    const db = join(folder, 'munchkin.db');
    // Root may write everything, so the server is another user's, and the file root's.
    const user = 65534;
    const wrap = isRoot ? ['setpriv', '--reuid', `${user}`, '--regid', `${user}`, '--clear-groups'] : [];
    const binary = UNDER_VALGRIND ? SERVER : join(folder, 'server');
    if (!UNDER_VALGRIND) copyFileSync(SERVER, binary);
    copy('logged', db);
    if (!existsSync(db + ending)) writeFileSync(db + ending, Buffer.alloc(32768));
    if (isRoot) for (const path of [folder, ...readdirSync(folder).map((name) => join(folder, name))]) chownSync(path, user, user);
    if (isRoot && refusal(['--version'], [...wrap, binary]).code !== 0) return t.skip('another user cannot run it here');
    if (isRoot) chownSync(db + ending, 0, 0);
    chmodSync(db + ending, isRoot ? 0o644 : 0o444);
    const files = readdirSync(folder).sort();
    const before = readFileSync(db + ending);
    for (const args of [['--check'], []]) {
      const { code, said } = refusal([...settings(db), ...args], [...wrap, binary]);
      assert.equal(code, 1, said);
      assert.match(said, /cannot be opened for reading and writing: its folder must exist, and that and all files of the database's name must be writable/);
      assert.doesNotMatch(said, /listening|can be used|AddressSanitizer/);
      assert.deepEqual(readFileSync(db + ending), before);
    }
    if (!ending.startsWith('-accepted')) assert.deepEqual(readdirSync(folder).filter((name) => !name.endsWith('.lock')).sort(), files);
    // Who only reads may do so.
    if (ending !== '-shm') assert.equal(refusal(['status', '--db', db], [...wrap, binary]).code, 0);
    // What it says to do helps.
    for (const name of readdirSync(folder)) {
      if (isRoot) chownSync(join(folder, name), user, user);
      chmodSync(join(folder, name), 0o700);
    }
    const server = await startServer({ args: [...settings(db), '--linger', '3600'], env: REST, wrap, binary });
    const { leadsWaiting } = JSON.parse(command(['status', '--json', '--db', db]).stdout);
    assert.equal(await server.stop(), 0, server.output());
    assert.equal(leadsWaiting, LOGGED);
  });
}
