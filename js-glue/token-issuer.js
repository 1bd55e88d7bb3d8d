/**
 * Makes the tokens by which munchkin-server knows who is signed in (src/server/token.h), for a site's own back end: a
 * JWT by HS256, with WebCrypto, which Node.js, Deno, Bun and edge runtimes all have.
 */

/** Of a secret, in bytes; as in src/server/token.h, likewise the others. */
const SECRET_MIN = 32;

/** In src/server/secret.c. */
const SECRET_MAX = 1024;

/** In seconds. */
const LIFETIME_MAX = 86400;

/** The longest e-mail address. */
const EMAIL_MAX = 254;

const encoder = new TextEncoder();

/** In base64url, without padding. @param {Uint8Array} bytes */
const encoded = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/[+/=]/g, (digit) => (digit === '+' ? '-' : digit === '/' ? '_' : ''));

/** @param {object} part */
const encodedJson = (part) => encoded(encoder.encode(JSON.stringify(part)));

/**
 * @typedef {object} TokenIssuerOptions
 * @property {string} secret the text in the file of --token-secret-file, or in MUNCHKIN_TOKEN_SECRET
 * @property {string} [audience] that of --token-audience, if the server has one
 * @property {number} [lifetime] of a token, in seconds; 600
 */

/**
 * Throws a TypeError unless the secret is text of 32 to 1,024 bytes, the lifetime 1 second to a day, and the audience not empty.
 * @param {TokenIssuerOptions} options
 */
export function createTokenIssuer({ secret, audience, lifetime = 600 }) {
  const bytes = encoder.encode(typeof secret === 'string' ? secret : '');
  if (bytes.length < SECRET_MIN || bytes.length > SECRET_MAX) {
    throw new TypeError('createTokenIssuer needs a secret of 32 to 1,024 bytes: openssl rand -base64 33');
  }
  if (!(lifetime >= 1 && lifetime <= LIFETIME_MAX)) throw new TypeError('A token lasts 1 to 86,400 seconds.');
  if (audience !== undefined && (typeof audience !== 'string' || audience === '')) throw new TypeError('An audience is text.');
  /** @type {Promise<CryptoKey> | undefined} */
  let key;

  return {
    /**
     * A token that opens munchkin-server for one e-mail address: only for the person who is signed in with it.
     * @param {string} email
     * @param {string | number} [userId] of the same person, as the page says it to identify
     * @returns {Promise<string>} rejects with a TypeError for what cannot be an e-mail address
     */
    async issue(email, userId) {
      if (typeof email !== 'string' || !email.includes('@') || email.length > EMAIL_MAX) throw new TypeError('issue needs an e-mail address.');
      const now = Math.floor(Date.now() / 1000);
      const claims = { email, sub: userId, iat: now, exp: now + Math.ceil(lifetime), aud: audience };
      const text = `${encodedJson({ alg: 'HS256', typ: 'JWT' })}.${encodedJson(claims)}`;
      key ??= crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
      const signature = await crypto.subtle.sign('HMAC', await key, encoder.encode(text));
      return `${text}.${encoded(new Uint8Array(signature))}`;
    },
  };
}
