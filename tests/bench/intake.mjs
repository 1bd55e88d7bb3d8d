/**
 * Events that are on disk before they are answered: identifies taken in by munchkin-server, alone and in batches, beside a
 * server in Node.js that syncs each event, and beside how often the disk syncs at all.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { here, run, startNode, wrk } from './load.mjs';
import { AUTHORIZATION, carriedOut, diskFolder, startIntake } from './marketo.mjs';
import { inTurn } from './measure.mjs';

const SECONDS = 2;
const CONNECTIONS = 32;
const BATCH = 100;

/** @typedef {import('./load.mjs').Load} Load of events; the latencies are those of requests */

/**
 * @param {number} rounds
 * @param {(text: string) => void} tell
 * @param {{slowDisk?: boolean}} [options]  all of them on one that takes two milliseconds longer to sync
 * @returns {Promise<Record<'disk' | 'ours' | 'node' | 'batches', Load>>}
 */
export async function measureIntake(rounds, tell, { slowDisk = false } = {}) {
  const folder = diskFolder();
  /** @type {Record<string, string>} */
  const env = slowDisk ? { LD_PRELOAD: here('../../build/bench-slow-disk.so') } : {};
  const ours = await startIntake(join(folder, 'queue.db'), env);
  const node = await startNode(['node_intake.mjs', join(folder, 'events')], { AUTHORIZATION, ...env });
  let round = 0;

  /** @param {string} url @param {number} size @returns {Promise<Load>} */
  async function load(url, size) {
    round += 1;
    const path = size > 1 ? '/v1/batch' : '/v1/identify';
    const args = [AUTHORIZATION, String(round), String(size)];
    // What earlier ones have left to be done is not for this one to pay.
    if (url === ours.url) await carriedOut(ours);
    const figures = await wrk(`${url}${path}`, { script: 'identify.lua', connections: CONNECTIONS, seconds: SECONDS, args });
    return { ...figures, perSecond: figures.perSecond * size };
  }

  /** @returns {Promise<Load>} */
  async function disk() {
    const { stdout } = await run(here('../../build/bench-fdatasync'), [folder, String(SECONDS)], { env });
    return JSON.parse(stdout);
  }

  try {
    const subjects = { disk, ours: () => load(ours.url, 1), node: () => load(node.url, 1), batches: () => load(ours.url, BATCH) };
    return /** @type {any} */ (await inTurn(subjects, rounds, tell));
  } finally {
    await node.stop();
    await ours.stop();
    rmSync(folder, { recursive: true });
  }
}
