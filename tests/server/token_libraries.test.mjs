/** Tokens by the library that back ends in JavaScript use: what it makes is taken, or refused as it should be. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { exportSPKI, generateKeyPair, jwtVerify, SignJWT, UnsecuredJWT } from 'jose';
import { askForHash } from './http_client.mjs';
import { KEY, serverFor } from './server_process.mjs';
import { SECRET, tokenVectors } from './tokens.mjs';

const EMAIL = 'ada@example.com';
const AUDIENCE = 'https://events.example.com';
const UNLIMITED = ['--rate-limit', '0', '--rate-limit-email', '0'];
const secret = new TextEncoder().encode(SECRET);
const hash = createHash('sha1').update(KEY + EMAIL).digest('hex');

const server = await serverFor({ after }, { args: UNLIMITED, env: { MUNCHKIN_TOKEN_SECRET: SECRET } });
const withAudience = await serverFor({ after }, { args: [...UNLIMITED, '--token-audience', AUDIENCE], env: { MUNCHKIN_TOKEN_SECRET: SECRET } });

/** What is answered with a token: "ok", or the code. @param {string} token @param {{url: string}} [asked] */
async function answerTo(token, asked = server) {
  const { json } = await askForHash(asked, { email: EMAIL, token });
  return json.hash === hash ? 'ok' : json.error;
}

/** @param {object} [claims] @param {import('jose').JWTHeaderParameters} [header] */
const token = (claims, header = { alg: 'HS256' }) => new SignJWT({ email: EMAIL, ...claims }).setProtectedHeader(header);

test('what jose makes is taken', async () => {
  const typed = new SignJWT({ email: EMAIL }).setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: '1' });
  for (const each of [
    token().setExpirationTime('10m'),
    token().setExpirationTime('24h').setIssuedAt().setNotBefore('0s').setSubject('1234').setJti('x').setIssuer('y'),
    typed.setExpirationTime('1 minute'),
  ]) {
    assert.equal(await answerTo(await each.sign(secret)), 'ok');
  }
  for (const audience of [AUDIENCE, ['https://other.example.com', AUDIENCE]]) {
    const each = await token().setExpirationTime('10m').setAudience(audience).sign(secret);
    assert.equal(await answerTo(each, withAudience), 'ok');
    assert.equal(await answerTo(each), 'token_audience');
  }
});

test('what jose makes otherwise is refused, each for its reason', async () => {
  const rsa = await generateKeyPair('RS256', { extractable: true });
  const publicKey = new TextEncoder().encode(await exportSPKI(rsa.publicKey));
  const good = (/** @type {import('jose').JWTHeaderParameters} */ header = { alg: 'HS256' }) => token({}, header).setExpirationTime('10m');
  const long = (/** @type {string} */ text) => new TextEncoder().encode(text.repeat(2));
  for (const [what, made, code] of /** @type {[string, Promise<string> | string, string][]} */ ([
    ['no signature', new UnsecuredJWT({ email: EMAIL }).setExpirationTime('10m').encode(), 'token_invalid'],
    ['HS384', good({ alg: 'HS384' }).sign(long(SECRET)), 'token_invalid'],
    ['HS512', good({ alg: 'HS512' }).sign(long(SECRET)), 'token_invalid'],
    ['RS256', good({ alg: 'RS256' }).sign(rsa.privateKey), 'token_invalid'],
    ['a public key as the secret', good().sign(publicKey), 'token_invalid'],
    ['another secret', good().sign(long('another secret ')), 'token_invalid'],
    ['crit', good({ alg: 'HS256', crit: ['b64'], b64: true }).sign(secret), 'token_invalid'],
    ['no end', token().sign(secret), 'token_invalid'],
    ['expired', token().setExpirationTime('2 minutes ago').sign(secret), 'token_expired'],
    ['not yet valid', good().setNotBefore('5m').sign(secret), 'token_not_yet_valid'],
    ['made tomorrow', good().setIssuedAt('1 day').sign(secret), 'token_not_yet_valid'],
    ['for a week', token().setExpirationTime('1 week').sign(secret), 'token_lifetime'],
    ['no e-mail', token({ email: undefined }).setExpirationTime('10m').sign(secret), 'token_invalid'],
    ["another's", token({ email: 'eve@example.com' }).setExpirationTime('10m').sign(secret), 'token_email_differs'],
  ])) {
    assert.equal(await answerTo(await made), code, what);
  }
  assert.equal(await answerTo(await good().sign(secret), withAudience), 'token_audience');
});

/** What jose says of a vector. @param {import('./tokens.mjs').TokenVector} vector @param {number} now @param {string[]} secrets */
async function joseReads({ token: text, audience }, now, secrets) {
  const options = { algorithms: ['HS256'], clockTolerance: 60, currentDate: new Date(now * 1000), audience, requiredClaims: ['exp', 'email'] };
  for (const each of secrets) {
    const read = await jwtVerify(text, new TextEncoder().encode(each), options).catch(() => undefined);
    if (read) return read.payload.email;
  }
  return undefined;
}

/** Refused here, though jose takes them: what can be read in two ways, and rules of ours. */
const STRICTER = [
  /twice/, // JSON.parse takes the last
  /^padding|a bit more|a line break|a space behind/, // several ways to write one token
  /^an e-mail, /, // must be one that the server would sign
  /^an end (in|that is)|^nbf is negative/, // times of no use
  /^lasts a year|a day and the skew|^made in the future/,
  /^the type /,
  /, where there is none$/,
  /^1,000 levels|^more than that$/,
];

test('what is taken of the vectors, jose takes too; what jose takes beside that is known', async () => {
  const { now, secrets, vectors } = tokenVectors();
  /** @type {string[]} */
  const stricter = [];
  for (const vector of vectors) {
    const email = await joseReads(vector, now, secrets);
    if (vector.email) assert.equal(email, vector.email, vector.name);
    else if (email !== undefined) stricter.push(vector.name);
  }
  assert.deepEqual(stricter.filter((name) => !STRICTER.some((known) => known.test(name))), []);
  for (const known of STRICTER) assert.ok(stricter.some((name) => known.test(name)), String(known));
});
