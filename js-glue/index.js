/**
 * munchkin-shim for bundlers. Importing it touches neither window nor network; on a server its
 * calls do nothing.
 */

import { createAnalytics as create } from './analytics.js';
import { startEmbedded } from './embedded.js';
import * as extras from './extras.js';

/**
 * @typedef {import('./analytics.js').Analytics} Analytics
 * @typedef {import('./analytics.js').Options} Options
 * @typedef {import('./analytics.js').Result} Result
 */

/** @returns {Analytics} an analytics object of its own */
export const createAnalytics = () => create(startEmbedded, async () => extras);

/** The one that most pages need. */
export const analytics = createAnalytics();

export default analytics;
