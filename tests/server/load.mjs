/** Many senders at once, of whom each says what only it says: so that what arrives can be compared with what was taken. */

import { Agent } from 'node:http';
import { cookieOf, tokenOf } from './marketo_world.mjs';

/** Leads that several messages change, each another field. */
const FIELDS_PER_LEAD = 40;

/** Every so many-th message is a visit; they go out one by one. */
const VISIT = 15;

/** For the simulator: the fields of shared leads. */
export const SHARED_FIELDS = Array.from({ length: FIELDS_PER_LEAD }, (_, index) => ({ name: `part${index}` }));

/** @typedef {Awaited<ReturnType<typeof import('./marketo_world.mjs').marketoWorld>>} World */
/** @typedef {ReturnType<typeof startLoad>} Load */

/** Message `n`: a lead of its own, a field of a lead that others write to too, or a visit. @param {number} n */
function message(n) {
  const common = { messageId: `message-${n}`, timestamp: new Date().toISOString() };
  if (n % VISIT === 0) return { type: 'track', ...common, event: `e${n}`, context: { Marketo: { marketoCookie: cookieOf(n) } } };
  if (n % 2 === 0) return { type: 'identify', ...common, traits: { email: `own${n}@example.com`, title: `title ${n}` } };
  const part = (n - 1) / 2;
  const email = `shared${Math.floor(part / FIELDS_PER_LEAD)}@example.com`;
  return { type: 'identify', ...common, traits: { email, [`part${part % FIELDS_PER_LEAD}`]: `value ${n}` } };
}

/**
 * The numbers of the messages that the simulator holds, each told by what only that message said.
 * @param {import('../sim/simulator.mjs').Simulator} simulator
 */
export function arrived({ leadsById, events }) {
  const numbers = new Set();
  for (const { email, fields } of leadsById.values()) {
    const own = /^own(\d+)@/.exec(email)?.[1];
    if (own !== undefined && fields.Title === `title ${own}`) numbers.add(Number(own));
    for (const [name, value] of Object.entries(fields)) {
      const part = /^Part(\d+)$/.exec(name)?.[1];
      if (part === undefined) continue;
      const n = Number(/^value (\d+)$/.exec(String(value))?.[1]);
      const place = (Number(/^shared(\d+)@/.exec(email)?.[1]) * FIELDS_PER_LEAD + Number(part)) * 2 + 1;
      // What stands in another message's place is nothing that was sent.
      numbers.add(n === place ? n : NaN);
    }
  }
  for (const { path, token } of events) {
    const n = Number(/^\/event\/e(\d+)$/.exec(path)?.[1]);
    numbers.add(token === tokenOf(n) ? n : NaN);
  }
  return numbers;
}

/**
 * Sends from `connections` until `stop` is called. What is not answered 200 is sent again, as libraries do.
 * @param {World} world
 * @param {{connections?: number}} [options]
 */
export function startLoad(world, { connections = 16 } = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  /** @type {Set<number>} answered 200 */
  const taken = new Set();
  /** @type {Set<number>} */
  const sent = new Set();
  /** @type {Map<number, number>} how many answers there were of each status; 0 for none */
  const answers = new Map();
  let next = 0;
  let stopping = false;

  /** @param {number[]} numbers */
  async function post(numbers) {
    const [single] = numbers;
    const messages = numbers.map(message);
    for (const n of numbers) sent.add(n);
    const body = numbers.length === 1 ? messages[0] : { batch: messages, sentAt: new Date().toISOString() };
    const path = numbers.length > 1 ? '/v1/batch' : `/v1/${message(single).type}`;
    // Between two servers there is none to be asked.
    const answer = await world.post(path, body, { agent }).catch(() => ({ status: 0, headers: /** @type {any} */ ({}) }));
    answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
    return answer;
  }

  async function connection() {
    /** @type {number[]} */
    let again = [];
    while (!stopping) {
      const count = Math.random() < 0.7 ? 1 : 2 + Math.floor(Math.random() * 9);
      const numbers = again.length > 0 ? again : Array.from({ length: count }, () => next++);
      const { status } = await post(numbers);
      if (status === 200) for (const n of numbers) taken.add(n);
      // Half of them are given up, and may be there or not.
      again = status === 200 || Math.random() < 0.5 ? [] : numbers;
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  const ended = Promise.all(Array.from({ length: connections }, connection));
  return {
    taken,
    sent,
    answers,
    async stop() {
      stopping = true;
      await ended;
      agent.destroy();
    },
  };
}
