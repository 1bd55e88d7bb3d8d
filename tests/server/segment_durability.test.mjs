/** What is answered with 200 is on disk, and stays there; what cannot be stored is not answered so. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { holdDatabase } from './held_database.mjs';
import { openConnection, request } from './http_client.mjs';
import { basic, eventually, intakeFor, REST, WRITE_KEY } from './intake.mjs';
import { kilobytes, SERVER } from './server_process.mjs';

/** @param {number} i */
const emailOf = (i) => `person-${i}@example.com`;

/** @param {number} i */
const identify = (i) => ({ messageId: `m-${i}`, traits: { email: emailOf(i) } });

test('a request is answered only once it is on disk, and holds nobody up meanwhile', async (t) => {
  const { db, post, server } = await intakeFor(t, { args: ['--threads', '1'] });
  assert.equal((await post('/v1/identify', identify(0))).status, 200);
  const letGo = await holdDatabase(`${db}-accepted`);
  let answered = 0;
  const waiting = Array.from({ length: 50 }, (_, i) =>
    post('/v1/identify', identify(i + 1)).finally(() => {
      answered++;
    }),
  );
  await eventually(async () => {
    const { body } = await request(`${server.url}/metrics`);
    return String(body).includes('requests_in_flight 51\n');
  }, 'all of them');
  assert.equal((await request(`${server.url}/healthz`)).status, 200);
  assert.equal(answered, 0);
  await letGo();
  for (const { status } of await Promise.all(waiting)) assert.equal(status, 200);
});

test('what the queue is doing holds up nobody who sends', async (t) => {
  const { db, post, server, simulator } = await intakeFor(t);
  assert.equal((await post('/v1/identify', identify(0))).status, 200);
  await eventually(() => simulator.leads.get(emailOf(0)), 'the first');
  const letGo = await holdDatabase(db);
  for (let i = 1; i <= 20; i++) assert.equal((await post('/v1/identify', identify(i))).status, 200);
  // Killed now, it has not carried out any of them.
  await server.stop('SIGKILL');
  await letGo();
  const status = /** @type {any} */ (spawnSync(SERVER, ['status', '--json', '--db', db], { encoding: 'utf8' }));
  assert.equal(JSON.parse(status.stdout).messagesWaiting, 20, status.stderr);
});

test('a client that goes away while its request is stored does no harm', async (t) => {
  const { db, post, server, simulator } = await intakeFor(t, { args: ['--threads', '1'] });
  assert.equal((await post('/v1/identify', identify(0))).status, 200);
  const letGo = await holdDatabase(`${db}-accepted`);
  const body = JSON.stringify(identify(1));
  const { socket } = await openConnection(server);
  socket.write(
    `POST /v1/identify HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(WRITE_KEY)}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await eventually(async () => String((await request(`${server.url}/metrics`)).body).includes('requests_in_flight 2\n'), 'it');
  socket.destroy();
  await letGo();
  await eventually(() => simulator.leads.get(emailOf(1)), 'the lead');
  assert.equal((await post('/v1/identify', identify(2))).status, 200);
});

test('SIGTERM: what waits for the disk is stored and answered before the end', async (t) => {
  const intake = await intakeFor(t, { args: ['--threads', '2'] });
  assert.equal((await intake.post('/v1/identify', identify(0))).status, 200);
  const letGo = await holdDatabase(`${intake.db}-accepted`);
  const waiting = Array.from({ length: 20 }, (_, i) => intake.post('/v1/identify', identify(i + 1)));
  await eventually(
    async () => String((await request(`${intake.server.url}/metrics`)).body).includes('requests_in_flight 21\n'),
    'all of them',
  );
  const stopped = intake.server.stop();
  await eventually(() => intake.server.output().includes('"event":"stopping"'), 'its end to begin');
  await letGo();
  for (const { status } of await Promise.all(waiting)) assert.equal(status, 200);
  assert.equal(await stopped, 0, intake.server.output());
  assert.doesNotMatch(intake.server.output(), /requests_cut_off/);
  await intake.restart();
  for (let i = 0; i <= 20; i++) await eventually(() => intake.simulator.leads.get(emailOf(i)), emailOf(i));
});

test('a disk that is full is told of, loses nothing that was acknowledged, and can recover', async (t) => {
  // A file may grow to 300 blocks of 512 bytes, and what would be more fails, as on a full disk.
  const wrap = ['sh', '-c', `trap '' XFSZ; ulimit -f 600; exec "$0" "$@"`];
  const intake = await intakeFor(t, { wrap, args: ['--linger', '3600'] });
  /** @type {number[]} */
  const acknowledged = [];
  let refused;
  for (let i = 0; !refused && i < 5000; i += 20) {
    const numbers = Array.from({ length: 20 }, (_, k) => i + k);
    const answer = await intake.post('/v1/batch', { batch: numbers.map((n) => ({ type: 'identify', ...identify(n) })) });
    if (answer.status === 200) acknowledged.push(...numbers);
    else refused = answer;
  }
  assert.ok(refused, 'the disk was full');
  assert.deepEqual([refused.status, refused.json.error], [503, 'not_stored']);
  assert.match(String(refused.headers['retry-after']), /^[1-9]\d*$/);
  assert.ok(acknowledged.length > 0);
  await eventually(() => /"level":"error","event":"queue_failed"/.test(intake.server.output()), 'a line of the log');
  const { body } = await request(`${intake.server.url}/metrics`);
  assert.match(String(body), /^munchkin_server_refused_total [1-9]/m);
  assert.match(String(body), /^munchkin_server_queue_failing 1$/m);
  assert.equal((await request(`${intake.server.url}/healthz`)).status, 200);

  await intake.server.stop('SIGKILL');
  await intake.restart();
  assert.equal(intake.ask('status').leadsWaiting, acknowledged.length);
  assert.equal((await intake.post('/v1/identify', identify(10_000))).status, 200);
});

test('once there is room again it goes on by itself, and nothing that it took is missing', async (t) => {
  const wrap = ['sh', '-c', `trap '' XFSZ; ulimit -S -f 600; exec "$0" "$@"`];
  const { post, server, simulator, ask } = await intakeFor(t, { wrap, args: ['--linger', '3600'] });
  /** @type {Set<string>} */
  const taken = new Set();
  let count = 0;
  /** Sends a batch of its own; says whether it was taken. */
  async function send() {
    const emails = Array.from({ length: 10 }, () => `p${count++}@example.com`);
    const { status, headers } = await post('/v1/batch', { batch: emails.map((email) => ({ type: 'identify', messageId: email, traits: { email, address: 'x'.repeat(2000) } })) });
    assert.ok(status === 200 || (status === 503 && /^[1-9]\d*$/.test(String(headers['retry-after']))), `${status}`);
    if (status === 200) for (const email of emails) taken.add(email);
    return status === 200;
  }
  while (await send()) assert.ok(count < 5000, 'the disk never becomes full');
  for (let n = 0; n < 10; n++) await send();
  assert.equal(spawnSync('prlimit', ['--pid', String(server.pid), '--fsize=unlimited:unlimited']).status, 0);
  // Nobody need send anything for that.
  await eventually(async () => /^munchkin_server_queue_failing 0$/m.test(String((await request(`${server.url}/metrics`)).body)), 'all well');
  assert.match(server.output(), /"event":"queue_failed".*"event":"queue_recovered"/s);
  assert.ok(await send());
  const { leadsWaiting } = ask('status');
  assert.equal(leadsWaiting + simulator.leadsById.size, taken.size);
});

test('half-sent large bodies without a key do not keep out small ones, nor large ones with a key, and take bounded memory', async (t) => {
  const { post, server } = await intakeFor(t, { env: { ...REST, ASAN_OPTIONS: 'quarantine_size_mb=1' } });
  const before = kilobytes(server);
  const head = `POST /v1/batch HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 500000\r\n\r\n`;
  const slow = await Promise.all(Array.from({ length: 300 }, (_, i) => openConnection(server, `127.0.1.${1 + (i % 4)}`)));
  await Promise.all(
    slow.map(({ socket }) => new Promise((resolve) => socket.write(head + ' '.repeat(499_999), () => resolve(undefined)))),
  );
  await eventually(async () => String((await request(`${server.url}/metrics`)).body).includes('requests_in_flight 301\n'), 'all');
  const grown = kilobytes(server) - before;
  assert.ok(grown < 150_000, `${grown} kB`);
  assert.equal((await post('/v1/identify', identify(1))).status, 200);
  assert.equal((await post('/v1/batch', { batch: [], filler: 'x'.repeat(400_000) })).status, 200);
  const answers = slow.map(({ socket, closed }) => {
    socket.end('}');
    return closed;
  });
  const refused = (await Promise.all(answers)).filter((answer) => answer.includes('"queue_full"'));
  assert.ok(refused.length > 100, `${refused.length} had no room`);
  for (const answer of refused) assert.match(answer, /^HTTP\/1\.1 503 .*Retry-After: \d/s);
});
