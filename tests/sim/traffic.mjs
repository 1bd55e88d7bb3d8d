import { quotaDay } from './clock.mjs';

/**
 * What one API of Marketo's takes from all of its callers together. All may be changed at any time.
 *
 * @typedef {object} Limits
 * @property {number} calls      within a window
 * @property {number} windowMs
 * @property {number} atOnce
 * @property {number} daily      until midnight US Central
 * @property {number} bodyBytes
 * @property {number} uriBytes
 * @property {number} tokenSeconds  how long a REST token lives
 * @property {number} lockMs     SOAP: how long after a sync of a lead the next one is refused
 */

/**
 * @typedef {object} Call
 * @property {number} number   counts up from 1
 * @property {number} at       when it arrived, in milliseconds since 1970
 * @property {string} method   GET for a POST with _method=GET
 * @property {string} path     with {id} in place of an id
 * @property {number} records  how many leads or activities were sent or asked for
 * @property {string} code     the error it was answered with; empty if none
 * @property {number} status   HTTP; 0 before, or without an answer
 * @property {string} [body]   of REST, if the simulator was told to keep bodies
 */

/**
 * A lead that was in two calls at the same time. A call is under way until Marketo has done what it asks, whether its
 * client waits for that or has gone.
 *
 * @typedef {object} Overlap
 * @property {string} key       such as Email:ada@example.com, Id:1
 * @property {[Call, Call]} calls
 */

/**
 * @typedef {object} Traffic
 * @property {Limits} limits
 * @property {Call[]} calls                          all that arrived, refused ones too
 * @property {Record<string, number>} callsByPath    by method and path, as in "POST /rest/v1/leads.json"
 * @property {number} mostAtOnce
 * @property {number} mostInWindow                   in any windowMs
 * @property {number} callsToday                     that counted against the quota: those that were not refused
 * @property {Overlap[]} overlaps
 */

/**
 * @typedef {object} TrafficControl
 * @property {Traffic} traffic                                   what tests see
 * @property {(method: string, path: string) => Call} begin      a call has arrived
 * @property {(method: string, path: string) => void} count      one that has no limits
 * @property {(call: Call) => 'concurrency' | 'rate' | 'quota' | null} admit  what it is refused for
 * @property {(call: Call, leads: string[][]) => void} hold      it holds these leads, each known by several keys
 * @property {(call: Call) => void} end                          as often as you like
 * @property {() => void} clear
 */

/** @type {Readonly<Limits>} */
const MARKETO = Object.freeze({
  calls: 100,
  windowMs: 20_000,
  atOnce: 10,
  daily: 50_000,
  bodyBytes: 1 << 20,
  uriBytes: 8192,
  tokenSeconds: 3600,
  lockMs: 30_000,
});

/**
 * @param {import('./clock.mjs').Clock} clock
 * @param {Partial<Limits>} own  in place of Marketo's
 * @returns {TrafficControl}
 */
export function createTraffic(clock, own) {
  /** @type {Traffic} */
  const traffic = {
    limits: { ...MARKETO, ...own },
    calls: [],
    callsByPath: {},
    mostAtOnce: 0,
    mostInWindow: 0,
    get callsToday() {
      beginDay(clock.now());
      return admittedToday;
    },
    overlaps: [],
  };
  /** @type {Map<Call, string[]>} and the keys that each holds */
  const inFlight = new Map();
  /** @type {Map<string, Call[]>} */
  const holders = new Map();
  const arrived = createWindow();
  const admitted = createWindow();
  let today = '';
  let admittedToday = 0;

  /** @param {number} now */
  function beginDay(now) {
    if (quotaDay(now) === today) return;
    today = quotaDay(now);
    admittedToday = 0;
  }

  /** @type {TrafficControl['count']} */
  function count(method, path) {
    const name = `${method} ${path}`;
    traffic.callsByPath[name] = (traffic.callsByPath[name] ?? 0) + 1;
  }

  /** @type {TrafficControl['begin']} */
  function begin(method, path) {
    const call = { number: traffic.calls.length + 1, at: clock.now(), method, path, records: 0, code: '', status: 0 };
    traffic.calls.push(call);
    inFlight.set(call, []);
    traffic.mostAtOnce = Math.max(traffic.mostAtOnce, inFlight.size);
    arrived.add(call.at);
    traffic.mostInWindow = Math.max(traffic.mostInWindow, arrived.size(call.at - traffic.limits.windowMs));
    count(method, path);
    return call;
  }

  /** @type {TrafficControl['admit']} */
  function admit(call) {
    const { calls, windowMs, atOnce, daily } = traffic.limits;
    beginDay(call.at);
    if (inFlight.size > atOnce) return 'concurrency';
    if (admitted.size(call.at - windowMs) >= calls) return 'rate';
    if (admittedToday >= daily) return 'quota';
    admitted.add(call.at);
    admittedToday += 1;
    return null;
  }

  /** @type {TrafficControl['hold']} */
  function hold(call, leads) {
    const keys = inFlight.get(call) ?? [];
    for (const keysOfLead of leads) {
      /** @type {Set<Call>} */
      const met = new Set();
      for (const key of keysOfLead) {
        const calls = holders.get(key) ?? [];
        for (const other of calls) {
          if (other === call || met.has(other)) continue;
          met.add(other);
          traffic.overlaps.push({ key, calls: [other, call] });
        }
        if (calls.includes(call)) continue;
        calls.push(call);
        holders.set(key, calls);
        keys.push(key);
      }
    }
  }

  /** @type {TrafficControl['end']} */
  function end(call) {
    for (const key of inFlight.get(call) ?? []) {
      const calls = (holders.get(key) ?? []).filter((other) => other !== call);
      if (calls.length > 0) holders.set(key, calls);
      else holders.delete(key);
    }
    inFlight.delete(call);
  }

  function clear() {
    // Calls under way stay so: they will end.
    arrived.clear();
    admitted.clear();
    traffic.calls.length = 0;
    traffic.overlaps.length = 0;
    Object.assign(traffic, { callsByPath: {}, mostAtOnce: 0, mostInWindow: 0 });
    admittedToday = 0;
    traffic.limits = { ...MARKETO, ...own };
  }

  return { traffic, begin, count, admit, hold, end, clear };
}

/** Times of calls, of which those are counted that are not too old. */
function createWindow() {
  /** @type {number[]} */
  let times = [];
  let first = 0;
  return {
    /** @param {number} time */
    add(time) {
      times.push(time);
    },
    /** @param {number} after  all up to this time are forgotten */
    size(after) {
      while (first < times.length && times[first] <= after) first += 1;
      // Taken off in one go, since taking off one by one moves all the others.
      if (first > 1000 && first * 2 > times.length) {
        times = times.slice(first);
        first = 0;
      }
      return times.length - first;
    },
    clear() {
      times = [];
      first = 0;
    },
  };
}
