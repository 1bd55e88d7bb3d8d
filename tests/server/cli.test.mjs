/** The program's commands, and --check: for people, and as JSON for programs. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSimulator } from '../sim/simulator.mjs';
import { CLIENT, command, cookieOf, eventually, folderFor, intakeFor, MUNCHKIN_ID, refusal, REST } from './intake.mjs';
import { KEY, ORIGIN, runServer, SERVER } from './server_process.mjs';

const COMPLETE = ['--munchkin-id', MUNCHKIN_ID, '--write-key', 'k'];

test('status tells what waits, beside a server that runs', async (t) => {
  const { post, db, ask, server } = await intakeFor(t, { args: ['--linger', '3600'] });
  const context = { Marketo: { marketoCookie: cookieOf(1) } };
  await post('/v1/batch', { batch: [{ type: 'identify', userId: 'a@b.co' }, { type: 'identify', userId: 'held' }, {}] });
  const status = ask('status'); // once all is sorted in
  assert.deepEqual([status.leadsWaiting, status.leadsHeld, status.dead], [1, 1, 1]);
  assert.match(status.day, /^\d{4}-\d\d-\d\d$/);
  assert.ok(Math.abs(status.oldestWaiting - Date.now()) < 60_000);
  await post('/v1/track', { event: 'x', context });

  const { code, stdout } = command(['status', '--db', db]);
  assert.equal(code, 0);
  assert.match(stdout, /^leads waiting +1$/m);
  assert.match(stdout, /^leads held for an e-mail +1$/m);
  assert.match(stdout, /^dead letters +1$/m);
  assert.match(stdout, /^oldest waiting since +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, \d+ seconds$/m);
  await server.stop();
  assert.equal(ask('status').leadsWaiting, 1, 'without the server');
});

test('dead list, show, drop and retry', async (t) => {
  const intake = await intakeFor(t);
  const { post, ask, db, simulator } = intake;
  assert.equal(command(['dead', 'list', '--db', db]).stdout, 'There are no dead letters.\n');
  assert.deepEqual(ask('dead', 'list'), []);

  // One that Marketo refuses, one that can never be sent, one whose text would steer a terminal.
  simulator.faults.records = { 'refused@example.com': '1004' };
  await post('/v1/identify', { traits: { email: 'refused@example.com' } });
  await post('/v1/identify', { anonymousId: 'nobody' });
  await post('/v1/identify', { userId: '\u001b[2J\u0085evil\n', traits: { email: 'no' } });
  const letters = await eventually(() => {
    const list = ask('dead', 'list');
    return list.length === 3 && list;
  }, 'three dead letters');
  /** @param {(letter: any) => boolean} is */
  const idOf = (is) => String(letters.find(is).id);
  const refused = idOf(({ kind }) => kind === 'lead');
  const nobody = idOf(({ code }) => code === 'email_missing');
  const evil = idOf(({ code }) => code === 'email_invalid');

  const table = command(['dead', 'list', '--db', db]).stdout;
  assert.match(table, /^ +ID {2}SINCE/);
  assert.equal(table.split('\n').length, 5);
  assert.match(table, /lead +refused@example\.com/);
  assert.match(table, /email_missing +There is no e-mail address\./);
  for (const text of [table, command(['dead', 'show', evil, '--db', db]).stdout]) {
    assert.ok(![...text].some((c) => (c < ' ' && c !== '\n') || (c >= '\u007f' && c < '\u00a0')), JSON.stringify(text));
  }
  assert.equal(ask('dead', 'show', evil).who, '\u001b[2J\u0085evil\n');
  assert.deepEqual(ask('dead', 'show', nobody).payload, { anonymousId: 'nobody' });
  assert.match(command(['dead', 'show', nobody, '--db', db]).stdout, /^payload {2}\{"anonymousId":"nobody"\}$/m);

  assert.deepEqual(ask('dead', 'drop', evil), { dropped: 1 });
  const gone = command(['dead', 'show', evil, '--db', db]);
  assert.deepEqual([gone.code, gone.stdout], [1, '']);
  assert.match(gone.stderr, /there is no dead letter/);
  assert.equal(command(['dead', 'drop', evil, '--db', db]).code, 1);

  // By its number it was to be put back, and was not; of all, those that can be are.
  const never = command(['dead', 'retry', nobody, '--db', db]);
  assert.deepEqual([never.code, never.stdout.split('\n')[0]], [1, '0 dead letters put back into the queue.']);
  const neverAsJson = command(['dead', 'retry', nobody, '--db', db, '--json']);
  assert.deepEqual([neverAsJson.code, JSON.parse(neverAsJson.stdout)], [1, { retried: 0, unsendable: 1 }]);

  simulator.faults.records = {};
  const said = command(['dead', 'retry', 'all', '--db', db]).stdout;
  assert.match(said, /^1 dead letter put back into the queue\.$/m);
  assert.match(said, /^1 message can never be sent as it is/m);
  assert.ok(refused);
  assert.deepEqual(ask('dead', 'retry', 'all'), { retried: 0, unsendable: 1 });
  intake.advance(120_000);
  await eventually(() => simulator.leads.get('refused@example.com'), 'the lead');
  assert.deepEqual(ask('dead', 'drop', 'all'), { dropped: 1 });
});

test('a text of any length and kind is one string of JSON', async (t) => {
  const { post, ask } = await intakeFor(t);
  const userId = 'é\u0001"\\\u{1f600}\u0000x'.repeat(700);
  await post('/v1/identify', { userId, traits: { email: 'no' } });
  assert.equal(ask('dead', 'list')[0].who, userId);
});

test('what could not be written is told of, and no success', async (t) => {
  const { post, db, simulator, ask } = await intakeFor(t);
  await post('/v1/identify', { anonymousId: 'nobody' });
  const [{ id }] = ask('dead', 'list');
  const checks = [...COMPLETE, '--rest-url', simulator.url, '--db', db, '--check'];
  for (const args of [['status'], ['dead', 'list'], ['dead', 'show', String(id)]].flatMap((words) => [words, [...words, '--json']])) {
    assert.equal(command([...args, '--db', db]).code, 0);
    const { status, stderr } = spawnSync('sh', ['-c', 'exec "$@" >/dev/full', 'sh', SERVER, ...args, '--db', db], { encoding: 'utf8' });
    assert.deepEqual([status, /could not be written/.test(stderr)], [1, true], `${args.join(' ')}: ${stderr}`);
  }
  for (const args of [checks, ['--allow-origin', ORIGIN, '--check'], ['--help'], ['--version'], ['status', '--help']]) {
    const env = { PATH: String(process.env.PATH), ...(args === checks ? REST : { MARKETO_API_PRIVATE_KEY: KEY }) };
    const { child, closed, output } = runServer(args, env, ['sh', '-c', 'exec "$@" >/dev/full', 'sh']);
    child.stdout.resume();
    assert.deepEqual([await closed, /could not be written/.test(output())], [1, true], `${args.join(' ')}: ${output()}`);
  }
});

test('commands that are asked wrongly say what there is', (t) => {
  const db = join(folderFor(t), 'none.db');
  for (const words of [['nonsense'], ['status', 'more'], ['dead'], ['dead', 'list', '1'], ['dead', 'show'], ['dead', 'bury', '1'], ['dead', 'show', '1', '2']]) {
    const { code, stderr } = command([...words, '--db', db]);
    assert.equal(code, 2, words.join(' '));
    assert.match(stderr, /dead show ID/);
  }
  for (const [words, problem] of /** @type {[string[], RegExp][]} */ ([
    [['dead'], /: dead takes list alone, or one of show, retry and drop with one ID\.\n/],
    [['dead', 'retry', '5', '6'], /: dead takes .* with one ID\.\n/],
    [['dead', 'retry', '-1'], /'1'\n.* An ID is a number that dead list tells\.\n/],
    [['status', 'more'], /: status takes nothing more\.\n/],
    [['status', '--nonsense'], /: there is no option '--nonsense'\.\n/],
  ])) {
    const { code, stderr } = command([...words, '--db', db]);
    assert.deepEqual([code, problem.test(stderr), /There are: status, dead list/.test(stderr)], [2, true, true], stderr);
  }
  for (const stray of [['--db', db, 'hidden'], ['--write-key', 'one', 'hidden'], ['hidden', '--db', db]]) {
    const { stderr } = command(stray);
    assert.match(stderr, /: (one of its arguments is no option|there is no such command)/);
    assert.doesNotMatch(stderr, /hidden/, 'it may be a key');
  }
  assert.match(command(['--linger', '5', 'status']).stderr, / A command, such as status, comes first/);
  assert.match(command(['--db']).stderr, /--help lists the options/);
  const missing = command(['status', '--db', db]);
  assert.equal(missing.code, 1);
  assert.ok(missing.stderr.includes(db), missing.stderr);
});

test('--help is answered by commands too, and what --json belongs to is said', (t) => {
  const { stdout } = command(['--help']);
  const db = join(folderFor(t), 'none.db');
  for (const words of [['status', '--help'], ['dead', '--help'], ['dead', 'list', '--db', db, '--help'], ['--json', 'status', '--help'], ['nonsense', '--help']]) {
    assert.deepEqual(command(words), { code: 0, stdout, stderr: '' }, words.join(' '));
  }
  for (const args of [['--json'], ['--json=hidden'], ['--json', '--check'], ['--db', db, '--json']]) {
    const { code, stderr } = command(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, /^munchkin-server: --json is for the commands status and dead, as in: munchkin-server status --json\n/);
    assert.doesNotMatch(stderr, /hidden|no option/);
  }
});

test('what getopt says is ours: no path before it', () => {
  for (const args of [['--listen'], ['--check=x'], ['-x'], ['status', '--db'], ['status', '--json=x'], ['status', '-x']]) {
    const { code, stderr } = command(args);
    assert.deepEqual([code, stderr.split(':')[0]], [2, 'munchkin-server'], stderr);
  }
});

test('what stands behind a wrong option is not repeated: it may be a secret', () => {
  for (const args of [['--private-key=hidden'], ['--write-key=hidden'], ['--client-secret', 'hidden'], ['--json=hidden'], ['--js=hidden']]) {
    for (const words of [['status', ...args], ['dead', 'list', ...args], ['--json', 'status', ...args]]) {
      const { code, stdout, stderr } = command(words);
      assert.equal(code, 2, words.join(' '));
      assert.doesNotMatch(stdout + stderr, /hidden/);
      assert.match(stderr, /munchkin-server.*: .*option '--[a-z-]+'/);
    }
  }
});

test('--db and --json may stand before the command', async (t) => {
  const { db, ask } = await intakeFor(t);
  const status = ask('status');
  for (const args of [['--db', db, 'status', '--json'], [`--db=${db}`, '--json', 'status'], ['--json', '--db', db, 'status']]) {
    const { code, stdout } = command(args);
    assert.equal(code, 0, args.join(' '));
    assert.deepEqual(JSON.parse(stdout), status);
  }
  assert.deepEqual(JSON.parse(command(['--json', 'dead', '--db', db, 'list']).stdout), []);
  // A database of a command's name is no command.
  const serving = await refusal(['--db', 'status'], {});
  assert.match(serving.said, /there is no private key/);
});

test('a dead letter is named by a number', async (t) => {
  const { db } = await intakeFor(t);
  for (const id of ['0', '-1', 'x', '1x', '', '99999999999999999999']) {
    const { code, stderr } = command(['dead', 'drop', '--db', db, '--', id]);
    assert.equal(code, 2, id);
    assert.match(stderr, /takes the number of a dead letter, or 'all'/);
  }
  assert.equal(command(['dead', 'show', 'all', '--db', db]).code, 2);
});

test('--check looks at the queue and tries the credentials', async (t) => {
  const folder = folderFor(t);
  const simulator = await startSimulator({ restClient: CLIENT });
  t.after(() => simulator.close());
  const args = [...COMPLETE, '--rest-url', simulator.url, '--db', join(folder, 'q.db'), '--check'];
  const good = await refusal(args, REST);
  assert.equal(good.code, 0, good.said);
  assert.match(good.said, /^ok +configuration +leads go to Marketo by REST$/m);
  assert.match(good.said, /^ok +database +will be made at the first start$/m);
  assert.match(good.said, /^ok +credentials/m);
  const activities = join(folder, 'activities.json');
  writeFileSync(activities, '{"Bought": {"activityTypeId": 100001}}');
  assert.equal((await refusal([...args, '--activities', activities], REST)).said, good.said, 'REST sends them; SOAP would not');

  const wrong = await refusal(args, { ...REST, MARKETO_CLIENT_SECRET: 'wrong' });
  assert.equal(wrong.code, 1);
  assert.match(wrong.said, /^WRONG +credentials +\S/m);
  assert.ok(!wrong.said.includes('wrong\n'));

  writeFileSync(join(folder, 'q.db'), 'not a database, but long enough to be looked at'.repeat(100));
  const damaged = await refusal(args, REST);
  assert.equal(damaged.code, 1);
  assert.match(damaged.said, /^WRONG +database +\S/m);
  const nowhere = await refusal([...args, '--db', join(folder, 'missing', 'q.db')], REST);
  assert.match(nowhere.said, /^WRONG +database +\/\S+q\.db: .* its folder must exist/m);

  const hash = await refusal(['--allow-origin', ORIGIN, '--check'], { MARKETO_API_PRIVATE_KEY: KEY });
  assert.deepEqual([hash.code, /signed with a hash/.test(hash.said)], [0, true]);
});

test('--check takes a database of an older version, and an empty one, which the start brings up to date', async (t) => {
  const { db, simulator, server } = await intakeFor(t);
  await server.stop();
  const args = ['--munchkin-id', MUNCHKIN_ID, '--write-key', 'k', '--rest-url', simulator.url, '--check', '--db'];
  const current = await refusal([...args, db], REST);
  assert.deepEqual([current.code, /^ok +database +can be used$/m.test(current.said)], [0, true], current.said);

  const older = 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version = 2")';
  assert.equal(spawnSync('python3', ['-c', older, db]).status, 0);
  const empty = join(folderFor(t), 'empty.db');
  writeFileSync(empty, '');
  for (const path of [db, empty]) {
    const before = readFileSync(path);
    const { code, said } = await refusal([...args, path], REST);
    assert.equal(code, 0, said);
    assert.match(said, /^ok +database +will be brought up to date at the start$/m);
    assert.deepEqual(readFileSync(path), before, 'it is left as it is');
    assert.match(command(['status', '--db', path]).stderr, path === empty ? /: The file is empty; / : /made by an older munchkin-server/);
  }
  // Of an older one, too, what is accepted has to be sound.
  writeFileSync(`${db}-accepted`, 'not a database, but long enough to be looked at'.repeat(100));
  const damaged = await refusal([...args, db], REST);
  assert.deepEqual([damaged.code, /^WRONG +database +\S+: The file of accepted requests/m.test(damaged.said)], [1, true], damaged.said);
  // Its log is all that is left of this one, and would be deleted with it.
  writeFileSync(`${empty}-wal`, 'a log');
  const log = await refusal([...args, empty], REST);
  assert.deepEqual([log.code, /^WRONG +database +\S+: The database is damaged/m.test(log.said)], [1, true], log.said);
  assert.equal(String(readFileSync(`${empty}-wal`)), 'a log');
});

test('what is no database of ours is not said to be one', (t) => {
  const folder = folderFor(t);
  const text = join(folder, 'notes.txt');
  const empty = join(folder, 'empty.db');
  writeFileSync(text, 'not a database, but long enough to be looked at'.repeat(100));
  writeFileSync(empty, '');
  for (const [path, problem] of /** @type {[string, RegExp][]} */ ([
    ['/dev/null', /: This is no file, so it can be no database; give another path by --db\.\n$/],
    [folder, /: This is no file, so/],
    [text, /: The database is damaged, or no database at all/],
    [empty, /: The file is empty; the server makes it a database at its start\. Is --db the same as the server's\?\n$/],
  ])) {
    for (const words of [['dead', 'list'], ['status']]) {
      const { code, stdout, stderr } = command([...words, '--db', path]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.ok(stderr.startsWith(`munchkin-server: ${path}: `), stderr);
      assert.match(stderr, problem);
    }
  }
});

test('--check refuses each database that the start refuses, in the same words, and makes nothing', async (t) => {
  const folder = folderFor(t);
  const at = (/** @type {string} */ name) => join(folder, name);
  const noise = 'not a database, but long enough to be looked at'.repeat(100);
  writeFileSync(at('damaged.db-accepted'), noise);
  writeFileSync(at('log.db-wal'), noise);
  writeFileSync(at('log.db'), '');
  writeFileSync(at('linked.db'), '');
  symlinkSync('/dev/null', at('device.db'));
  symlinkSync(at('nowhere'), at('linked.db-accepted'));
  for (const name of ['locked.db.lock', 'folder', 'accepting.db-accepted']) mkdirSync(at(name));
  const before = readdirSync(folder).sort();
  for (const [db, problem] of /** @type {[string, RegExp][]} */ ([
    ['', /No path to the database is given\./],
    [at('missing/'), /its folder must exist/],
    [at('missing/q.db'), /its folder must exist/],
    [at('folder'), /This is no file, so it can be no database/],
    [at('folder/'), /This is no file, so it can be no database/],
    [at('device.db'), /This is no file, so it can be no database/],
    [at('damaged.db'), /The file of accepted requests, .* is damaged/],
    [at('accepting.db'), /with -accepted behind it is no file/],
    [at('log.db'), /The database is damaged/],
    [at('linked.db'), /has several names/],
    [at('locked.db'), /cannot be opened for reading and writing/],
    [at(`${'x'.repeat(5000)}.db`), /path to the database is too long/],
  ])) {
    const args = [...COMPLETE, '--rest-url', 'http://127.0.0.1:9', '--db', db];
    const { said } = await refusal([...args, '--check'], REST);
    const [, words] = /^WRONG +database +(\S.*)$/m.exec(said) ?? [];
    assert.match(String(words), problem, `${db.slice(-20)}: ${said}`);
    assert.ok(words.startsWith(db && `${db}: `), 'the path is named');
    assert.deepEqual(readdirSync(folder).sort(), before);
    const start = await refusal(args, REST);
    assert.equal(start.code, 1);
    assert.ok(start.said.includes(words), start.said);
    for (const name of readdirSync(folder)) if (!before.includes(name)) rmSync(at(name));
  }
});

test('a configuration that does not hold together is refused, with what to do', async (t) => {
  const folder = folderFor(t);
  const db = ['--db', join(folder, 'q.db')];
  const file = (/** @type {string} */ name, /** @type {string} */ text) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const soap = { MARKETO_SOAP_USER_ID: 'u', MARKETO_SOAP_ENCRYPTION_KEY: 'k' };
  for (const [args, env, problem] of /** @type {[string[], Record<string, string>, RegExp][]} */ ([
    [COMPLETE, { MARKETO_CLIENT_ID: 'x' }, /no client secret; set MARKETO_CLIENT_SECRET or give --client-secret-file/],
    [COMPLETE, { MARKETO_CLIENT_SECRET: 'x' }, /no client id; set MARKETO_CLIENT_ID/],
    [COMPLETE, { MARKETO_SOAP_USER_ID: 'x' }, /no encryption key; set MARKETO_SOAP_ENCRYPTION_KEY/],
    [COMPLETE, { MARKETO_SOAP_ENCRYPTION_KEY: 'x' }, /no user id; set MARKETO_SOAP_USER_ID/],
    [[...COMPLETE, '--backend', 'rest'], soap, /--backend rest needs credentials; set MARKETO_CLIENT_ID/],
    [[...COMPLETE, '--backend', 'soap'], REST, /--backend soap needs credentials/],
    [[...COMPLETE, '--backend', 'hash'], { ...REST, MARKETO_API_PRIVATE_KEY: KEY }, /: --backend hash sends no events,.* leave one of them out\. Without --backend, the credentials decide\.\n$/],
    [[...COMPLETE, '--backend', 'hash'], { MARKETO_API_PRIVATE_KEY: KEY }, /: --backend hash sends no events/],
    [COMPLETE, {}, /no way to pass these on; set MARKETO_CLIENT_ID/],
    [['--munchkin-id', MUNCHKIN_ID], REST, /nobody may send anything.*--allow-origin.*--write-key/s],
    [['--write-key', 'k'], REST, /no Munchkin ID; give --munchkin-id or set MARKETO_MUNCHKIN_ID/],
    [['--write-key', 'k', '--munchkin-id', '561HYG937'], REST, /looks like 561-HYG-937/],
    [['--write-key', 'k'], { ...REST, MARKETO_MUNCHKIN_ID: 'x' }, /looks like 561-HYG-937/],
    [[...COMPLETE, '--write-key', 'a b'], REST, /--write-key : expected/],
    [[...COMPLETE, '--write-key', ''], REST, /--write-key : expected/],
    [[...COMPLETE, '--write-keys-file', join(folder, 'missing')], REST, /--write-keys-file .*missing: it cannot be opened: No such file or directory\.$/m],
    [[...COMPLETE, '--write-keys-file', file('keys', 'good\nnot good\n')], REST, /--write-keys-file .*keys: line 2 is no write key/],
    [[...COMPLETE, '--write-keys-file', file('many', 'k\n'.repeat(64))], REST, /--write-keys-file .*many: line 64 is a key too many: 64 are allowed\./],
    [[...COMPLETE, '--backend', 'smtp'], REST, /--backend smtp: expected rest, soap or hash/],
    [[...COMPLETE, '--rest-url', 'ftp://x'], REST, /--rest-url: expected an http or https URL/],
    [[...COMPLETE, '--webevents-url', 'http://x/?a'], REST, /--webevents-url: expected/],
    [[...COMPLETE, '--rest-url', 'https://'], REST, /--rest-url: expected an http or https URL/],
    [[...COMPLETE, '--rest-url', 'https:///rest'], REST, /--rest-url: expected an http or https URL/],
    [[...COMPLETE, '--interval', '-1'], REST, /--interval -1: expected a number of seconds/],
    [[...COMPLETE, '--linger', 'x'], REST, /--linger x: expected/],
    [[...COMPLETE, '--daily-calls', 'x'], REST, /--daily-calls x: expected/],
    [[...COMPLETE, '--activities', join(folder, 'missing')], REST, /--activities .*missing: it cannot be read: No such file or directory\.$/m],
    [[...COMPLETE, '--activities', folder], REST, /--activities .*: it cannot be read: Is a directory\.$/m],
    [[...COMPLETE, '--activities', file('activities', '{"x":{}}')], REST, /the event "x" needs activityTypeId/],
    [[...COMPLETE, '--check', '--activities', file('misspelt', '{"x":{"activityTypeId":1,"primaryAtribute":"y"}}')], REST, /misspelt: the event "x" has a "primaryAtribute", and may have/],
    [[...COMPLETE, '--client-secret', 'x'], REST, /does not belong on the command line.*--client-secret-file/s],
    [[...COMPLETE, '--soap-encryption-key=x'], REST, /does not belong on the command line/],
    [[...COMPLETE, '--client-secret-file', file('secret', 'x')], REST, /both in MARKETO_CLIENT_SECRET and in --client-secret-file/],
  ])) {
    const { code, said } = await refusal([...db, ...args], env);
    assert.equal(code, 2, `${args.join(' ')}: ${said}`);
    assert.match(said, problem);
  }
});

test('the addresses of Marketo may be given as its pages show them, with the folder of the API', async (t) => {
  const simulator = await startSimulator({ restClient: CLIENT });
  t.after(() => simulator.close());
  const args = [...COMPLETE, '--db', join(folderFor(t), 'q.db'), '--check', '--rest-url'];
  for (const ending of ['', '/', '/rest', '/rest/', '/identity', '//rest//']) {
    const { code, said } = await refusal([...args, simulator.url + ending], REST);
    assert.equal(code, 0, `${ending}: ${said}`);
    assert.match(said, /^ok +credentials/m);
  }
  // A part of a name, and what is another folder, stay.
  for (const ending of ['/arrest', '/rest/v2']) assert.equal((await refusal([...args, simulator.url + ending], REST)).code, 1, ending);

  const { post } = await intakeFor(t, { args: ['--rest-url', `${simulator.url}/rest`, '--webevents-url', `${simulator.url}/webevents/`] });
  await post('/v1/track', { event: 'Signed up', context: { Marketo: { marketoCookie: cookieOf(1) } } });
  await eventually(() => simulator.events.length > 0, 'the visit');
});

test('--help and README say of each limit how to have none', () => {
  const { stdout } = command(['--help']);
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  for (const flag of ['--rate-limit', '--rate-limit-email', '--daily-calls']) {
    const help = String(stdout.split(/\n {2}(?=-)/).find((option) => option.startsWith(`${flag} N `)));
    assert.match(help.replaceAll(/\s+/g, ' '), /\b0 for (no limit|all that Marketo allows)/, flag);
    assert.match(String(readme.split('\n').find((line) => line.startsWith(`| \`${flag} N`))), /\b0 for (no limit|all that Marketo allows)/, flag);
  }
});

test('a database that cannot be used is told of, with its path', async (t) => {
  const { db } = await intakeFor(t);
  const { code, said } = await refusal(['--db', db, ...COMPLETE], REST);
  assert.equal(code, 1);
  assert.ok(said.includes(db), said);
  assert.match(said, /uses this database/);
});

test('the Munchkin ID may be in the environment, write keys and the secret in files', async (t) => {
  const folder = folderFor(t);
  const keys = join(folder, 'keys');
  const secret = join(folder, 'secret');
  writeFileSync(keys, '# ours\n\nfirst-key  # of the shop\r\nsecond-key', { mode: 0o600 });
  writeFileSync(secret, `${CLIENT.secret}\n`, { mode: 0o600 });
  const { post, simulator } = await intakeFor(t, {
    keys: [],
    args: ['--write-keys-file', keys, '--client-secret-file', secret],
    env: { MARKETO_CLIENT_ID: CLIENT.id, MARKETO_MUNCHKIN_ID: MUNCHKIN_ID.toLowerCase() },
  });
  for (const key of ['first-key', 'second-key']) {
    const email = `${key}@example.com`;
    assert.equal((await post('/v1/identify', { traits: { email } }, { key })).status, 200);
    await eventually(() => simulator.leads.get(email), email);
  }
  assert.equal((await post('/v1/identify', {}, { key: '# ours' })).status, 401);
});

test('events of the activities file become activities of their lead', async (t) => {
  const activities = join(folderFor(t), 'activities.json');
  const mapping = { 'Signed up': { activityTypeId: 100001, primaryAttribute: 'plan', attributes: { seats: 'numberOfSeats' } } };
  writeFileSync(activities, JSON.stringify(mapping));
  const { post, simulator } = await intakeFor(t, { args: ['--activities', activities] });
  await post('/v1/identify', { traits: { email: 'ada@example.com' } });
  await post('/v1/track', { event: 'Signed up', userId: 'ada@example.com', properties: { plan: 'pro', seats: 5, other: 1 } });
  const lead = await eventually(() => simulator.leads.get('ada@example.com'), 'the lead');
  const [activity] = await eventually(() => lead.activities.length > 0 && lead.activities, 'the activity');
  assert.deepEqual(
    [activity.activityTypeId, activity.primaryAttributeValue, activity.attributes],
    [100001, 'pro', [{ apiName: 'numberOfSeats', value: 5 }]],
  );
});
