/** What is left to say of the leads that are kept. */

/** @typedef {import('./kept.js').Kept} Kept */
/** @typedef {import('./rules.js').Rules} Rules */

/**
 * Of the leads of one e-mail address makes one, which says what all of them say, one after the other. What core refuses is left
 * out: it has been told to the page already.
 * @param {Rules} rules
 * @param {Kept[]} leads the earlier first
 * @returns {Kept[]}
 */
export function merged(rules, leads) {
  /** @type {Map<unknown, Kept>} */
  const byEmail = new Map();
  for (const lead of leads) {
    const { ok, email } = rules('identify', lead.request);
    if (!ok) continue;
    const earlier = byEmail.get(email);
    byEmail.delete(email);
    const request = earlier ? combined(rules, earlier.request, lead.request) : lead.request;
    if (earlier && !rules('identify', request).ok) {
      byEmail.set(earlier, earlier); // together they are too large
      byEmail.set(email, lead);
    } else {
      byEmail.set(email, { ...lead, request });
    }
  }
  return [...byEmail.values()];
}

/**
 * What of a lead has not been said by another one since, of the same e-mail address: or it would undo what is newer.
 * @param {Rules} rules
 * @param {string} request
 * @param {Record<string, unknown>} newer fields
 * @returns {string | undefined} a request; none if that is nothing
 */
export function remainder(rules, request, newer) {
  // A field has one name, whatever the case.
  const said = Object.keys(newer).map((field) => field.toLowerCase());
  /** @param {string} text @returns {[string, unknown][]} all but the e-mail address */
  const fieldsOf = (text) => Object.entries(rules('identify', text).call[1]).filter(([field]) => field !== 'Email');
  // A name says the first and the last one as well.
  const isNew = (/** @type {[string, unknown]} */ [name, value]) =>
    fieldsOf(JSON.stringify({ traits: { email: newer.Email, [name]: value } })).every(([field]) => !said.includes(field.toLowerCase()));
  // Field by field: a trait such as an address has several.
  const left = fieldsOf(request).filter(isNew);
  if (!left.length) return undefined;
  const { UserId: userId, ...traits } = Object.fromEntries(left);
  return JSON.stringify({ userId, traits: { email: newer.Email, ...traits } });
}

/** The later over the earlier, field by field: a trait may be spelled in two ways. @param {Rules} rules @param {string} earlier @param {string} later */
function combined(rules, earlier, later) {
  const rest = JSON.parse(remainder(rules, earlier, rules('identify', later).call[1]) ?? '{}');
  const { userId, traits } = JSON.parse(later);
  return JSON.stringify({ userId: userId ?? rest.userId, traits: { ...rest.traits, ...traits } });
}
