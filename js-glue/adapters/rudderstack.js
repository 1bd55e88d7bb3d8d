/**
 * For @rudderstack/analytics-js: the integration of a destination of the kind "Custom Device Mode", added
 * before RudderStack is loaded.
 *
 *     rudderanalytics.addCustomIntegration(id, marketo('123-ABC-456', { server: 'https://events.example.com' }));
 *     rudderanalytics.load(writeKey, dataPlaneUrl);
 */

import { createVisitor } from './visitor.js';

/**
 * @typedef {import('../analytics.js').Analytics} Analytics
 * @typedef {import('../analytics.js').Options} Options
 * @typedef {import('../analytics.js').Result} Result
 */

/**
 * @param {string} munchkinId like 123-ABC-456
 * @param {Options} [options] as for analytics.load
 */
export function marketo(munchkinId, options) {
  const visitor = createVisitor(munchkinId, options);
  const { analytics } = visitor;
  visitor.becomeAsIdentified();

  /**
   * RudderStack has judged `All` already, with its own name for such destinations. What a call says of Marketo by name
   * counts besides.
   * @param {(message: any, options: object) => void} take
   */
  const hook = (take) =>
    /** @param {unknown} _library @param {unknown} _logger @param {{message: any}} event */
    (_library, _logger, { message }) =>
      take(message, { integrations: { ...message.integrations, All: true } });

  return {
    /** What became of the calls: analytics.on('result', listener). */
    analytics,
    init: visitor.load,
    isReady: visitor.isLoaded,
    page: hook(({ properties }, options) => analytics.page(properties || {}, options)),
    track: hook(({ event, properties }, options) => analytics.track(event, properties || {}, options)),
    identify: hook(({ userId, context }, options) => analytics.identify(userId, context.traits || {}, options)),
  };
}
