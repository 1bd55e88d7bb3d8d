/** Secrets of tokens: where they may be, which are refused, and what the server says of how strict it is. */

import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { askForHash } from './http_client.mjs';
import { folderFor, intakeFor, MUNCHKIN_ID, refusal, REST } from './intake.mjs';
import { KEY, ORIGIN, serverFor } from './server_process.mjs';
import { SECRET, tokenFor } from './tokens.mjs';

const folder = folderFor({ after });
const PAGES = ['--allow-origin', ORIGIN];
const SIGNING = { MARKETO_API_PRIVATE_KEY: KEY };

/** A file with a secret that only its owner can read. @param {string} [text] */
function secretFile(text = SECRET) {
  const path = join(folder, `secret-${Math.random()}`);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

test('the secret comes from a file as well, two from two; a line break at its end is no part of it', async (t) => {
  const second = 'another secret of the site, which is new';
  const server = await serverFor(t, { args: ['--token-secret-file', secretFile(`${SECRET}\n`), '--token-secret-file', secretFile(`${second}\r\n`)] });
  for (const [secret, status] of /** @type {[string, number][]} */ ([[SECRET, 200], [second, 200], [`${SECRET}\n`, 403]])) {
    assert.equal((await askForHash(server, { email: 'a@b.co', token: tokenFor('a@b.co', { secret }) })).status, status);
  }
  assert.doesNotMatch(server.output(), /key_file_readable_by_others/);

  const mixed = await serverFor(t, { args: ['--token-secret-file', secretFile()], env: { MUNCHKIN_TOKEN_SECRET_2: second } });
  assert.equal((await askForHash(mixed, { email: 'a@b.co', token: tokenFor('a@b.co', { secret: second }) })).status, 200);
});

test('a file that others can read gets a warning', async (t) => {
  const path = secretFile();
  chmodSync(path, 0o644);
  const server = await serverFor(t, { args: ['--token-secret-file', path] });
  assert.match(server.output(), /"event":"key_file_readable_by_others"/);
});

test('secrets that can be found by trying, and all that is unclear, are refused with what to do', async () => {
  const file = (/** @type {string} */ text) => ['--token-secret-file', secretFile(text)];
  const inEnvironment = (/** @type {string} */ text) => ({ MUNCHKIN_TOKEN_SECRET: text });
  for (const [args, env, problem] of /** @type {[string[], Record<string, string>, RegExp][]} */ ([
    [file('s'.repeat(31)), {}, /fewer than 32 bytes.*openssl rand -base64 33/s],
    [file(`${'s'.repeat(31)}\n`), {}, /fewer than 32 bytes/],
    [[], inEnvironment('s'.repeat(31)), /fewer than 32 bytes/],
    [file(SECRET), { MUNCHKIN_TOKEN_SECRET_2: 'short' }, /fewer than 32 bytes/],
    [[...file(SECRET), ...file('short')], {}, /fewer than 32 bytes/],
    [file(''), {}, /the token secret is empty/],
    [[], inEnvironment(''), /the token secret is empty/],
    [[], { MUNCHKIN_TOKEN_SECRET_2: '' }, /the second token secret is empty/],
    [file('s'.repeat(1025)), {}, /longer than 1024 bytes/],
    [[], inEnvironment('s'.repeat(1025)), /MUNCHKIN_TOKEN_SECRET is longer than 1024 bytes/],
    [['--token-secret-file', join(folder, 'missing')], {}, /the token secret's file \S+missing cannot be read: No such file or directory\./],
    [file(SECRET), inEnvironment(SECRET), /both in MUNCHKIN_TOKEN_SECRET and in --token-secret-file; give one/],
    [[...file(SECRET), ...file(SECRET), ...file(SECRET)], {}, /expected a file, and at most two of them/],
    [['--token-secret', SECRET], {}, /does not belong on the command line.*--token-secret-file/s],
    [['--token-audience', 'us'], {}, /without a secret there are no tokens: give --token-secret-file/],
    [[...file(SECRET), '--token-audience', ''], {}, /--token-audience is what tokens say under aud, and not empty/],
    [['--rate-limit-email', '-1'], {}, /--rate-limit-email -1: expected a number/],
    [['--rate-limit-email', 'x'], {}, /--rate-limit-email x: expected a number/],
  ])) {
    const { code, said } = await refusal([...PAGES, ...args], { ...SIGNING, ...env });
    assert.equal(code, 2, `${args.join(' ')}: ${said}`);
    assert.match(said, problem);
    assert.ok(!said.includes('sss') && !said.includes(SECRET), said);
  }
});

test('with a secret too it does not start for pages of nowhere', async () => {
  const { code, said } = await refusal([], { ...SIGNING, MUNCHKIN_TOKEN_SECRET: SECRET });
  assert.equal(code, 2);
  assert.match(said, /no origin is allowed/);
});

test('as it starts, it warns of origins alone, and names what is stricter', async (t) => {
  const byOrigin = await serverFor(t);
  await byOrigin.stop();
  const warning = byOrigin.output().split('\n').find((line) => line.includes('"origins_only"'));
  const { level, message } = JSON.parse(String(warning));
  assert.equal(level, 'warning');
  assert.match(message, /can be forged outside a browser.*--token-secret-file/);
  const byToken = await serverFor(t, { env: { MUNCHKIN_TOKEN_SECRET: SECRET } });
  await byToken.stop();
  assert.match(byToken.output(), /"started"/);
  assert.doesNotMatch(byToken.output(), /origins_only/);
});

test('where it only signs, it warns that current versions of Munchkin ignore that, and --check hints at it', async (t) => {
  const signing = await serverFor(t);
  await signing.stop();
  const warning = signing.output().split('\n').find((line) => line.includes('"associate_lead_withdrawn"'));
  const { level, message } = JSON.parse(String(warning));
  assert.equal(level, 'warning');
  assert.match(message, /^Current versions of Munchkin ignore associateLead.* MARKETO_CLIENT_ID and MARKETO_CLIENT_SECRET/);
  const checked = await refusal([...PAGES, '--check'], SIGNING);
  assert.equal(checked.code, 0, checked.said);
  assert.match(checked.said, /^ok +configuration +leads go through the browser, signed with a hash, which current versions of Munchkin ignore; .*MARKETO_CLIENT_ID and MARKETO_CLIENT_SECRET/m);

  const { server: bringing } = await intakeFor(t, { env: { ...REST, ...SIGNING } });
  const chosen = await serverFor(t, { args: ['--backend', 'hash'] });
  for (const server of [bringing, chosen]) {
    await server.stop();
    assert.match(server.output(), /"started"/);
    assert.doesNotMatch(server.output(), /associate_lead_withdrawn/);
  }
  assert.doesNotMatch((await refusal([...PAGES, '--backend', 'hash', '--check'], SIGNING)).said, /ignore/);
});

test('--check tells how strict it is', async () => {
  const check = (/** @type {string[]} */ args, /** @type {Record<string, string>} */ env) => refusal([...args, '--check'], env);
  const strict = await check(PAGES, { ...SIGNING, MUNCHKIN_TOKEN_SECRET: SECRET });
  assert.equal(strict.code, 0);
  assert.match(strict.said, /^ok +authorization +pages of listed origins, with a token of who is signed in$/m);
  const weak = await check(PAGES, SIGNING);
  assert.match(weak.said, /^ok +authorization +pages of listed origins, which can be forged; --token-secret-file is stricter$/m);
  const rest = { MARKETO_CLIENT_ID: 'c', MARKETO_CLIENT_SECRET: 's' };
  const nowhere = ['--munchkin-id', MUNCHKIN_ID, '--write-key', 'k', '--db', join(folder, 'q.db'), '--rest-url', 'http://127.0.0.1:1'];
  assert.match((await check(nowhere, rest)).said, /^ok +authorization +by write key; pages may send nothing$/m);
});
