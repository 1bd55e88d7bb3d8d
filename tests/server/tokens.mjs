/** Tokens as a site's back end makes them, and as nobody should; written with node:crypto. */

import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** The text of a part of a token. @param {unknown} part JSON of it, unless it is text or bytes */
const encoded = (part) =>
  (Buffer.isBuffer(part) ? part : Buffer.from(typeof part === 'string' ? part : JSON.stringify(part))).toString('base64url');

export const SECRET = 'a secret of the tests, 32 bytes.';

/** Two hundred seconds ago, and so on. @param {number} seconds */
export const fromNow = (seconds) => Math.floor(Date.now() / 1000) + seconds;

/**
 * A token for an e-mail address, good for ten minutes, or with other claims than that.
 * @param {string} email
 * @param {{claims?: object, header?: object, secret?: string}} [options]
 */
export function tokenFor(email, { claims = {}, header = { alg: 'HS256', typ: 'JWT' }, secret = SECRET } = {}) {
  const text = `${encoded(header)}.${encoded({ email, exp: fromNow(600), ...claims })}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/**
 * @typedef {object} TokenVector
 * @property {string} name
 * @property {string} token
 * @property {string} [header] to be read; likewise claims
 * @property {string} [claims]
 * @property {string} [audience] the server's
 * @property {boolean} [exact] it turns on a second more or less
 * @property {string} [email] whose it is
 * @property {string} [userId] as it says; or
 * @property {string} [error] why it is refused
 */

/** tests/vectors/token.json, with the tokens that are there in pieces as one. */
export function tokenVectors() {
  const { now, secrets, vectors } = JSON.parse(readFileSync(new URL('../vectors/token.json', import.meta.url), 'utf8'));
  /** @param {string | {text: string, times: number}} piece */
  const whole = (piece) => (typeof piece === 'string' ? piece : piece.text.repeat(piece.times));
  return {
    now: /** @type {number} */ (now),
    secrets: /** @type {[string, string]} */ (secrets),
    vectors: /** @type {TokenVector[]} */ (
      vectors.map((/** @type {any} */ vector) => ({ ...vector, token: vector.token ?? vector.tokenPieces.map(whole).join('') }))
    ),
  };
}
