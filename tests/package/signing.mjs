/** What a mounted signer must do, whatever it is mounted in. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

export const KEY = 'private-key-of-the-site';

/** Who is signed in, with this cookie. */
const ADA = 'ada@example.com';
const COOKIE = `user=${ADA}`;

/** By how they are answered, in status and code: bodies of others than browsers. */
const REFUSED = /** @type {[status: number, code: string, body: BodyInit][]} */ ([
  [400, 'json_invalid', ''],
  [400, 'json_invalid', '{'],
  [400, 'json_invalid', '[]'],
  [400, 'json_invalid', '\u0000'],
  [400, 'json_invalid', '{"a":'.repeat(2000)],
  [400, 'email_missing', '{}'],
  [400, 'email_invalid', '{"email":{"toString":"ada@example.com"}}'],
  [413, 'body_too_large', `{"email":"${ADA}","more":"${'x'.repeat(65536)}"}`],
]);

/**
 * Checks where `POST url` leads: a signer with KEY whose visitors are signed in by the cookie user=<e-mail>.
 * @param {string} url
 */
export async function assertSigns(url) {
  /** @param {BodyInit} body @param {Record<string, string>} [headers] */
  const ask = (body, headers) => fetch(url, { method: 'POST', body, headers });

  const hash = createHash('sha1').update(`${KEY}${ADA}`).digest('hex');
  // The first is what the shim sends.
  for (const type of ['text/plain;charset=UTF-8', 'application/json', 'application/octet-stream']) {
    const own = await ask(JSON.stringify({ email: ADA }), { 'Content-Type': type, Cookie: COOKIE });
    assert.deepEqual([own.status, await own.json()], [200, { hash }], type);
    assert.equal(own.headers.get('cache-control'), 'no-store');
  }

  const others = await ask('{"email":"eve@example.com"}', { Cookie: COOKIE });
  assert.deepEqual([others.status, (await others.json()).error], [403, 'not_authorized']);
  const strangers = await ask(JSON.stringify({ email: ADA }));
  assert.deepEqual([strangers.status, (await strangers.json()).error], [403, 'not_authorized']);

  for (const [status, code, body] of REFUSED) {
    const answer = await ask(body, { Cookie: COOKIE });
    assert.deepEqual([answer.status, (await answer.json()).error], [status, code], String(body).slice(0, 50));
    // A body parser may have refused it already, in its own words.
    const parsed = await ask(body, { 'Content-Type': 'application/json', Cookie: COOKIE });
    assert.ok(parsed.status >= 400 && parsed.status < 500, `${parsed.status}: ${String(body).slice(0, 50)}`);
    await parsed.text();
  }
}
