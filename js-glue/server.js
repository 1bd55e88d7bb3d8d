/** Requests to munchkin-server. */

import { inTime } from './munchkin.js';
import { failure } from './outcome.js';

/**
 * Hands a lead to munchkin-server, which signs it for associateLead or sees to it itself, by the way to Marketo that it
 * has. A text body and no header of our own make it a "simple" cross-origin request, which costs no preflight; nothing of
 * the lead is in the URL. Cookies go to the page's own origin only, whose signer tells by them who is signed in.
 *
 * @param {string | URL | undefined} server its origin, say https://events.example.com
 * @param {string} request of identify, as JSON
 * @param {string} cookie Munchkin's; empty if there is none yet
 * @returns {Promise<import('./outcome.js').Answer>} a hash, or if it is queued, the cookie that went along
 */
export async function sendLead(server, request, cookie) {
  if (!server) return failure('server_missing');
  const body = `{"cookie":${JSON.stringify(cookie)},${request.slice(1)}`;
  const { status, retryAfter, queued, hash, message, error } = await inTime(
    fetch(String(server).replace(/\/*$/, '/v1/lead'), {
      method: 'POST',
      body,
      keepalive: body.length < 2e4, // browsers take no more than 64 KB of these, all requests together
    }).then(async (response) => ({
      ...(await response.json().catch(() => {})),
      retryAfter: response.headers.get('retry-after'),
      status: response.status,
    })),
  ).catch(() => ({ status: 500, error: 'server_unreachable' }));
  if (queued || /^[0-9a-f]{40}$/.test(hash)) return { ok: true, hash, cookie: queued && cookie };
  // Another time it may go well. What has answered may be a gateway, whose error may be anything.
  return { ...failure((typeof error === 'string' && error) || 'server_error', message), retryAfter, kept: /^5|408|429/.test(status) };
}
