/** One page at a time: of all tabs of a site, one sends what is kept. */

const LOCK = 'munchkin-shim';

/**
 * Carries out `work` while no other page does, by the Web Locks API. Pages without https have none of that, and some frames may not
 * use it: then `work` is told that others may be at it.
 * @param {(isAlone: boolean) => Promise<void>} work
 * @returns {Promise<void>}
 */
export async function alone(work) {
  const { locks } = /** @type {Partial<Navigator>} */ (navigator);
  if (!locks) return work(false);
  let hasBegun = false;
  try {
    await locks.request(LOCK, () => {
      hasBegun = true;
      return work(true);
    });
  } catch (reason) {
    if (hasBegun) throw reason;
    await work(false);
  }
}
