/**
 * How many calls Marketo gets for an hour of identifies: simulated, with one clock for server and simulator that goes from
 * one moment to the next as soon as all that is due has been done.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { carriedOut, sendBatch, startMarketo } from './marketo.mjs';

const EVENTS = 100_000;
const PEOPLE = 5000;
const HOUR = 3_600_000;
const STEP = 200;

/** Of RudderStack's transformer for Marketo, as published: for each identify it looks the lead up, and upserts it. */
export const PEER_CALLS_PER_EVENT = 2;

/** Numbers below `limit`, the same in each run. */
function createRandom() {
  let state = 1;
  return (/** @type {number} */ limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** An hour's identifies by step. No two of a person are alike, so none is left out as unchanged. */
function hour() {
  const random = createRandom();
  const seen = new Array(PEOPLE).fill(0);
  /** @type {object[][]} */
  const steps = Array.from({ length: HOUR / STEP }, () => []);
  for (const step of Array.from({ length: EVENTS }, () => random(steps.length)).sort((a, b) => a - b)) {
    const person = random(PEOPLE);
    seen[person] += 1;
    steps[step].push({
      messageId: `${person}-${seen[person]}`,
      userId: `user-${person}`,
      traits: { email: `ada.${person}@example.com`, firstName: 'Ada', title: `Seen ${seen[person]} times` },
    });
  }
  return { steps, seen };
}

/**
 * The database is in memory where there is a folder for that: what is counted does not depend on the disk.
 * @param {(text: string) => void} tell
 */
export async function measureReplay(tell) {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'munchkin-bench-'));
  const { server, simulator, clock, stop } = await startMarketo(join(folder, 'queue.db'));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { steps, seen } = hour();
  const { calls } = simulator.rest;

  const isUpToDate = () =>
    seen.every((times, person) => times === 0 || simulator.leads.get(`ada.${person}@example.com`)?.fields.Title === `Seen ${times} times`);

  /** Looked at from the last: those before have ended. */
  const isUnderWay = () => calls.length > 0 && calls.slice(-10).some(({ status }) => status === 0);

  try {
    for (const [number, messages] of steps.entries()) {
      if (number % 600 === 0) tell(`minute ${(number * STEP) / 60_000} of 60`);
      // A request lets the server look at its clock at once; what it has sent then is to be answered within the step.
      if (messages.length > 0) await sendBatch(server, agent, messages);
      await carriedOut(server, agent);
      while (isUnderWay()) await delay(1);
      clock.advance(STEP);
    }
    const end = performance.now() + 20_000;
    while (!isUpToDate()) {
      if (performance.now() > end) throw new Error('Not all that was sent has reached the simulator.');
      clock.advance(1000);
      await delay(25);
    }
    const made = Object.values(simulator.rest.callsByPath).reduce((sum, count) => sum + count, 0);
    return { events: EVENTS, people: PEOPLE, calls: made };
  } finally {
    agent.destroy();
    await stop();
    rmSync(folder, { recursive: true });
  }
}
