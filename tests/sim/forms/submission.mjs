/**
 * A submitted form, in the same shape as what trackers send. `query` has all that was posted, `host`, `path` and
 * `params` are of the page, and `leadFields` are the fields that are the lead's.
 *
 * @typedef {import('../web-event.mjs').WebEvent & {formId: string}} FormSubmission
 */

/** What the library adds to a lead's fields. */
const OF_THE_LIBRARY = ['formid', 'formVid', 'munchkinId', '_mkt_trk', '_mktoReferrer'];

/**
 * @param {object} received
 * @param {number} received.at  in milliseconds since 1970
 * @param {string} received.method
 * @param {string} received.userAgent
 * @param {Iterable<[string, string]>} received.parameters
 * @returns {Omit<FormSubmission, 'number'>}
 */
export function decodeSubmission({ at, method, userAgent, parameters }) {
  const query = Object.fromEntries(parameters);
  const page = pageOf(query._mktoReferrer ?? '');
  return {
    receivedAt: new Date(at).toISOString(),
    type: 'formSubmit',
    formId: query.formid ?? '',
    munchkinId: query.munchkinId ?? '',
    token: /&token:(.+)$/.exec(query._mkt_trk ?? '')?.[1] ?? '',
    host: page.host,
    path: page.path,
    params: page.params,
    referrer: '',
    name: '',
    link: '',
    leadFields: Object.fromEntries(Object.entries(query).filter(([name]) => !OF_THE_LIBRARY.includes(name))),
    hash: '',
    signature: 'unchecked',
    method,
    query,
    userAgent,
  };
}

/** @param {string} text */
function pageOf(text) {
  if (!URL.canParse(text)) return { host: '', path: '', params: '' };
  const { hostname, pathname, search } = new URL(text);
  return { host: hostname, path: decoded(pathname), params: decoded(search.slice(1)) };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
