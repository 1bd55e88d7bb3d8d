/**
 * For Segment's @segment/analytics-next: takes the place of its Marketo destination, and its name.
 *
 *     analytics.register(marketo('123-ABC-456', { server: 'https://events.example.com' }));
 *
 * Turn that destination off in Segment, or Marketo gets everything twice.
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
   * Segment's queue waits for what a plugin returns; it is not to wait for Munchkin.
   * @param {(event: any) => void} take
   */
  const hook = (take) => (/** @type {any} */ context) => {
    take(context.event);
    return context;
  };

  return {
    name: 'Marketo',
    alternativeNames: ['Marketo V2'],
    type: /** @type {const} */ ('destination'),
    version: '1.0.0',
    /** What became of the calls: analytics.on('result', listener). */
    analytics,
    load: async () => visitor.load(),
    isLoaded: visitor.isLoaded,
    page: hook(({ properties, integrations }) => analytics.page(properties || {}, { integrations })),
    track: hook(({ event, properties, integrations }) => analytics.track(event, properties || {}, { integrations })),
    identify: hook(({ userId, traits, integrations }) => analytics.identify(userId, traits || {}, { integrations })),
  };
}
