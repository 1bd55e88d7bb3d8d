/**
 * For `analytics` (getanalytics.io).
 *
 *     Analytics({ plugins: [marketo('123-ABC-456', { server: 'https://events.example.com' })] });
 */

import { createVisitor } from './visitor.js';

/**
 * @typedef {import('../analytics.js').Analytics} Analytics
 * @typedef {import('../analytics.js').Options} Options
 * @typedef {import('../analytics.js').Result} Result
 */

/** @typedef {{payload: any}} Call what the library hands to a plugin */

/**
 * @param {string} munchkinId like 123-ABC-456
 * @param {Options} [options] as for analytics.load
 */
export function marketo(munchkinId, options) {
  const visitor = createVisitor(munchkinId, options);
  const { analytics } = visitor;

  // The library merges what a plugin returns into the event, so these return nothing.
  return {
    name: 'marketo',
    config: { munchkinId, ...options },
    /** What became of the calls: analytics.on('result', listener). */
    analytics,

    /** @param {{instance: any}} library */
    initialize({ instance }) {
      visitor.load();
      // Whom it remembers from earlier pages. From here on its events are enough, which have new traits only; what it
      // merges itself would hand one person's traits to the next.
      visitor.become(instance.user('userId'), instance.user('traits'));
    },

    loaded: visitor.isLoaded,

    /** @param {Call} call */
    page({ payload }) {
      analytics.page(payload.properties || {}, payload.options);
    },

    /** @param {Call} call */
    track({ payload }) {
      analytics.track(payload.event, payload.properties || {}, payload.options);
    },

    /** @param {Call} call */
    identify({ payload }) {
      analytics.identify(payload.userId, payload.traits || {}, payload.options);
    },

    reset() {
      analytics.reset(); // in its turn, where calls wait
    },
  };
}
