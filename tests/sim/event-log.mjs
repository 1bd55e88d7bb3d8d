/** @typedef {import('./web-event.mjs').WebEvent} WebEvent */

/**
 * @typedef {object} EventLog
 * @property {WebEvent[]} events                       in the order of arrival; always the same array
 * @property {(event: Omit<WebEvent, 'number'>) => WebEvent} record
 * @property {(listener: EventListener) => () => void} subscribe  returns the function that ends it
 * @property {(predicate: (event: WebEvent) => unknown, options?: {timeout?: number}) => Promise<WebEvent>} waitFor
 * @property {() => void} clear
 * @property {() => void} close                        fails whoever still waits
 */

/** @typedef {(event: WebEvent | null) => void} EventListener  gets null when the log has been cleared */

/**
 * @param {(event: WebEvent) => void} remember  is called with each event before anybody else hears of it
 * @returns {EventLog}
 */
export function createEventLog(remember) {
  /** @type {WebEvent[]} */
  const events = [];
  /** @type {Set<EventListener>} */
  const listeners = new Set();
  /** @type {Set<(reason: Error) => void>} */
  const waiting = new Set();
  // Goes on after `clear`, so that "everything since number N" never misses an event.
  let lastNumber = 0;

  /** @param {WebEvent | null} event */
  function tell(event) {
    for (const listener of [...listeners]) listener(event);
  }

  /** @type {EventLog['record']} */
  function record(received) {
    const event = { number: ++lastNumber, ...received };
    events.push(event);
    remember(event);
    tell(event);
    return event;
  }

  /** @type {EventLog['subscribe']} */
  function subscribe(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** @type {EventLog['waitFor']} */
  async function waitFor(predicate, { timeout = 5000 } = {}) {
    const past = events.find((event) => predicate(event));
    if (past) return past;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        fail(new Error(`No received event satisfied the predicate within ${timeout} ms. ${received(events)}`));
      }, timeout);
      const unsubscribe = subscribe((event) => {
        try {
          if (!event || !predicate(event)) return;
          stop();
          resolve(event);
        } catch (error) {
          fail(error);
        }
      });
      waiting.add(fail);

      function stop() {
        clearTimeout(timer);
        unsubscribe();
        waiting.delete(fail);
      }

      /** @param {unknown} reason */
      function fail(reason) {
        stop();
        reject(reason);
      }
    });
  }

  function clear() {
    events.length = 0;
    tell(null);
  }

  function close() {
    const reason = new Error(`The simulator was closed while an event was awaited. ${received(events)}`);
    for (const fail of [...waiting]) fail(reason);
  }

  return { events, record, subscribe, waitFor, clear, close };
}

/** @param {WebEvent[]} events */
function received(events) {
  if (events.length === 0) return 'None was received.';
  const lines = events.map((event) => {
    const subject = event.leadFields.Email || event.link || event.path + (event.params && `?${event.params}`);
    return `\n  #${event.number} ${event.type} ${subject}`;
  });
  return `Received:${lines.join('')}`;
}
