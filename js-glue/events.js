/** Listeners by event name, as analytics.on, once and off have them. */

/** @typedef {(...args: any[]) => void} Listener */

/**
 * Runs code of the page's, whose exceptions must not stop ours.
 * @param {Listener | undefined} listener
 * @param {...any} args
 */
export function callSafely(listener, ...args) {
  try {
    listener?.(...args);
  } catch (reason) {
    console.error(reason);
  }
}

export function createEvents() {
  /** @type {{event: string, listener: Listener, once?: boolean}[]} */
  let entries = [];

  /** @param {string} event @param {Listener} listener @param {boolean} [once] */
  const on = (event, listener, once) => {
    if (typeof listener === 'function') entries = [...entries, { event, listener, once }];
  };

  /** @param {string} event @param {Listener} [listener] none: all of the event's */
  const off = (event, listener) => {
    entries = entries.filter((entry) => entry.event !== event || (listener && entry.listener !== listener));
  };

  /** @param {string} event @param {...any} args */
  const emit = (event, ...args) => {
    const all = entries.filter((entry) => entry.event === event);
    entries = entries.filter((entry) => entry.event !== event || !entry.once);
    for (const { listener } of all) callSafely(listener, ...args);
  };

  return { on, off, emit };
}
