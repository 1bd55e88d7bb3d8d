/**
 * A million identifies wait, each of another lead, because Marketo cannot be reached: what that takes of memory and disk.
 * Then Marketo is there again: how fast they go out, beside what its limits allow.
 */

import { Agent } from 'node:http';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from '../server/http_client.mjs';
import { mostMegabytes, processorSeconds } from './load.mjs';
import { diskFolder, sendBatch, startIntake, startMarketo } from './marketo.mjs';

const EVENTS = 1_000_000;
const BATCH = 500;
const CONNECTIONS = 4;

/** What the server keeps to, of what Marketo takes: calls within a window in ms, and leads in each. */
const CALLS = 50;
const WINDOW = 20_000;
const LEADS = 300;
/** So many windows go out: 300,000 leads. */
const WINDOWS = 20;

/** How much faster than the machine's the clock of server and simulator goes. */
export const SPEED = 8;

/** A person, of no order, so that each touches the queue's indexes somewhere else. @param {number} number */
function identify(number) {
  const account = Math.imul(number, 0x9e3779b1) >>> 0;
  return {
    messageId: `node-next-1763967600000-${number}`,
    userId: `user-${account}`,
    traits: {
      email: `ada.${Math.imul(number, 0x85ebca6b) >>> 0}@example.com`,
      firstName: 'Ada',
      lastName: 'Lovelace',
      company: 'Analytical Engines',
      phone: '+44 20 7946 0000',
      city: 'London',
      country: 'United Kingdom',
    },
    timestamp: '2026-11-24T06:00:00.000Z',
    context: { library: { name: '@segment/analytics-node', version: '2.1.3' } },
  };
}

/** @param {import('./marketo.mjs').ServerProcess} server @param {(text: string) => void} tell */
async function fill(server, tell) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  async function send() {
    while (next < EVENTS) {
      const first = next;
      next += BATCH;
      if (first % 50_000 === 0) tell(`${first.toLocaleString('en')} of ${EVENTS.toLocaleString('en')} wait`);
      await sendBatch(server, agent, Array.from({ length: BATCH }, (_, i) => identify(first + i)));
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, send));
  agent.destroy();
}

/** @param {import('./marketo.mjs').ServerProcess} server */
async function waiting(server) {
  const { body } = await request(`${server.url}/metrics`);
  return Number(/queue\{kind="lead"\} (\d+)/.exec(String(body))?.[1]);
}

/** @param {string} path in MB */
const sizeOf = (path) => statSync(path).size / 2 ** 20;

/** @param {string} db @param {(text: string) => void} tell */
async function gather(db, tell) {
  const server = await startIntake(db);
  try {
    const started = performance.now();
    await fill(server, tell);
    const seconds = (performance.now() - started) / 1000;
    // It counts once a second.
    while ((await waiting(server)) < EVENTS) await delay(100);
    return {
      perSecond: EVENTS / seconds,
      megabytes: mostMegabytes(server.pid),
      database: sizeOf(db) + sizeOf(`${db}-accepted`),
      log: sizeOf(`${db}-wal`) + sizeOf(`${db}-accepted-wal`),
    };
  } finally {
    await server.stop();
  }
}

/**
 * Lets the clock go faster until `condition` holds, which is asked often.
 * @param {import('../server/clock.mjs').TestClock} clock
 * @param {() => boolean} condition
 */
async function hasten(clock, condition) {
  let before = performance.now();
  while (!condition()) {
    await delay(5);
    const now = performance.now();
    clock.advance(Math.round((now - before) * (SPEED - 1)));
    before = now;
  }
}

/** @param {string} db @param {(text: string) => void} tell */
async function drain(db, tell) {
  const before = performance.now();
  const { server, simulator, clock, stop } = await startMarketo(db);
  const started = performance.now();
  const most = WINDOWS * CALLS;
  const calls = () => simulator.rest.calls.filter(({ path }) => path === '/rest/v1/leads.json');
  try {
    let told = 0;
    await hasten(clock, () => {
      const done = calls().length;
      if (done >= told + CALLS) tell(`${((told = done) * LEADS).toLocaleString('en')} leads are out`);
      return done > most;
    });
    const seconds = (performance.now() - started) / 1000;
    // From the first call to the one that follows the last window: each waits for the one before it by a window.
    const made = calls();
    const leads = made.slice(0, most).reduce((sum, { records, code }) => sum + (code === '' ? records : 0), 0);
    const perSecond = (leads / (made[most].at - made[0].at)) * 1000;
    if (simulator.rest.overlaps.length > 0) throw new Error('A lead was in two calls at once.');
    return {
      leads,
      perSecond,
      ofCeiling: perSecond / ((CALLS * LEADS * 1000) / WINDOW),
      startSeconds: (started - before) / 1000,
      seconds,
      processorSeconds: processorSeconds(server.pid),
      megabytes: mostMegabytes(server.pid),
    };
  } finally {
    await stop();
  }
}

/** @param {(text: string) => void} tell */
export async function measureBacklog(tell) {
  const folder = diskFolder();
  const db = join(folder, 'queue.db');
  try {
    return { events: EVENTS, gathered: await gather(db, tell), drained: await drain(db, tell) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
