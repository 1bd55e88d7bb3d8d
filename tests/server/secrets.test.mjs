/** Where secrets are: in memory of their own while the server needs them, and nowhere that anybody can look. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSimulator } from '../sim/simulator.mjs';
import { askForHash, request } from './http_client.mjs';
import { basic, command, eventually, folderFor, MUNCHKIN_ID, refusal } from './intake.mjs';
import { findInMemory, inProc, isRoot } from './process_memory.mjs';
import { ORIGIN, SERVER, startServer, UNDER_VALGRIND } from './server_process.mjs';

const SECRETS = {
  MARKETO_API_PRIVATE_KEY: 'private-key-70c2a9',
  MARKETO_CLIENT_SECRET: 'client-secret-8d31f5',
  MARKETO_SOAP_ENCRYPTION_KEY: 'soap-key-5e20b4',
};
const WRITE_KEY = 'write-key-3f9d07';
const KEY_IN_FILE = 'key-in-file-b1c46e';
const ENV = { ...SECRETS, MARKETO_CLIENT_ID: 'client', MARKETO_SOAP_USER_ID: 'user' };
const ALL = [...Object.values(SECRETS), WRITE_KEY, KEY_IN_FILE];

/** The build without sanitizers, which keep what is freed and make mlock do nothing. */
const PLAIN = new URL('../../build/munchkin-server', import.meta.url).pathname;

/** @param {string} what @param {unknown} text */
function assertNone(what, text) {
  for (const secret of [...ALL, Buffer.from(`${WRITE_KEY}:`).toString('base64')]) {
    assert.ok(!String(text).includes(secret), `${secret} in ${what}: ${text}`);
  }
}

/**
 * A server with all secrets that there are, which has used them.
 * @param {import('node:test').TestContext} t
 * @param {{wrap?: string[], args?: string[], marketo?: {url: string}}} [options]
 */
async function usedServer(t, { wrap = [], args = [], marketo } = {}) {
  const simulator = await startSimulator({
    restClient: { id: ENV.MARKETO_CLIENT_ID, secret: SECRETS.MARKETO_CLIENT_SECRET },
    soapUser: { id: ENV.MARKETO_SOAP_USER_ID, key: SECRETS.MARKETO_SOAP_ENCRYPTION_KEY },
  });
  t.after(() => simulator.close());
  const folder = folderFor(t);
  const db = join(folder, 'munchkin.db');
  const keys = join(folder, 'write-keys');
  writeFileSync(keys, `${KEY_IN_FILE} # of the shop\n`, { mode: 0o600 });
  const { url } = marketo ?? simulator;
  const settings = [
    ...['--db', db, '--munchkin-id', MUNCHKIN_ID, '--allow-origin', ORIGIN, '--write-key', WRITE_KEY, '--write-keys-file', keys, '--linger', '0', '--interval', '0'],
    ...['--rest-url', url, '--soap-url', `${url}/soap/mktows/3_1`, '--webevents-url', url, '--rate-limit', '0', '--rate-limit-email', '0', ...args],
  ];
  const server = await startServer({ args: settings, env: ENV, wrap });
  t.after(() => server.stop('SIGKILL'));
  const post = (/** @type {string} */ email, key = WRITE_KEY) =>
    request(`${server.url}/v1/identify`, {
      method: 'POST',
      headers: { Authorization: basic(key) },
      body: JSON.stringify({ traits: { email } }),
    });
  for (let n = 0; n < 20; n++) {
    assert.equal((await askForHash(server, { email: `p${n}@example.com` })).status, 200);
    assert.equal((await post(`p${n}@example.com`, n % 2 === 0 ? WRITE_KEY : KEY_IN_FILE)).status, 200);
  }
  return { server, simulator, db, settings, post };
}

test('what other processes can read of this one has no secret in it', async (t) => {
  if (UNDER_VALGRIND) return t.skip('valgrind has an environment and a command line of its own');
  const { server } = await usedServer(t);
  const commandLine = String(inProc(server.pid, 'cmdline'));
  assert.ok(commandLine.includes('--write-key'), 'this is the server');
  assertNone('its command line', commandLine);
  const environment = inProc(server.pid, 'environ');
  if (isRoot) assert.match(String(environment), /MARKETO_CLIENT_ID=client\0/);
  else assert.equal(environment, null, 'it is refused to others than root');
  assertNone('its environment', environment);
});

for (const backend of ['rest', 'soap']) {
  test(`keys are in locked memory alone, which core dumps leave out; ${backend}`, async (t) => {
    // The plain build, put in place of the one that tests use.
    const { server, simulator } = await usedServer(t, { wrap: ['sh', '-c', `shift; exec ${PLAIN} "$@"`, 'sh'], args: ['--backend', backend] });
    await eventually(() => simulator.leadsById.size === 20, 'all leads');
    if (!isRoot) {
      assert.throws(() => readFileSync(`/proc/${server.pid}/mem`), { code: 'EACCES' });
      assert.throws(() => readFileSync(`/proc/${server.pid}/maps`), { code: 'EACCES' });
      return;
    }
    for (const [name, secret] of Object.entries({ ...SECRETS, WRITE_KEY, KEY_IN_FILE })) {
      const places = findInMemory(server.pid, secret);
      const locked = places.filter(({ flags }) => flags.includes('lo') && flags.includes('dd'));
      assert.equal(locked.length, 1, `${name} is where it is kept`);
      // The client secret goes out in a URL, of which libcurl makes copies while it is on its way.
      assert.deepEqual(places, locked, name);
    }
  });
}

test('no other process of its user can read its memory or its environment', async (t) => {
  // A user that is not root; what /proc shows of its processes is root's only if it is closed to the user.
  const wrap = isRoot ? ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'] : [];
  if (isRoot && spawnSync(wrap[0], [...wrap.slice(1), SERVER, '--version']).status !== 0) return t.skip('another user cannot run it here');
  const server = await startServer({ args: ['--allow-origin', ORIGIN], env: { MARKETO_API_PRIVATE_KEY: ALL[0] }, wrap });
  t.after(() => server.stop('SIGKILL'));
  assert.equal((await askForHash(server, { email: 'a@b.co' })).status, 200);
  for (const name of ['mem', 'environ', 'maps']) assert.equal(statSync(`/proc/${server.pid}/${name}`).uid, 0, name);
});

test('it leaves no core dump, whatever the limit says', async (t) => {
  const folder = folderFor(t);
  const wrap = ['sh', '-c', `cd ${folder} && ulimit -c unlimited && exec "$0" "$@"`];
  const files = () => readdirSync(folder);
  spawnSync(wrap[0], [...wrap.slice(1), 'sh', '-c', 'kill -ABRT $$'], { stdio: 'ignore' });
  if (files().length === 0) return t.skip('no process leaves one here');
  for (const name of files()) rmSync(join(folder, name)); // the next may have the same name
  for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGABRT', 'SIGSEGV', 'SIGQUIT'])) {
    const { server } = await usedServer(t, { wrap: [...wrap.slice(0, 2), wrap[2].replace('"$0"', PLAIN)] });
    assert.equal(await server.stop(signal), null, 'it was killed');
    assert.deepEqual(files(), [], signal);
  }
});

test('no secret is in an answer, the log, a metric, the database, or what the commands print', async (t) => {
  const { server, simulator, db, settings, post } = await usedServer(t);
  await eventually(() => simulator.leadsById.size === 20, 'all leads');
  for (const path of ['/', '/healthz', '/metrics', '/munchkin-shim.js', '/nowhere', '/v1/identify']) {
    const { headers, body } = await request(`${server.url}${path}`);
    assertNone(path, `${JSON.stringify(headers)}${body}`);
  }
  simulator.faults.token = 'invalid';
  simulator.faults.calls.push({ code: '603', path: '/rest/v1/leads.json' }, { status: 401, path: '/identity/oauth/token' });
  await post('later@example.com');
  await eventually(() => /credentials_refused|marketo_refuses/.test(server.output()), 'word of it');
  for (const words of [['status'], ['status', '--json'], ['dead', 'list'], ['dead', 'show', '1']]) {
    const { stdout, stderr } = command([...words, '--db', db], ENV);
    assertNone(words.join(' '), stdout + stderr);
  }
  const checked = await refusal([...settings, '--check'], ENV);
  assert.match(checked.said, /credentials/);
  assertNone('--check', checked.said);
  for (const suffix of ['', '-wal']) assertNone(`the database${suffix}`, readFileSync(db + suffix, 'latin1'));
  await server.stop();
  assertNone('the log', server.output());
});

test('a Marketo that repeats what it was sent does not bring it into the log', async (t) => {
  const echo = createServer((incoming, response) => {
    const said = `${incoming.url} ${JSON.stringify(incoming.headers)} ${SECRETS.MARKETO_CLIENT_SECRET}`;
    const isToken = String(incoming.url).startsWith('/identity');
    response.setHeader('X-Echo', said);
    response.end(JSON.stringify(isToken ? { access_token: 'token-in-use', expires_in: 3600, said } : { success: false, errors: [{ code: '603', message: said }] }));
  }).listen(0, '127.0.0.1');
  t.after(() => echo.close());
  await once(echo, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (echo.address());
  const { server, settings } = await usedServer(t, { marketo: { url: `http://127.0.0.1:${port}` } });
  await eventually(() => server.output().includes('"event":"marketo_refuses"'), 'word of it');
  const checked = await refusal([...settings, '--check'], ENV);
  assertNone('--check', checked.said);
  await server.stop();
  assertNone('the log', server.output());
  assert.doesNotMatch(server.output() + checked.said, /token-in-use/);
});

test('what is wrong with a secret is said without it', async () => {
  for (const args of [
    ['--write-key', `${WRITE_KEY} x`],
    ['--write-key', `${WRITE_KEY}:`],
    ['--client-secret', SECRETS.MARKETO_CLIENT_SECRET],
    [`--soap-encryption-key=${SECRETS.MARKETO_SOAP_ENCRYPTION_KEY}`],
    [`--private-key=${SECRETS.MARKETO_API_PRIVATE_KEY}`],
  ]) {
    const { code, said } = await refusal(args, {});
    assert.equal(code, 2);
    assert.ok(said.length > 20);
    assertNone(args[0], said);
  }
  for (const [name, secret] of Object.entries(SECRETS)) {
    const { code, said } = await refusal(['--munchkin-id', MUNCHKIN_ID], { [name]: secret + 'x'.repeat(1024) });
    assert.equal(code, 2);
    assert.ok(!said.includes(secret), said);
  }
});
