/** Listeners by event name, as analytics.on, once and off have them. */

/** @typedef {(...args: any[]) => void} Listener */

/**
 * Runs code of the page's, whose exceptions must not stop ours.
 * @param {Listener | undefined} listener
 * @param {...any} args
 */
export const callSafely = (listener, ...args) => {
  try {
    listener?.(...args);
  } catch (reason) {
    console.error(reason);
  }
};

/** @param {any} target what on, once and off return, to be called in a row */
export function createEvents(target) {
  /** @type {{topic: string, listener: Listener, isOnce?: boolean}[]} */
  let entries = [];

  /** @param {string} topic @param {Listener} listener @param {boolean} [isOnce] */
  const on = (topic, listener, isOnce) => {
    if (typeof listener === 'function') entries = [...entries, { topic, listener, isOnce }];
    return target;
  };

  /** @param {string} topic @param {Listener} [listener] none: all of the topic's */
  const off = (topic, listener) => {
    entries = entries.filter((entry) => entry.topic !== topic || (listener && entry.listener !== listener));
    return target;
  };

  /** @param {string} topic @param {Listener} listener */
  const once = (topic, listener) => on(topic, listener, true);

  /** @param {string} topic @param {...any} args */
  const emit = (topic, ...args) => {
    const all = entries.filter((entry) => entry.topic === topic);
    entries = entries.filter((entry) => entry.topic !== topic || !entry.isOnce);
    for (const { listener } of all) callSafely(listener, ...args);
  };

  return { emit, listening: { once, off, on } };
}
