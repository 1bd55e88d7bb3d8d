/** What visitors' pages and a shop's servers send in the soak: hashes, leads, and batches of Segment's messages. */

import { createLedger, emailOf, visitorOf } from './ledger.mjs';

/** Of ten requests, so many are; the rest are batches. */
const HASHES = 4;
const LEADS = 4;
const BATCH = 10;
/** One message of so many is a visit; they go out one by one. */
const VISIT = 500;

/**
 * @typedef {object} Request
 * @property {'hash' | 'lead' | 'batch'} kind
 * @property {string} text
 * @property {number} status   of the answer that says that it was taken
 * @property {number} messages  that Marketo is to get
 * @property {(taken: boolean) => void} settle  it is over; called once
 */

/**
 * @param {object} options
 * @param {number} options.people
 * @param {string} options.origin
 * @param {string} options.authorization
 * @param {string} options.munchkinId
 */
export function createRequests({ people, origin, authorization, munchkinId }) {
  const ledger = createLedger();
  /** All of whom something is said; `idle` are those of whom nothing is under way. */
  let crowd = newCrowd();
  let made = 0;

  function newCrowd() {
    const all = Array.from({ length: people }, () => ledger.meet());
    return { all, idle: [...all] };
  }

  /** @param {number[]} idle */
  function takeSomebody(idle) {
    const index = Math.floor(Math.random() * idle.length);
    const last = /** @type {number} */ (idle.pop());
    if (index === idle.length) return last;
    const person = idle[index];
    idle[index] = last;
    return person;
  }

  /** @param {string} path @param {string[]} headers @param {object} body */
  function post(path, headers, body) {
    const text = JSON.stringify(body);
    return [`POST ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, `Content-Length: ${text.length}`, '', text].join('\r\n');
  }
  const ofPage = ['Content-Type: text/plain', `Origin: ${origin}`];
  const ofServer = ['Content-Type: application/json', `Authorization: ${authorization}`];

  /** @returns {Request} */
  function hash() {
    const email = emailOf(crowd.all[Math.floor(Math.random() * people)]);
    return { kind: 'hash', text: post('/v1/hash', ofPage, { email }), status: 200, messages: 0, settle: () => {} };
  }

  /** Somebody says something; `settle` for when it is known what became of it. */
  function message() {
    const { idle } = crowd;
    const person = takeSomebody(idle);
    const { number, traits } = ledger.say(person);
    return {
      userId: `user-${person}`,
      traits: { email: emailOf(person), firstName: 'Ada', lastName: 'Lovelace', company: 'Analytical Engines', ...traits },
      settle(/** @type {boolean} */ taken) {
        if (taken) ledger.acknowledge(person, number);
        idle.push(person);
      },
    };
  }

  /** @returns {Request} */
  function lead() {
    const { settle, ...body } = message();
    return { kind: 'lead', text: post('/v1/lead', ofPage, body), status: 202, messages: 1, settle };
  }

  /** @returns {Request} */
  function batch() {
    const timestamp = new Date().toISOString();
    const common = () => ({ messageId: `node-next-1763967600000-${++made}`, timestamp, context: { library: { name: '@segment/analytics-node' } } });
    /** @type {((taken: boolean) => void)[]} */
    const settles = [];
    const messages = Array.from({ length: BATCH }, () => {
      if (made % VISIT === 0) {
        const visit = ledger.visit();
        settles.push((taken) => taken && ledger.acknowledgeVisit(visit));
        const marketoCookie = `id:${munchkinId}&token:${visitorOf(visit)}`;
        return { type: 'track', event: `e${visit}`, ...common(), context: { Marketo: { marketoCookie } } };
      }
      const { settle, ...said } = message();
      settles.push(settle);
      return { type: 'identify', ...said, ...common() };
    });
    return {
      kind: 'batch',
      text: post('/v1/batch', ofServer, { batch: messages, sentAt: timestamp }),
      status: 200,
      messages: BATCH,
      settle: (taken) => settles.forEach((settle) => settle(taken)),
    };
  }

  return {
    ledger,
    /** From now on something is said of others: what was acknowledged of these stays the newest. */
    meetOthers() {
      crowd = newCrowd();
    },
    next() {
      const kind = Math.random() * 10;
      return kind < HASHES ? hash() : kind < HASHES + LEADS ? lead() : batch();
    },
  };
}
