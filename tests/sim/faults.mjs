import { requirementOfCalls } from './call-faults.mjs';
import { RequestError } from './http.mjs';

/**
 * What goes wrong on purpose. Change a property at any time; it holds from the next request on.
 *
 * @typedef {object} Faults
 * @property {number} loaderStatus     HTTP status of /munchkin.js
 * @property {number} loaderDelayMs
 * @property {number} trackerStatus    HTTP status of /<version>/munchkin.js
 * @property {number} trackerDelayMs
 * @property {boolean} hang            these scripts, and that of the forms, are never answered
 * @property {number} eventsStatus     HTTP status of /webevents/*; with any but 200, events are refused and not recorded
 * @property {number} formsStatus      HTTP status of /js/forms2/js/forms2.min.js
 * @property {number} formsDelayMs
 * @property {number} submissionStatus HTTP status of a submitted form; with any but 200, it is refused and not recorded
 * @property {number} submissionDelayMs
 * @property {number} callDelayMs      every call of REST and SOAP takes so long
 * @property {CallFault[]} calls  of REST, SOAP and /webevents/*; each is used up by its calls
 * @property {Record<string, number | string>} records  leads that are refused, by e-mail address in lower case: with which code
 * @property {'' | 'expired' | 'invalid'} token  what becomes of the REST token that is in use (602, 601), once
 * @property {(call: ReadCall) => CallFault | undefined} [choose]  what goes wrong with a call of REST, or a visit, by what it says; for
 *   tests in this process
 */

/**
 * A call of REST whose body is read.
 *
 * @typedef {object} ReadCall
 * @property {string} method
 * @property {string} path
 * @property {URLSearchParams} query
 * @property {string} body
 */

/**
 * What goes wrong with the next calls of an API, or web events. Without `code`, `status` and `answer` a call is only
 * delayed.
 *
 * @typedef {object} CallFault
 * @property {string} [path]     of these calls only: the path, or as in /rest/v1/leads/{id}/associate.json; by default of
 *   all calls of REST and SOAP, but neither web events nor /identity/oauth/token
 * @property {string} [method]   of these calls only: GET is also a POST with _method=GET
 * @property {number} [times]    how many calls; 1 by default
 * @property {number} [delayMs]  the answer is held back; lookups are done before, changes after it
 * @property {number | string} [code]  Marketo's error code
 * @property {number} [status]   HTTP
 * @property {'hang' | 'reset' | 'cut' | 'rubbish' | 'truncated' | 'empty' | 'huge' | 'bomb'} [answer]  what comes in place of
 *   the answer; cut: half of it, then a reset; huge: 16 MB; bomb: a little gzip that unpacks into 64 MB
 * @property {string} [text]     this comes in its place
 * @property {string} [type]     as this content type
 * @property {boolean} [carriedOut]  the call is carried out all the same, only its answer is lost; always so if truncated
 */

/** @type {Readonly<Omit<Faults, 'calls' | 'records' | 'choose'>>} */
const NO_FAULTS = Object.freeze({
  loaderStatus: 200,
  loaderDelayMs: 0,
  trackerStatus: 200,
  trackerDelayMs: 0,
  hang: false,
  eventsStatus: 200,
  formsStatus: 200,
  formsDelayMs: 0,
  submissionStatus: 200,
  submissionDelayMs: 0,
  callDelayMs: 0,
  token: '',
});

/** @returns {Faults} */
export function createFaults() {
  return { ...NO_FAULTS, calls: [], records: {} };
}

/** @param {Faults} faults */
export function clearFaults(faults) {
  Object.assign(faults, createFaults(), { choose: undefined });
}

/**
 * Replaces all faults by those in a JSON text; the ones it leaves out are off.
 *
 * @param {Faults} faults
 * @param {string} json
 */
export function replaceFaults(faults, json) {
  const wanted = parseObject(json);
  const none = createFaults();
  for (const [name, value] of Object.entries(wanted)) {
    if (!Object.hasOwn(none, name)) {
      const known = Object.keys(none).join(', ');
      throw new RequestError(400, 'fault_unknown', `There is no fault called "${name}"; there are ${known}.`);
    }
    const requirement = requirementOf(name, value);
    if (requirement) throw new RequestError(400, 'fault_invalid', `${name} must be ${requirement}.`);
  }
  Object.assign(faults, none, wanted);
}

/**
 * @param {string} json
 * @returns {object}
 */
function parseObject(json) {
  try {
    const value = JSON.parse(json);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Answered below, like any other text that is not an object.
  }
  throw new RequestError(400, 'json_invalid', 'The body must be a JSON object.');
}

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {string | null} what the value has to be, when it is not
 */
function requirementOf(name, value) {
  if (name === 'hang') return typeof value === 'boolean' ? null : 'true or false';
  if (name === 'calls') return requirementOfCalls(value);
  if (name === 'records') return isCodes(value) ? null : 'an object of error codes by e-mail address';
  if (name === 'token') return ['', 'expired', 'invalid'].includes(String(value)) ? null : '"expired" or "invalid"';
  const [least, most] = name.endsWith('Status') ? [200, 599] : [0, 600_000];
  const fits = Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
  return fits ? null : `a whole number from ${least} to ${most}`;
}

/** @param {unknown} value */
function isCodes(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((code) => /^\d{3,5}$/.test(code));
}
