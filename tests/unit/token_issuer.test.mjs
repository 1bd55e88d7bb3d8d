/** createTokenIssuer of munchkin-shim/signer: what is in its tokens, and that the server takes them. */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { createTokenIssuer } from 'munchkin-shim/signer';
import { askForHash } from '../server/http_client.mjs';
import { serverFor } from '../server/server_process.mjs';
import { SECRET } from '../server/tokens.mjs';

const EMAIL = 'ada@example.com';
const AUDIENCE = 'https://events.example.com';

/** What is answered with a token. @param {{url: string}} server @param {string} token @param {string} [email] */
async function answerTo(server, token, email = EMAIL) {
  const { status, json } = await askForHash(server, { email, token });
  return json.error ?? status;
}

test('the server takes its tokens, for the e-mail address and the audience that they are for', async (t) => {
  const plain = await serverFor(t, { env: { MUNCHKIN_TOKEN_SECRET: SECRET } });
  const ours = await serverFor(t, { args: ['--token-audience', AUDIENCE], env: { MUNCHKIN_TOKEN_SECRET: SECRET } });
  const token = await createTokenIssuer({ secret: SECRET }).issue(EMAIL);
  assert.deepEqual([await answerTo(plain, token), await answerTo(plain, token, 'eve@example.com')], [200, 'token_email_differs']);
  assert.equal(await answerTo(ours, token), 'token_audience');
  const aimed = await createTokenIssuer({ secret: SECRET, audience: AUDIENCE, lifetime: 86_400 }).issue(EMAIL);
  assert.deepEqual([await answerTo(ours, aimed), await answerTo(plain, aimed)], [200, 'token_audience']);
  const required = createRequire(import.meta.url)('munchkin-shim/signer').createTokenIssuer({ secret: SECRET });
  assert.equal(await answerTo(plain, await required.issue("o'neil+tag@mail.example.co.uk"), "o'neil+tag@mail.example.co.uk"), 200);
});

test('any text is a secret, if it is long enough', async (t) => {
  for (const secret of ['ü'.repeat(16), 's'.repeat(64), 's'.repeat(65), 's'.repeat(1024)]) {
    const server = await serverFor(t, { env: { MUNCHKIN_TOKEN_SECRET: secret } });
    assert.equal(await answerTo(server, await createTokenIssuer({ secret }).issue(EMAIL)), 200);
  }
});

test('they say what they must, and end in ten minutes, or when they are told to', async () => {
  for (const [options, seconds] of /** @type {[object, number][]} */ ([[{}, 600], [{ lifetime: 60 }, 60], [{ lifetime: 0.5 + 0.5 }, 1]])) {
    const before = Math.floor(Date.now() / 1000);
    const token = await createTokenIssuer({ secret: SECRET, audience: AUDIENCE, ...options }).issue(EMAIL);
    assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]{43}$/);
    const [header, claims, signature] = token.split('.');
    assert.equal(signature, createHmac('sha256', SECRET).update(`${header}.${claims}`).digest('base64url'));
    assert.deepEqual(JSON.parse(String(Buffer.from(header, 'base64url'))), { alg: 'HS256', typ: 'JWT' });
    const { iat, exp, ...rest } = JSON.parse(String(Buffer.from(claims, 'base64url')));
    assert.deepEqual(rest, { email: EMAIL, aud: AUDIENCE });
    assert.ok(iat >= before && iat <= before + 5, `${iat}`);
    assert.equal(exp - iat, seconds);
  }
});

test('the user id goes along as sub', async () => {
  const issuer = createTokenIssuer({ secret: SECRET });
  for (const id of ['1234', 1234, 'ü', undefined]) {
    const [, claims] = (await issuer.issue(EMAIL, id)).split('.');
    assert.equal(JSON.parse(String(Buffer.from(claims, 'base64url'))).sub, id);
  }
});

test('what could never work is refused at once', async () => {
  for (const options of [{}, { secret: 's'.repeat(31) }, { secret: 'ü'.repeat(15) }, { secret: 's'.repeat(1025) }, { secret: Buffer.from(SECRET) },
    { secret: SECRET, lifetime: 0 }, { secret: SECRET, lifetime: -1 }, { secret: SECRET, lifetime: 86_401 }, { secret: SECRET, lifetime: NaN },
    { secret: SECRET, audience: '' }, { secret: SECRET, audience: [AUDIENCE] }]) {
    assert.throws(() => createTokenIssuer(/** @type {any} */ (options)), TypeError, JSON.stringify(options));
  }
  const issuer = createTokenIssuer({ secret: SECRET });
  for (const email of [undefined, null, '', 'ada', 7, `${'a'.repeat(250)}@b.co`, { email: EMAIL }]) {
    await assert.rejects(issuer.issue(/** @type {any} */ (email)), TypeError, String(email));
  }
});
