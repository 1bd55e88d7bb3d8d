/** Requests to munchkin-server. */

import { inTime } from './munchkin.js';
import { failure } from './outcome.js';

/**
 * Asks for the hash that signs associateLead. A text body and no header of our own make it a
 * "simple" cross-origin request, which costs no preflight; the e-mail is never part of a URL. Cookies
 * go to the page's own origin only, whose signer tells by them who is signed in.
 *
 * @param {string | undefined} server its origin, say https://events.example.com
 * @param {string} email
 * @returns {Promise<{ok: true, hash: string} | import('./rules.js').ErrorResult>}
 */
export async function requestHash(server, email) {
  if (!server) return failure('server_missing');
  /** @type {any} */
  let answer;
  try {
    answer = await inTime(
      fetch(`${server.replace(/\/+$/, '')}/v1/hash`, {
        method: 'POST',
        body: JSON.stringify({ email }),
        keepalive: true,
      }).then((response) => response.json().catch(() => {})),
    );
  } catch (reason) {
    return failure('server_unreachable');
  }
  if (/^[0-9a-f]{40}$/.test(answer?.hash)) return { ok: true, hash: answer.hash };
  return typeof answer?.error === 'string' ? failure(answer.error, answer.message) : failure('server_error');
}
