/** web/docs/tokens.md: each back end's code makes a token that the server takes. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { askForHash } from '../server/http_client.mjs';
import { folderFor } from '../server/intake.mjs';
import { startServer } from '../server/server_process.mjs';
import { documentation } from './document.mjs';

const guide = documentation('tokens.md');
const EMAIL = 'ada@example.com';
const ORIGIN = 'https://www.example.com';
const hash = createHash('sha1').update(`fortesting${EMAIL}`).digest('hex');

/** A program that must succeed, and what it writes. @param {string} program @param {string[]} args @param {import('node:child_process').SpawnSyncOptions} [options] */
function outputOf(program, args, options) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', ...options });
  assert.equal(status, 0, String(error ?? stderr));
  return String(stdout);
}

// As the page has it: makes the secret, and starts the server with that file.
const folder = folderFor({ after });
const [makeSecret, start] = guide.block('With a token', 'sh').trim().split('\n');
outputOf('sh', ['-c', makeSecret], { cwd: folder });
const secretFile = join(folder, 'token-secret');
const secret = readFileSync(secretFile, 'utf8').trimEnd();
const [, key, flags] = /** @type {RegExpExecArray} */ (/^MARKETO_API_PRIVATE_KEY=(\w+) build\/munchkin-server (.*)$/.exec(start));
const args = flags.split(' ').map((flag) => (flag === 'token-secret' ? secretFile : flag));
const server = await startServer({ args, env: { MARKETO_API_PRIVATE_KEY: key } });
after(() => server.stop());

/** That the server takes the token, for this address alone. @param {string} token */
async function assertTaken(token) {
  const mine = await askForHash(server, { email: EMAIL, token }, { origin: ORIGIN });
  assert.deepEqual([mine.status, mine.json], [200, { hash }], token);
  const theirs = await askForHash(server, { email: 'eve@example.com', token }, { origin: ORIGIN });
  assert.equal(theirs.json.error, 'token_email_differs');
}

/** A module of the page, with what it imports from where that is, and what it reads from the environment. @param {string} code @param {string} [library] */
function load(code, library = import.meta.resolve('munchkin-shim/signer')) {
  const source = code.replace(/from '[^']+'/, `from '${library}'`);
  return import(`data:text/javascript,${encodeURIComponent(source)}`);
}

process.env.MUNCHKIN_TOKEN_SECRET = secret;
process.env.MARKETO_API_PRIVATE_KEY = key;

test('the secret that it makes is long enough, and only its owner can read it', async () => {
  assert.equal(secret.length, 44);
  assert.equal(statSync(secretFile).mode & 0o077, 0);
  assert.doesNotMatch(server.output(), /origins_only|readable_by_others/);
  assert.equal((await askForHash(server, { email: EMAIL }, { origin: ORIGIN })).json.error, 'token_missing');
});

test('createTokenIssuer', async () => {
  const { tokenFor } = await load(guide.block('Make one', 'js'));
  await assertTaken(await tokenFor({ email: EMAIL }));
});

test('jose', async () => {
  const resolve = createRequire(new URL('../server/', import.meta.url)).resolve;
  const { tokenFor } = await load(guide.block('Make one', 'js', 1), String(pathToFileURL(resolve('jose'))));
  await assertTaken(await tokenFor({ email: EMAIL }));
});

for (const [language, program, before, behind] of [
  ['python', ['/usr/bin/python3', '-c'], '', `import types; print(token_for(types.SimpleNamespace(email="${EMAIL}")), end="")`],
  ['ruby', ['ruby', '-e'], '', `print token_for(Struct.new(:email).new('${EMAIL}'))`],
  ['php', ['php', '-r'], '', `echo token_for((object) ['email' => '${EMAIL}']);`],
]) {
  test(String(language), async () => {
    const code = guide.block('Make one', String(language));
    const [command, flag] = program;
    await assertTaken(outputOf(command, [flag, `${before}${code}\n${behind}`]));
  });
}

test('the hash in the page', async () => {
  const { identifyScript } = await load(guide.block('The hash in the page', 'js'));
  /** @type {unknown[]} */
  let called = [];
  const analytics = { identify: (/** @type {unknown[]} */ ...given) => void (called = given) };
  for (const id of ['1234', '</script><script>alert(1)//']) {
    const script = identifyScript({ id, email: EMAIL });
    assert.ok(!script.includes('<'));
    vm.runInNewContext(script, { analytics });
    assert.equal(JSON.stringify(called), JSON.stringify([id, { email: EMAIL }, { integrations: { Marketo: { hash } } }]));
  }
});

guide.testCoverage();
