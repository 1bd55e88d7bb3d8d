/**
 * A thread that sends requests: as many as the server answers, or so many a second, however long the answers take; what had
 * to wait for others' answers has taken from when it was due. It is told when the server is killed and is there again.
 *
 * In: {do: 'send', seconds, perSecond?} | {do: 'down'} | {do: 'up', url} | {do: 'end'}.
 * Out: {sent: Figures} after each 'send', {record: LedgerRecord} at the end.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { createConnection } from './connection.mjs';
import { createLatencies } from './latencies.mjs';
import { createRequests } from './requests.mjs';

/**
 * @typedef {object} Figures
 * @property {number} requests   sent, those too that were sent again
 * @property {number} accepted
 * @property {number} messages   in accepted requests, for Marketo
 * @property {number} refused    answered 503
 * @property {number} cutOff     not answered: the server was killed
 * @property {Record<string, {p50: number, p99: number, most: number}>} latencies  in ms, of accepted requests outside restarts
 */

const CONNECTIONS = 64;
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);
const requests = createRequests(workerData);

let url = new URL(workerData.url);
/** Counts up with each kill; a request that was sent in another one met a restart. */
let restarts = 0;
let isUp = true;
/** @type {import('./connection.mjs').Connection[]} */
const idle = Array.from({ length: CONNECTIONS }, () => createConnection(() => url));
/** @type {import('./requests.mjs').Request[]} what was not taken, and is to be sent again */
const again = [];

/** @type {{figures: Figures, latencies: Record<string, ReturnType<typeof createLatencies>>, end: number, nextDue: number, pause: number} | null} */
let sending = null;

/** When the next request was due; Infinity if it is not yet. @param {number} now */
function takeDue(now) {
  if (!sending || now >= sending.end) return Infinity;
  if (sending.pause === 0) return now;
  const due = sending.nextDue;
  if (due > now) return Infinity;
  sending.nextDue += sending.pause;
  return due;
}

function startAll() {
  const now = performance.now();
  while (isUp && idle.length > 0) {
    const repeated = again.pop();
    const due = repeated ? now : takeDue(now);
    if (due === Infinity) break;
    void carryOut(repeated ?? requests.next(), due, repeated !== undefined);
  }
  if (sending && now >= sending.end && idle.length === CONNECTIONS && again.length === 0) finish();
}

/** @param {import('./requests.mjs').Request} request @param {number} due @param {boolean} isRepeated */
async function carryOut(request, due, isRepeated) {
  const connection = /** @type {import('./connection.mjs').Connection} */ (idle.pop());
  const during = restarts;
  const { status, body } = await connection.send(request.text);
  idle.push(connection);
  if (sending) count(request, status, body);
  const isTaken = status === request.status;
  if (isTaken && sending && restarts === during && !isRepeated) {
    const ms = performance.now() - due;
    for (const kind of ['all', request.kind]) sending.latencies[kind].add(ms);
  }
  // As libraries do; half of them are given up, and may be there or not.
  if (!isTaken && Math.random() < 0.5) again.push(request);
  else request.settle(isTaken);
  startAll();
}

/** @param {import('./requests.mjs').Request} request @param {number} status @param {string} body */
function count(request, status, body) {
  const { figures } = /** @type {NonNullable<typeof sending>} */ (sending);
  figures.requests += 1;
  if (status === request.status) {
    figures.accepted += 1;
    figures.messages += request.messages;
  } else if (status === 503) figures.refused += 1;
  else if (status === 0) figures.cutOff += 1;
  else throw new Error(`${request.kind} was answered ${status}: ${body}`);
}

function finish() {
  const { figures, latencies } = /** @type {NonNullable<typeof sending>} */ (sending);
  for (const [kind, one] of Object.entries(latencies)) {
    figures.latencies[kind] = { p50: one.percentile(0.5), p99: one.percentile(0.99), most: one.percentile(1) };
  }
  sending = null;
  port.postMessage({ sent: figures });
}

/** @type {Record<string, (message: any) => void>} */
const orders = {
  send({ seconds, perSecond }) {
    const now = performance.now();
    sending = {
      figures: { requests: 0, accepted: 0, messages: 0, refused: 0, cutOff: 0, latencies: {} },
      latencies: Object.fromEntries(['all', 'hash', 'lead', 'batch'].map((kind) => [kind, createLatencies()])),
      end: now + seconds * 1000,
      nextDue: now,
      pause: perSecond ? 1000 / perSecond : 0,
    };
    const timer = setInterval(() => {
      startAll();
      if (!sending) clearInterval(timer);
    }, 1);
  },
  down() {
    isUp = false;
    restarts += 1;
    requests.meetOthers();
  },
  up(message) {
    url = new URL(message.url);
    isUp = true;
    // What was due meanwhile is not made up for.
    if (sending) sending.nextDue = performance.now();
  },
  end() {
    for (const connection of idle) connection.close();
    port.postMessage({ record: requests.ledger.record });
    port.close();
  },
};

port.on('message', (message) => orders[message.do](message));
