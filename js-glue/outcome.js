/** How a call can end. */

import { sentences } from '#generated/sentences.js';

/**
 * @typedef {object} Outcome
 * @property {boolean} ok false if something is wrong that somebody should mend
 * @property {boolean} [sent] whether Munchkin was given the call
 * @property {any[]} [call] what it was given
 * @property {{code: string, name?: string}[]} [warnings] stable codes, with the trait's name if it is about one
 * @property {string} [error] a stable code
 * @property {string} [skipped] a stable code: why nothing was sent, and rightly so
 * @property {string} [message] the error in a sentence
 * @property {boolean} [kept] with an error of identify: the lead is sent again later
 * @property {string | null} [retryAfter] with that, how long the server wants to be left alone, in its words
 */

/**
 * What comes of sending a lead: a hash to associate it with; or, if it is queued, the cookie that went along; or an
 * outcome already.
 * @typedef {Outcome & {hash?: string, cookie?: string}} Answer
 */

/**
 * The script tag's build has no sentences.
 * @param {string} error a code of src/core/status.h
 * @param {string} [message]
 */
export const failure = (error, message = sentences?.[error] || `${error.replace(/_/g, ' ')}.`) => ({
  ok: /** @type {const} */ (false),
  error,
  message,
});

/** @param {string} skipped a code of src/core/status.h */
export const skip = (skipped) => ({ ok: /** @type {const} */ (true), skipped });
