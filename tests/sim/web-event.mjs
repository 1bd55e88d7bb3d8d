import { createHash } from 'node:crypto';

/**
 * One request of a tracker, decoded. A text is empty when the request did not carry it.
 *
 * @typedef {object} WebEvent
 * @property {number} number       counts up from 1 in the order of arrival, and goes on after a reset
 * @property {string} receivedAt   ISO 8601
 * @property {string} type         visitWebPage, clickLink, associateLead, or what else the path named
 * @property {string} munchkinId
 * @property {string} token        the visitor's, from the cookie
 * @property {string} host
 * @property {string} path
 * @property {string} params       with `&` between the parameters again
 * @property {string} referrer
 * @property {string} name         the custom page name
 * @property {string} link
 * @property {Record<string, string>} leadFields  by Marketo field name
 * @property {string} hash         the signature that came with an associateLead
 * @property {'valid' | 'invalid' | 'unchecked'} signature
 * @property {string} method
 * @property {Record<string, string>} query       every parameter as it was on the wire, percent-decoded
 * @property {string} userAgent
 */

const LEAD_FIELD_PREFIX = '_mchAt';

/**
 * @param {object} received
 * @param {number} received.at  in milliseconds since 1970
 * @param {string} received.type
 * @param {string} received.method
 * @param {string} received.userAgent
 * @param {Iterable<[string, string]>} received.parameters
 * @param {string} [privateKey]
 * @returns {Omit<WebEvent, 'number'>}
 */
export function decodeWebEvent({ at, type, method, userAgent, parameters }, privateKey) {
  const query = Object.fromEntries(parameters);
  const leadFields = Object.fromEntries(
    Object.entries(query)
      .filter(([name]) => name.startsWith(LEAD_FIELD_PREFIX))
      .map(([name, value]) => [name.slice(LEAD_FIELD_PREFIX.length), value]),
  );
  const hash = query._mchKy ?? '';
  return {
    receivedAt: new Date(at).toISOString(),
    type,
    munchkinId: query._mchId ?? '',
    token: query._mchTk ?? '',
    host: query._mchHo ?? '',
    path: query._mchRu ?? '',
    params: (query._mchQp ?? '').replaceAll('__-__', '&'),
    referrer: query._mchRe ?? '',
    name: query._mchCn ?? '',
    // Trackers of different ages name the link differently.
    link: query._mchHr ?? query._mchLr ?? '',
    leadFields,
    hash,
    signature: type === 'associateLead' ? checkSignature(leadFields.Email ?? '', hash, privateKey) : 'unchecked',
    method,
    query,
    userAgent,
  };
}

/**
 * Marketo's proof that a lead was named by someone who holds the account's private key: SHA-1 over that key followed
 * directly by the e-mail address, as lower-case hexadecimal.
 *
 * @param {string} email
 * @param {string} hash
 * @param {string} [privateKey]
 * @returns {WebEvent['signature']}
 */
function checkSignature(email, hash, privateKey) {
  if (!privateKey) return 'unchecked';
  const expected = createHash('sha1').update(privateKey).update(email).digest('hex');
  return email !== '' && hash === expected ? 'valid' : 'invalid';
}
