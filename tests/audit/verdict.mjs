/** What a check of the audit comes to, and what may be let pass. */

import { readFileSync } from 'node:fs';

/**
 * @typedef {object} Verdict
 * @property {'passed' | 'failed' | 'not checked'} is
 * @property {string} what
 * @property {string[]} [details]  a line each
 *
 * What is known, and let pass for a reason, for a time.
 * @typedef {object} Allowed
 * @property {string} id       of the advisory: GHSA-… or CVE-…
 * @property {string} package
 * @property {string} reason
 * @property {string} until    a day; from then on it fails again
 */

/** @param {string} what @param {string[]} [details] @returns {Verdict} */
export const passed = (what, details) => ({ is: 'passed', what, details });
/** @param {string} what @param {string[]} [details] @returns {Verdict} */
export const failed = (what, details) => ({ is: 'failed', what, details });
/** @param {string} what @param {string[]} [details] @returns {Verdict} */
export const notChecked = (what, details) => ({ is: 'not checked', what, details });

/** @param {string | URL} path @returns {Allowed[]} */
export function readAllowed(path) {
  const list = JSON.parse(readFileSync(path, 'utf8'));
  for (const entry of list) {
    const isWhole = ['id', 'package', 'reason', 'until'].every((name) => typeof entry[name] === 'string' && entry[name] !== '');
    if (!isWhole || Number.isNaN(Date.parse(entry.until))) {
      throw new Error(`Each entry of ${path} has an id, a package, a reason and a day, until: ${JSON.stringify(entry)}`);
    }
  }
  return list;
}

/**
 * @param {Allowed[]} allowed
 * @param {{id: string, package: string}} finding
 * @param {number} [now]
 */
export function isAllowed(allowed, finding, now = Date.now()) {
  return allowed.some((entry) => entry.id === finding.id && entry.package === finding.package && now < Date.parse(entry.until));
}
