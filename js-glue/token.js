/** The visitor's token: the site's back end says by it who is signed in, and munchkin-server believes that alone. */

import { inTime } from './munchkin.js';
import { failure } from './outcome.js';

/** @typedef {import('./outcome.js').Answer} Answer */

/**
 * Sends a lead with a token, which is asked for each time, and stored nowhere. One that has expired on its way is asked for once
 * more.
 * @param {import('./delivery.js').Options['token']} token
 * @param {string} request of identify, as JSON
 * @param {(request: string) => Promise<Answer>} send
 * @returns {Promise<Answer>}
 */
export async function sendWithToken(token, request, send) {
  const attempt = async () => {
    let given;
    try {
      given = await inTime(Promise.resolve(typeof token === 'function' ? token() : token));
    } catch (reason) {
      // It may have asked the site's back end, which cannot be reached now.
      return { ...failure('token_failed', reason ? String(reason) : undefined), kept: true };
    }
    if (typeof given !== 'string' || !given) return failure('token_failed');
    return send(`{"token":${JSON.stringify(given)},${request.slice(1)}`);
  };
  const answer = await attempt();
  return answer.error === 'token_expired' && typeof token === 'function' ? attempt() : answer;
}
