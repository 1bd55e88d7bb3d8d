/**
 * What the adapters share: a munchkin-shim of their own, for the visitor whom another library knows.
 *
 * That library remembers the visitor, so this one does not beyond the page. Calls wait here for
 * Munchkin and not in the library, which would make its other destinations wait as well.
 */

import { createAnalytics } from '../index.js';

/** @typedef {import('../analytics.js').Options} Options */

/**
 * @param {string} munchkinId like 123-ABC-456
 * @param {Options} [options] as for analytics.load
 */
export function createVisitor(munchkinId, options) {
  const analytics = createAnalytics();
  let isLoaded = false;

  /**
   * Takes the library's word for who the visitor is, whoever it was before.
   * @param {string | number | null} [userId]
   * @param {Record<string, any> | null} [traits]
   */
  const become = (userId, traits) => {
    analytics.user().id(userId || null);
    analytics.user().traits(traits || {});
  };

  return {
    analytics,

    load() {
      analytics.load(munchkinId, { storage: 'memory', ...options });
      isLoaded = true;
    },

    /** Whether calls are taken, not whether Munchkin is there. */
    isLoaded: () => isLoaded,

    become,

    /** The same at each identify, which has all traits, those of earlier calls too; one that waits, when its turn comes. */
    becomeAsIdentified() {
      analytics.on('identify', become);
    },
  };
}
