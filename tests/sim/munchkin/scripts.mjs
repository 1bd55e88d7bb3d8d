import { setTimeout as delay } from 'node:timers/promises';
import { answer } from '../http.mjs';
import { trackingCookie } from './cookie.mjs';
import { installLoader } from './loader.mjs';
import { installTracker } from './tracker.mjs';

/** The version of the tracker that the loader asks for. Any other version is served too. */
const MUNCHKIN_VERSION = '163';

/**
 * The two scripts that a page loads, under the faults that a test has set.
 *
 * @param {object} options
 * @param {'honoured' | 'withdrawn'} options.associateLead
 * @param {import('../faults.mjs').Faults} options.faults
 * @param {AbortSignal} options.closing  ends waiting answers when the simulator stops
 * @returns {import('../http.mjs').Route[]}
 */
export function scriptRoutes({ associateLead, faults, closing }) {
  /**
   * @param {import('node:http').ServerResponse} response
   * @param {{status: number, delayMs: number, source: string}} script
   */
  async function answerScript(response, { status, delayMs, source }) {
    // No answer at all: the connection stays open until the browser or the simulator gives up.
    if (faults.hang) return;
    if (delayMs > 0) await delay(delayMs, undefined, { signal: closing });
    answer(response, status, 'text/javascript; charset=utf-8', status === 200 ? source : '');
  }

  return [
    {
      method: 'GET',
      path: /^\/munchkin\.js$/,
      handle: ({ response }) =>
        answerScript(response, {
          status: faults.loaderStatus,
          delayMs: faults.loaderDelayMs,
          source: `(${installLoader})(${JSON.stringify(MUNCHKIN_VERSION)});\n`,
        }),
    },
    {
      method: 'GET',
      path: /^\/(\d+)\/munchkin\.js$/,
      handle: ({ response, match }) =>
        answerScript(response, {
          status: faults.trackerStatus,
          delayMs: faults.trackerDelayMs,
          source: `(${installTracker})(${JSON.stringify({ version: match[1], associateLead })}, ${trackingCookie});\n`,
        }),
    },
  ];
}
