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
 */

/** @type {Readonly<Faults>} */
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
});

/** @returns {Faults} */
export function createFaults() {
  return { ...NO_FAULTS };
}

/** @param {Faults} faults */
export function clearFaults(faults) {
  Object.assign(faults, NO_FAULTS);
}

/**
 * Replaces all faults by those in a JSON text; the ones it leaves out are off.
 *
 * @param {Faults} faults
 * @param {string} json
 */
export function replaceFaults(faults, json) {
  const wanted = parseObject(json);
  for (const [name, value] of Object.entries(wanted)) {
    if (!Object.hasOwn(NO_FAULTS, name)) {
      const known = Object.keys(NO_FAULTS).join(', ');
      throw new RequestError(400, 'fault_unknown', `There is no fault called "${name}"; there are ${known}.`);
    }
    const requirement = requirementOf(name, value);
    if (requirement) throw new RequestError(400, 'fault_invalid', `${name} must be ${requirement}.`);
  }
  Object.assign(faults, NO_FAULTS, wanted);
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
  const [least, most] = name.endsWith('Status') ? [200, 599] : [0, 600_000];
  const fits = Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
  return fits ? null : `a whole number from ${least} to ${most}`;
}
