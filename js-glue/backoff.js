/** How long to leave a server alone that has failed. */

const FIRST_MS = 5000;
const LONGEST_MS = 3600 * 1000;

/** After this time a lead is given up. No server is obeyed for longer either. */
export const DAY_MS = 24 * 3600 * 1000;

/**
 * What the header Retry-After says: seconds, or a date, which counts by the clock of this computer.
 * @param {string | null | undefined} text
 * @param {number} now
 * @returns {number} milliseconds; 0 if it says nothing
 */
export function askedMs(text, now) {
  const wait = /^\s*\d+\s*$/.test(text || '') ? Number(text) * 1000 : Date.parse(text || '') - now;
  return wait > 0 ? Math.min(wait, DAY_MS) : 0;
}

/**
 * Twice as long each time, and of random length, so that browsers do not come back all at once. Never less than the server
 * has asked for, since it may ask for a second again and again.
 * @param {number} tries how often it has failed, this time too
 * @param {number} asked milliseconds
 * @returns {number} milliseconds
 */
export function waitMs(tries, asked) {
  const most = Math.min(FIRST_MS * 2 ** (tries - 1), LONGEST_MS);
  return Math.max(most * (0.5 + Math.random() / 2), asked * (1 + Math.random() / 10));
}
