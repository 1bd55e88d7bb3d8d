/** What is left to say of the leads that are kept. */

/** @typedef {import('./kept.js').Kept} Kept */
/** @typedef {import('./rules.js').Rules} Rules */

/** The later over the earlier. @param {string} earlier @param {string} later */
function combined(earlier, later) {
  const [one, two] = [earlier, later].map((request) => JSON.parse(request));
  return JSON.stringify({ userId: two.userId ?? one.userId, traits: { ...one.traits, ...two.traits } });
}

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
    const request = earlier ? combined(earlier.request, lead.request) : lead.request;
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
  const { userId, traits } = JSON.parse(request);
  /** @param {object} traits */
  const fields = (traits) => Object.keys(rules('identify', JSON.stringify({ traits: { email: newer.Email, ...traits } })).call?.[1] || {});
  const isNew = (/** @type {[string, unknown]} */ [name, value]) =>
    fields({ [name]: value }).some((field) => !Object.hasOwn(newer, field));
  const left = Object.entries(traits).filter(isNew);
  if (!left.length) return undefined;
  return JSON.stringify({ userId, traits: { email: newer.Email, ...Object.fromEntries(left) } });
}
