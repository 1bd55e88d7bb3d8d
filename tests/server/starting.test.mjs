import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { askForHash, openConnection } from './http_client.mjs';
import { KEY, ORIGIN, runServer, serverFor, startServer } from './server_process.mjs';

const folder = mkdtempSync(join(tmpdir(), 'munchkin-server-'));
after(() => rmSync(folder, { recursive: true }));

/** A file with the private key, or with what is given, that only its owner can read. @param {string | Buffer} [text] */
function keyFile(text = KEY) {
  const path = join(folder, `key-${Math.random()}`);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

/**
 * What it says when it does not start.
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
async function refusal(args, env = { MARKETO_API_PRIVATE_KEY: KEY }) {
  const { child, closed, output } = runServer(args, env);
  // One that starts after all must not be waited for.
  child.stdout.on('data', () => /listening on/.test(output()) && child.kill());
  return { code: await closed, said: output() };
}

const allowed = ['--allow-origin', ORIGIN];
const hash = createHash('sha1').update(`${KEY}a@b.co`).digest('hex');

test('as its documentation starts it, it signs for that origin and for no other', async (t) => {
  const server = await startServer({
    args: ['--allow-origin', 'http://localhost'],
    env: { MARKETO_API_PRIVATE_KEY: 'fortesting' },
  });
  t.after(() => server.stop());
  const answer = await askForHash(server, { email: 'a@b.co' }, { origin: 'http://localhost' });
  assert.deepEqual(answer.json, { hash });
  for (const origin of ['http://localhost:3000', 'https://localhost', 'http://localhost.example.com']) {
    assert.equal((await askForHash(server, { email: 'a@b.co' }, { origin })).status, 403);
  }
});

test('without an origin it does not start, and says why', async () => {
  const { code, said } = await refusal([]);
  assert.equal(code, 2);
  assert.match(said, /no origin is allowed/);
  assert.match(said, /--allow-origin https:\/\/www\.example\.com/);
});

test('what is no origin is refused by name', async () => {
  for (const origin of [
    '*',
    'null',
    '',
    'www.example.com',
    'https://',
    'https://*.example.com',
    'https://www.example.com/',
    'https://www.example.com/shop',
    'https://user@www.example.com',
    'https://www.example.com:',
    'https://www.example.com:port',
    'https://www.example.com:123456',
    'https://www.example.com https://b.example',
    'https://[::1',
    'ftp://www.example.com',
    // No browser writes these, or none gets there: they would allow nothing.
    'https://www.example.com:0',
    'https://www.example.com:08443',
    'https://www.example.com:0443',
    'https://www.example.com:65536',
    'https://www..example.com',
    'https://..',
    'https://.',
    'https://.example.com',
    'https://example.com..',
    'http://127.1',
    'http://127.0.0.01',
    'http://127.0.0.256',
    'http://127.0.0.1.',
    'http://2130706433',
    'http://[::1::]',
    'http://[....]',
    'http://[]',
    'http://[0:0:0:0:0:0:0:1]',
    'http://[127.0.0.1]',
    `https://[${'1'.repeat(1000)}]`,
  ]) {
    const { code, said } = await refusal(['--allow-origin', origin]);
    assert.equal(code, 2, origin);
    assert.match(said, /expected an origin/);
    assert.ok(said.includes(`--allow-origin ${origin}:`), said);
  }
});

test('without a key it does not start, and says where Marketo shows it', async () => {
  const { code, said } = await refusal(allowed, {});
  assert.equal(code, 2);
  assert.match(said, /there is no private key; set MARKETO_API_PRIVATE_KEY or give --private-key-file/);
  assert.match(said, /Admin > Integration > Munchkin/);
});

test('a key that is empty or too long is none', async () => {
  for (const [key, problem] of [
    ['', /the private key is empty/],
    ['\n\r\n', /the private key is empty/],
    ['k'.repeat(1025), /longer than 1024 bytes/],
  ]) {
    const inEnvironment = await refusal(allowed, { MARKETO_API_PRIVATE_KEY: String(key) });
    assert.equal(inEnvironment.code, 2);
    assert.match(inEnvironment.said, /** @type {RegExp} */ (problem));
    const inFile = await refusal([...allowed, '--private-key-file', keyFile(String(key))], {});
    assert.equal(inFile.code, 2);
    assert.match(inFile.said, /** @type {RegExp} */ (problem));
  }
});

test('the key comes from a file as well, with or without a line break at its end', async (t) => {
  for (const text of [KEY, `${KEY}\n`, `${KEY}\r\n`]) {
    const server = await startServer({ args: [...allowed, '--private-key-file', keyFile(text)] });
    t.after(() => server.stop());
    assert.deepEqual((await askForHash(server, { email: 'a@b.co' })).json, { hash });
    assert.doesNotMatch(server.output(), /key_file_readable_by_others/);
  }
});

test('a file that others can read gets a warning', async (t) => {
  const path = keyFile();
  chmodSync(path, 0o644);
  const server = await startServer({ args: [...allowed, '--private-key-file', path] });
  t.after(() => server.stop());
  assert.match(server.output(), /"level":"warning","event":"key_file_readable_by_others"/);

  // One of write keys as well.
  const keys = keyFile('write-key\n');
  for (const [mode, warned] of /** @type {[number, boolean][]} */ ([[0o640, true], [0o604, true], [0o600, false]])) {
    chmodSync(keys, mode);
    const { said } = await refusal(['--write-keys-file', keys]);
    assert.equal(said.includes(`"level":"warning","event":"key_file_readable_by_others","path":"${keys}"`), warned, said);
  }
});

test('a file that cannot be read, and two keys, are refused', async () => {
  const long = keyFile(`${KEY}${'k'.repeat(1024)}`);
  for (const [path, problem] of [
    [join(folder, 'missing'), 'cannot be read: No such file or directory'],
    [folder, 'cannot be read: Is a directory'],
    ['/dev/zero', 'is longer than 1024 bytes'],
    [long, 'is longer than 1024 bytes'],
    ['', 'cannot be read: No such file or directory'],
  ]) {
    const { code, said } = await refusal([...allowed, '--private-key-file', path], {});
    assert.equal(code, 2, path);
    assert.ok(said.includes(`munchkin-server: the private key's file ${path} ${problem}.\n`), said);
    assert.doesNotMatch(said, new RegExp(KEY));
  }
  const two = await refusal([...allowed, '--private-key-file', keyFile()]);
  assert.equal(two.code, 2);
  assert.match(two.said, /give one/);
});

test('the key is refused on the command line, and not repeated', async () => {
  for (const args of [
    ['--private-key', 'oncommandline'],
    ['--private-key=oncommandline'],
  ]) {
    const { code, said } = await refusal([...allowed, ...args], {});
    assert.equal(code, 2);
    assert.match(said, /does not belong on the command line/);
    assert.doesNotMatch(said, /oncommandline/);
  }
});

test('wrong options are refused, each with what was expected', async () => {
  for (const [args, problem] of /** @type {[string[], RegExp][]} */ ([
    [['--listen', 'localhost:8080'], /--listen localhost:8080: expected ADDRESS:PORT/],
    [['--listen', '8080'], /expected ADDRESS:PORT/],
    [['--listen', '127.0.0.1:65536'], /expected ADDRESS:PORT/],
    [['--listen', '127.0.0.1:-1'], /expected ADDRESS:PORT/],
    [['--listen', '::1:8080'], /expected ADDRESS:PORT/],
    [['--listen', `${'1'.repeat(1000)}:80`], /expected ADDRESS:PORT/],
    [['--rate-limit', '-1'], /expected a number of requests a minute, or 0 for no limit/],
    [['--rate-limit', 'many'], /expected a number of requests a minute, or 0 for no limit/],
    [['--rate-limit', '99999999999999999999'], /expected a number of requests a minute, or 0 for no limit/],
    [['--threads', '0'], /expected a number from 1 to 256/],
    [['--request-timeout', '0'], /expected a number of seconds, from 1 to 3600/],
    [['--request-timeout', '3601'], /expected a number of seconds, from 1 to 3600/],
    [['--threads', '257'], /expected a number from 1 to 256/],
    [['--trust-proxy', 'proxy.example.com'], /--trust-proxy proxy.example.com: expected an IP address/],
    [['--nonsense=hidden'], /there is no option '--nonsense'\.\nmunchkin-server --help lists the options\.\n/],
    // getopt_long would complete it, to the name of a file.
    [['--write-keys', 'hidden'], /there is no option '--write-keys'\.\n/],
    [['--client-secret=hidden'], /a secret does not belong on the command line/],
    [['--listen'], /--help lists the options/],
    [['more'], /one of its arguments is no option/],
  ])) {
    const { code, said } = await refusal([...allowed, ...args]);
    assert.equal(code, 2, args.join(' '));
    assert.match(said, problem);
  }
});

test('a port that is taken ends it with 1, and says what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (other.address());
  const { code, said } = await refusal([...allowed, '--listen', `127.0.0.1:${port}`]);
  other.close();
  assert.equal(code, 1);
  assert.equal(said, `munchkin-server: cannot listen on 127.0.0.1:${port}: Address already in use. Choose with --listen.\n`);
});

test('an address that is not of this machine is named, an IPv6 address too', async () => {
  for (const address of ['192.0.2.1:8099', '[2001:db8::1]:8099']) {
    const { code, said } = await refusal([...allowed, '--listen', address]);
    assert.equal(code, 1);
    assert.ok(said.startsWith(`munchkin-server: cannot listen on ${address}: `), said);
    assert.doesNotMatch(said, /"event"/);
  }
});

test('a second server on the same port is refused, and the first one goes on', async (t) => {
  const first = await serverFor(t);
  const { host } = new URL(first.url);
  for (let n = 0; n < 3; n++) {
    const { code, said } = await refusal([...allowed, '--listen', host]);
    assert.equal(code, 1, said);
    assert.ok(said.includes(`cannot listen on ${host}: Address already in use. Choose with --listen`), said);
    assert.deepEqual((await askForHash(first, { email: 'a@b.co' })).json, { hash });
  }
});

test('its port can be taken again at once after a kill -9 under open connections, and after SIGTERM', async (t) => {
  const start = (/** @type {string} */ host) => startServer({ args: [...allowed, '--listen', host], env: { MARKETO_API_PRIVATE_KEY: KEY } });
  let server = await start('127.0.0.1:0');
  t.after(() => server.stop('SIGKILL'));
  const { host } = new URL(server.url);
  for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGKILL', 'SIGTERM', 'SIGKILL'])) {
    // Clients who close in answer, which leaves the connection waiting its time out here, and those who do not.
    const connections = await Promise.all(Array.from({ length: 10 }, () => openConnection(server)));
    for (const { socket } of connections.slice(5)) socket.pause();
    for (const { socket } of connections) socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.deepEqual((await askForHash(server, { email: 'a@b.co' })).json, { hash });
    await server.stop(signal);
    server = await start(host);
    assert.deepEqual((await askForHash(server, { email: 'a@b.co' })).json, { hash });
    for (const { socket } of connections) socket.destroy();
  }
});

test('it listens on IPv6 too', async (t) => {
  const server = await serverFor(t, { args: ['--listen', '[::1]:0'] });
  assert.match(server.url, /^http:\/\/\[::1\]:\d+$/);
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
});

test('--help lists every option, --version tells the version', async () => {
  const { code, said } = await refusal(['--help'], {});
  assert.equal(code, 0);
  for (const option of ['allow-origin', 'listen', 'private-key-file', 'rate-limit', 'trust-proxy', 'threads', 'request-timeout', 'help', 'version']) {
    assert.ok(said.includes(`--${option}`), option);
  }
  const version = await refusal(['--version'], {});
  assert.equal(version.code, 0);
  assert.match(version.said, /^munchkin-server \d+\.\d+\.\d+\n$/);
});
