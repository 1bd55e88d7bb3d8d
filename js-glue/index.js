/**
 * munchkin-shim for bundlers. Importing it touches neither window nor network; on a server its
 * calls do nothing.
 */

import { createAnalytics as create } from './analytics.js';
import * as extras from './extras.js';
import { startOnPage } from './start.js';

/** @returns {import('./analytics.js').Analytics} an analytics object of its own */
export const createAnalytics = () => create(startOnPage, async () => extras);

/** The one that most pages need. */
export const analytics = createAnalytics();

export default analytics;
