/**
 * Every allocation, and every system call that can fail, failing once, in a real server under load: no crash and no
 * leak, no answer that is wrong, nothing lost that was taken, and all well again afterwards. Which call fails first is
 * counted from one on, until none is left to fail.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFaults } from '../faults/faults.mjs';
import { faultyWorld } from '../faults/workload.mjs';
import { openConnection } from './http_client.mjs';
import { CLIENT, folderFor, intakeFor, MUNCHKIN_ID } from './intake.mjs';
import { FAULTY_SERVER, KEY, ORIGIN, runServer } from './server_process.mjs';

const TIMEOUT = { timeout: 120_000 };

/** Nothing became a dead letter, and the sanitizers saw nothing. @param {import('../faults/workload.mjs').FaultyWorld} world */
function assertSound(world) {
  assert.deepEqual(world.intake.ask('dead', 'list'), []);
  assert.doesNotMatch(world.intake.server.output(), /Sanitizer|runtime error/);
}

for (const name of /** @type {const} */ (['hash', 'lead', 'identify', 'batch'])) {
  test(`memory runs out in ${name}, at each allocation`, TIMEOUT, async (t) => {
    const world = await faultyWorld(t);
    await world.work();
    const hit = await world.sweep('memory', 'ENOMEM', { work: world.operations[name] });
    assert.ok(hit >= 10, `${hit}`);
    await world.arrived();
    assertSound(world);
  });
}

test('memory runs out in a command, at each allocation: it prints all, or ends with an error', TIMEOUT, async (t) => {
  const { post, ask, db } = await intakeFor(t);
  await post('/v1/identify', { userId: 'x'.repeat(3000), traits: { email: 'no' } });
  const letters = ask('dead', 'list');
  const faults = createFaults(t);
  faults.arm('memory', 'ENOMEM', 0);
  const list = () => spawnSync(FAULTY_SERVER, ['dead', 'list', '--json', '--db', db], { env: { PATH: String(process.env.PATH), ...faults.env }, encoding: 'utf8' });
  const whole = list().stdout;
  assert.deepEqual(JSON.parse(whole), letters);
  const calls = faults.calls();
  assert.ok(calls >= 10, `${calls}`);
  // The last ones are those of what is printed.
  for (let n = Math.max(1, calls - 60); n <= calls; n++) {
    faults.arm('memory', 'ENOMEM', n);
    const { status, stdout, stderr } = list();
    assert.doesNotMatch(stderr, /Sanitizer|runtime error/);
    if (stdout === whole) continue; // what counts the lines that are run needs memory at the end, too
    assert.notEqual(status, 0, `${n}`);
    assert.match(stderr, /^munchkin-server: .+$/m, `${n}`);
  }
});

const SOAP_USER = { id: 'user@example.com', key: 'key-of-soap' };

/** @type {[string, Parameters<typeof faultyWorld>[1]][]} */
const BACKENDS = [
  ['REST', {}],
  [
    'SOAP',
    {
      args: ['--backend', 'soap'],
      env: { MARKETO_SOAP_USER_ID: SOAP_USER.id, MARKETO_SOAP_ENCRYPTION_KEY: SOAP_USER.key },
      simulator: { soapUser: SOAP_USER, fields: [{ name: 'userId', dataType: 'string' }] },
    },
  ],
];

for (const [name, options] of BACKENDS) {
  test(`memory runs out on the way to Marketo, by ${name}`, TIMEOUT, async (t) => {
    const world = await faultyWorld(t, options);
    await world.work();
    const work = async () => {
      await world.operations.batch();
      await world.arrived();
    };
    assert.ok((await world.sweep('memory', 'ENOMEM', { work, step: 3 })) >= 10);
    assertSound(world);
  });
}

/** Which calls fail, how, and how many of them in a workload at least: it has four requests, and what goes to Marketo may be later. @type {[string, import('../faults/faults.mjs').Fault, number][]} */
const FAULTS = [
  ['pwrite', 'ENOSPC', 3],
  ['pwrite', 'EIO', 3],
  ['pwrite', 'EINTR', 3],
  ['pwrite', 'short', 3],
  ['fdatasync', 'EIO', 2],
  ['fdatasync', 'ENOSPC', 2],
  ['recv', 'EINTR', 4],
  ['recv', 'ECONNRESET', 4],
  ['send', 'EINTR', 4],
  ['send', 'EPIPE', 4],
  ['send', 'short', 4],
  ['accept', 'EMFILE', 2],
  ['accept', 'ECONNABORTED', 2],
  ['poll', 'EINTR', 3],
  ['poll', 'ENOMEM', 2],
  ['epoll_wait', 'EINTR', 5],
  ['epoll_ctl', 'ENOMEM', 1],
  ['setsockopt', 'ENOBUFS', 2],
  ['read', 'EINTR', 1],
];

const ON_DISK = new Set(['pwrite', 'fdatasync']);

for (const [name, fault, least] of FAULTS) {
  test(`${name} fails: ${fault}`, TIMEOUT, async (t) => {
    const world = await faultyWorld(t);
    await world.work();
    const work = async () => {
      // A connection with nothing to read yet, which those of the operations need not be, is waited for.
      const idle = await openConnection(world.intake.server);
      for (const operation of Object.values(world.operations)) await operation();
      idle.socket.destroy();
      // What is carried out beside it is written to the disk, too.
      if (ON_DISK.has(name)) await world.arrived();
    };
    const hit = await world.sweep(name, fault, { work, step: name === 'pwrite' ? 3 : 1 });
    assert.ok(hit >= least, `${hit}`);
    await world.arrived();
    assertSound(world);
  });
}

test('a disk that is full for a while: 503 until it is not, and what was taken is kept', TIMEOUT, async (t) => {
  const world = await faultyWorld(t);
  await world.work();
  for (const [name, fault] of /** @type {const} */ ([['pwrite', 'ENOSPC'], ['fdatasync', 'EIO']])) {
    world.faults.arm(name, fault, 1, 1_000_000);
    const work = Promise.all([world.operations.lead(), world.operations.batch(), world.operations.identify()]);
    while (world.faults.failed() < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(world.taken.size, 0);
    world.faults.disarm();
    await work;
    await world.arrived();
  }
  assert.match(world.intake.server.output(), /"event":"queue_recovered"/);
  assertSound(world);
});

/** Of starting; a server that cannot says why in a line. @type {[string, import('../faults/faults.mjs').Fault][]} */
const AT_START = [
  ['memory', 'ENOMEM'],
  ['open', 'EMFILE'],
  ['open', 'ENOSPC'],
  ['mmap', 'ENOMEM'],
  ['read', 'EIO'],
  ['pread', 'EIO'],
  ['pwrite', 'ENOSPC'],
  ['fdatasync', 'EIO'],
  ['ftruncate', 'ENOSPC'],
  ['fcntl', 'ENOLCK'],
  ['fstat', 'EIO'],
  ['flock', 'ENOLCK'],
  ['socket', 'EMFILE'],
  ['bind', 'EADDRINUSE'],
  ['listen', 'EADDRINUSE'],
  ['getsockname', 'ENOBUFS'],
  ['epoll_create', 'EMFILE'],
  ['epoll_ctl', 'ENOMEM'],
  ['eventfd', 'EMFILE'],
  ['socketpair', 'EMFILE'],
  ['pthread_create', 'EAGAIN'],
  ['getrandom', 'EINTR'],
];

const KNOWN_LEAKS = fileURLToPath(new URL('../faults/leaks.supp', import.meta.url));

/** Starts, and ends once it listens; resolves with what it ended with. @param {ReturnType<typeof createFaults>} faults @param {string} db */
async function start(faults, db) {
  const args = ['--listen', '127.0.0.1:0', '--db', db, '--munchkin-id', MUNCHKIN_ID, '--allow-origin', ORIGIN, '--threads', '1'];
  const credentials = { MARKETO_API_PRIVATE_KEY: KEY, MARKETO_CLIENT_ID: CLIENT.id, MARKETO_CLIENT_SECRET: CLIENT.secret };
  const env = { ...credentials, LSAN_OPTIONS: `suppressions=${KNOWN_LEAKS}:print_suppressions=0`, ...faults.env };
  const { child, closed, output } = runServer([...args, '--rest-url', 'http://127.0.0.1:9'], env, [], FAULTY_SERVER);
  child.stdout.on('data', () => /listening on/.test(output()) && child.kill('SIGTERM'));
  return { code: await closed, said: output() };
}

for (const [name, fault] of AT_START) {
  test(`${name} fails at the start: ${fault}. It runs, or it says why not`, TIMEOUT, async (t) => {
    const faults = createFaults(t);
    const folder = folderFor(t);

    faults.arm(name, fault, 0);
    assert.equal((await start(faults, `${folder}/0`)).code, 0);
    const calls = faults.calls();
    const step = Math.max(1, Math.ceil(calls / 12));
    for (let n = 1; n <= calls; n += step) {
      faults.arm(name, fault, n);
      const { code, said } = await start(faults, `${folder}/${n}`);
      assert.doesNotMatch(said, /Sanitizer|runtime error/);
      assert.ok(code === 0 || ((code === 1 || code === 2) && /^munchkin-server: .+\.$/m.test(said)), `${n}: ${code} ${said}`);
      faults.disarm();
      const again = await start(faults, `${folder}/${n}`);
      assert.equal(again.code, 0, `${n}, again: ${again.said}`);
    }
  });
}

test('what cannot be opened at one moment of the start is not used for reading alone', TIMEOUT, async (t) => {
  const faults = createFaults(t);
  const db = `${folderFor(t)}/queue`;
  assert.equal((await start(faults, db)).code, 0);
  faults.arm('open', 'EMFILE', 0);
  assert.equal((await start(faults, db)).code, 0);
  const calls = faults.calls();
  for (let n = 1; n <= calls; n++) {
    faults.arm('open', 'EMFILE', n);
    const { code, said } = await start(faults, db);
    assert.doesNotMatch(said, /queue_failed/, `${n}`);
    assert.ok(code === 0 || /^munchkin-server: .+\.$/m.test(said), `${n}: ${code} ${said}`);
  }
});

for (const [name, fault, words, step] of /** @type {const} */ ([
  ['pread', 'EIO', /The disk failed to read/, 7],
  ['memory', 'ENOMEM', /not enough memory/, 61],
])) {
  test(`${name} fails while the database is read as a whole: ${fault}. It is not said to be damaged`, TIMEOUT, async (t) => {
    const intake = await intakeFor(t, { args: ['--linger', '3600'] });
    const batch = Array.from({ length: 60 }, (_, n) => ({ type: 'identify', messageId: `m${n}`, traits: { email: `p${n}@example.com`, address: 'x'.repeat(6000) } }));
    assert.equal((await intake.post('/v1/batch', { batch })).status, 200);
    assert.equal(intake.ask('status').leadsWaiting, 60);
    await intake.server.stop();
    const faults = createFaults(t);
    const env = { PATH: String(process.env.PATH), MARKETO_CLIENT_ID: CLIENT.id, MARKETO_CLIENT_SECRET: CLIENT.secret, ...faults.env };
    const args = ['--write-key', 'k', '--db', intake.db, '--munchkin-id', MUNCHKIN_ID, '--rest-url', 'http://127.0.0.1:9', '--check'];
    const check = () => spawnSync(FAULTY_SERVER, args, { env, encoding: 'utf8' }).stdout;
    faults.arm(name, fault, 0);
    assert.match(check(), /^ok +database/m);
    const calls = faults.calls();
    let told = 0;
    for (let n = 1; n <= calls; n += step) {
      faults.arm(name, fault, n);
      const said = check();
      assert.doesNotMatch(said, /damaged, or no database|is damaged;/, `${n}`);
      told += Number(words.test(said));
    }
    assert.ok(told >= 5, `${told} of ${calls}`);
  });
}
