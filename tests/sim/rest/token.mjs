import { randomBytes } from 'node:crypto';

/**
 * @typedef {object} Tokens
 * @property {(parameters: URLSearchParams) => {status: number, body: object}} ask
 * @property {(token: string) => '601' | '602' | null} check  why it is refused
 * @property {() => void} clear
 */

/**
 * The access tokens of the one API user that there is.
 *
 * @param {object} options
 * @param {{id: string, secret: string} | undefined} options.client  without it nobody gets one
 * @param {import('../clock.mjs').Clock} options.clock
 * @param {import('../faults.mjs').Faults} options.faults
 * @param {() => number} options.seconds  how long a token lives
 * @returns {Tokens}
 */
export function createTokens({ client, clock, faults, seconds }) {
  let current = '';
  let expires = 0;
  /** @type {Set<string>} */
  const expired = new Set();

  /** What a fault asks for is done when the token is next looked at. */
  function applyFault() {
    if (faults.token === 'expired') expired.add(current);
    if (faults.token !== '') current = '';
    faults.token = '';
  }

  /** @type {Tokens['ask']} */
  function ask(parameters) {
    applyFault();
    if (parameters.get('grant_type') !== 'client_credentials') {
      return { status: 400, body: { error: 'unsupported_grant_type', error_description: 'Unsupported grant type' } };
    }
    if (!client || parameters.get('client_id') !== client.id) {
      const description = `No client with requested id: ${parameters.get('client_id') ?? ''}`;
      return { status: 401, body: { error: 'unauthorized', error_description: description } };
    }
    if (parameters.get('client_secret') !== client.secret) {
      return { status: 401, body: { error: 'invalid_client', error_description: 'Bad client credentials' } };
    }
    const now = clock.now();
    if (current === '' || now >= expires) {
      if (current !== '') expired.add(current);
      current = `${randomBytes(16).toString('hex')}:sim`;
      expires = now + seconds() * 1000;
    }
    const left = Math.floor((expires - now) / 1000);
    return { status: 200, body: { access_token: current, token_type: 'bearer', expires_in: left, scope: 'api@example.com' } };
  }

  /** @type {Tokens['check']} */
  function check(token) {
    applyFault();
    if (token !== '' && token === current) return clock.now() < expires ? null : '602';
    return expired.has(token) ? '602' : '601';
  }

  function clear() {
    current = '';
    expired.clear();
  }

  return { ask, check, clear };
}
