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
  /** @type {Map<string, {listener: Listener, once: boolean}[]>} */
  const entries = new Map();

  /** @param {string} event @param {Listener} listener @param {boolean} [once] */
  const on = (event, listener, once = false) => {
    if (typeof listener === 'function') {
      entries.set(event, [...(entries.get(event) || []), { listener, once }]);
    }
  };

  /** @param {string} event @param {Listener} [listener] none: all of the event's */
  const off = (event, listener) => {
    const left = (entries.get(event) || []).filter((entry) => listener && entry.listener !== listener);
    entries.set(event, left);
  };

  /** @param {string} event @param {...any} args */
  const emit = (event, ...args) => {
    const all = entries.get(event) || [];
    entries.set(event, all.filter(({ once }) => !once));
    for (const { listener } of all) callSafely(listener, ...args);
  };

  return { on, off, emit };
}
