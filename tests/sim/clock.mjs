import { RequestError } from './http.mjs';

/**
 * What time it is for the simulator: tokens, quotas, limits and locks go by it. Answers that are held back go by the
 * machine's time.
 *
 * @typedef {object} Clock
 * @property {() => number} now                   in milliseconds since 1970
 * @property {(milliseconds: number) => void} advance
 * @property {(time: number | string | Date) => void} set  to what Date takes; it goes on from there
 * @property {() => void} clear                   back to the machine's time
 */

/** @returns {Clock} */
export function createClock() {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    advance(milliseconds) {
      if (!Number.isFinite(milliseconds)) throw new TypeError('The clock is advanced by a number of milliseconds.');
      ahead += milliseconds;
    },
    set(time) {
      const wanted = new Date(time).getTime();
      if (Number.isNaN(wanted)) throw new TypeError(`"${time}" is no time.`);
      ahead = wanted - Date.now();
    },
    clear() {
      ahead = 0;
    },
  };
}

/**
 * Moves the clock as a JSON text says: {"advance": 30000} or {"set": "2026-11-24T06:00:00Z"}.
 *
 * @param {Clock} clock
 * @param {string} json
 */
export function moveClock(clock, json) {
  /** @type {any} */
  let wanted;
  try {
    wanted = JSON.parse(json);
    if (typeof wanted.advance === 'number') clock.advance(wanted.advance);
    else clock.set(wanted.set);
  } catch {
    throw new RequestError(400, 'clock_invalid', 'The body must be {"advance": milliseconds} or {"set": time}.');
  }
}

const centralDate = new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Chicago', dateStyle: 'short' });
let minute = NaN;
let day = '';

/**
 * The day of Marketo's quotas, which begins at midnight US Central.
 *
 * @param {number} now
 * @returns {string} such as 2026-11-24
 */
export function quotaDay(now) {
  // Formatting is slow, and days begin with a minute.
  if (Math.floor(now / 60_000) !== minute) {
    minute = Math.floor(now / 60_000);
    day = centralDate.format(now);
  }
  return day;
}
