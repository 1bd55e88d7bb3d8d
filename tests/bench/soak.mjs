/**
 * Nothing is lost: mixed traffic at 70 % of what the server can take, Marketo failing one call in five, and the server
 * killed once a minute. At the end what was acknowledged is compared with what Marketo has.
 */

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createTestClock } from '../server/clock.mjs';
import { KEY, ORIGIN, startServer } from '../server/server_process.mjs';
import { startSimulator } from '../sim/simulator.mjs';
import { residentMegabytes } from './load.mjs';
import { AUTHORIZATION, carriedOut, CLIENT, diskFolder, MUNCHKIN_ID, waiting, WRITE_KEY } from './marketo.mjs';
import { compare, FIELDS } from './soak/ledger.mjs';
import { createTrouble } from './soak/trouble.mjs';

/** @typedef {import('./soak/sender.mjs').Figures} Figures */
/** @typedef {Awaited<ReturnType<typeof measureSoak>>} Soak */

/** Of so many something is said at a time. All can be synced within their interval, so the queue never grows for ever. */
const PEOPLE = 5000;
const SHARE = 0.7;
/** What is taken as the most has to last: a larger database and a backlog are slower. */
const CALIBRATION_SHARE = 0.1;
const CALIBRATION_MIN_SECONDS = 8;

/** How much faster than the machine's the clock of server and simulator goes while the queue runs dry. */
const DRAIN_SPEED = 20;
/** A call that is never answered holds its leads for 90 s, and the counts are taken once a second. */
const DRAIN_MS = 180_000;

/** Between two syncs of another file, in ms: few enough to be no load. */
const SYNC_PAUSE = 20;

/**
 * How long the disk takes to sync another file meanwhile, in ms: what the server, too, has to wait for.
 * @param {string} folder @param {number} seconds @returns {Promise<{p50: number, p99: number, most: number}>}
 */
async function measureDisk(folder, seconds) {
  const program = fileURLToPath(new URL('../../build/bench-fdatasync', import.meta.url));
  const { stdout } = await promisify(execFile)(program, [folder, `${seconds}`, `${SYNC_PAUSE}`]);
  return JSON.parse(stdout);
}

/** @param {string} db */
async function startWorld(db) {
  const simulator = await startSimulator({ restClient: CLIENT, fields: [{ name: 'userId', soapName: 'UserId' }, ...FIELDS] });
  const clock = createTestClock(simulator);
  const trouble = createTrouble(simulator);
  let speed = 1;
  let before = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    clock.advance(Math.round((now - before) * (speed - 1)));
    before = now;
    if (speed === 1) trouble.goOn();
  }, 20);

  const start = () =>
    startServer({
      args: [
        ...['--db', db, '--write-key', WRITE_KEY, '--munchkin-id', MUNCHKIN_ID, '--allow-origin', ORIGIN],
        ...['--rate-limit', '0', '--rate-limit-email', '0'],
        ...['--rest-url', simulator.url, '--webevents-url', simulator.url],
      ],
      env: {
        MARKETO_API_PRIVATE_KEY: KEY,
        MARKETO_CLIENT_ID: CLIENT.id,
        MARKETO_CLIENT_SECRET: CLIENT.secret,
        ...clock.env,
      },
    });

  const world = {
    simulator,
    trouble,
    server: await start(),
    kills: 0,
    /** How long the starts took, in ms. */
    starts: /** @type {number[]} */ ([]),

    async killAndRestart() {
      await world.server.stop('SIGKILL');
      const killed = performance.now();
      world.server = await start();
      world.kills += 1;
      world.starts.push(performance.now() - killed);
    },

    /** Before Marketo was well again. */
    calls: 0,

    /** Marketo is well again, and time goes by faster: resolves with whether nothing waits any more. */
    async drain() {
      trouble.end();
      world.calls = simulator.rest.calls.length;
      speed = DRAIN_SPEED;
      const end = performance.now() + DRAIN_MS;
      let empty = 0;
      while (empty < 3 && performance.now() < end) {
        await delay(1000);
        empty = (await waiting(world.server)) === 0 ? empty + 1 : 0;
      }
      return empty === 3;
    },

    async stop() {
      clearInterval(timer);
      await world.server.stop();
      await simulator.close();
      clock.close();
    },
  };
  return world;
}

/** The thread that sends. @param {string} url */
function startSender(url) {
  const worker = new Worker(new URL('./soak/sender.mjs', import.meta.url), {
    workerData: { url, people: PEOPLE, origin: ORIGIN, authorization: AUTHORIZATION, munchkinId: MUNCHKIN_ID },
  });
  const failed = new Promise((_, reject) => worker.once('error', reject));
  failed.catch(() => {}); // whoever waits for the next report is told
  /** @param {object} order @returns {Promise<any>} */
  const ask = (order) => {
    const report = new Promise((resolve) => worker.once('message', resolve));
    worker.postMessage(order);
    return Promise.race([report, failed]);
  };
  return {
    /** @param {number} seconds @param {number} [perSecond] @returns {Promise<Figures>} */
    send: async (seconds, perSecond) => (await ask({ do: 'send', seconds, perSecond })).sent,
    down: () => worker.postMessage({ do: 'down' }),
    /** @param {string} to */
    up: (to) => worker.postMessage({ do: 'up', url: to }),
    /** @returns {Promise<import('./soak/ledger.mjs').LedgerRecord>} */
    end: async () => (await ask({ do: 'end' })).record,
    terminate: () => worker.terminate(),
  };
}

/** When to kill, in seconds from the start: about the middle of each part of the time, so that the parts are alike. @param {number} seconds */
function killTimes(seconds) {
  const kills = Math.max(2, Math.round(seconds / 60));
  const part = seconds / kills;
  return Array.from({ length: kills }, (_, number) => part * (number + 0.45 + 0.1 * Math.random()));
}

/**
 * The most memory of its own that the server had in each minute, in MB, or in each tenth of a shorter time.
 * @param {() => number} pid  @param {number} seconds
 */
function watchMemory(pid, seconds) {
  const span = Math.min(60, seconds / 10) * 1000;
  const started = performance.now();
  /** @type {number[]} */
  const most = [];
  const timer = setInterval(() => {
    const number = Math.floor((performance.now() - started) / span);
    try {
      // Not a number once it has ended, and no file once that is known.
      most[number] = Math.max(most[number] ?? 0, residentMegabytes(pid()) || 0);
    } catch {
      // It has just been killed.
    }
  }, 250);
  return {
    stop() {
      clearInterval(timer);
      return most.slice(0, Math.ceil((seconds * 1000) / span));
    },
  };
}

/**
 * @param {number} seconds
 * @param {(text: string) => void} tell
 */
export async function measureSoak(seconds, tell) {
  const folder = diskFolder();
  const [busy] = loadavg();
  const world = await startWorld(join(folder, 'queue.db'));
  const sender = startSender(world.server.url);

  async function killAll() {
    const started = performance.now();
    const times = killTimes(seconds);
    for (const [number, time] of times.entries()) {
      await delay(Math.max(0, started + time * 1000 - performance.now()));
      tell(`${Math.round(time)} of ${seconds} s; killed ${number + 1} of ${times.length} times`);
      sender.down();
      await world.killAndRestart();
      sender.up(world.server.url);
      if (number === times.length - 1) world.trouble.answerAll();
    }
  }

  try {
    tell('the most that it takes and carries out');
    const started = performance.now();
    const { accepted } = await sender.send(Math.max(CALIBRATION_MIN_SECONDS, seconds * CALIBRATION_SHARE));
    await carriedOut(world.server);
    const most = (accepted / (performance.now() - started)) * 1000;
    const perSecond = most * SHARE;
    const memory = watchMemory(() => world.server.pid, seconds);
    const [sent, disk] = await Promise.all([sender.send(seconds, perSecond), measureDisk(folder, seconds), killAll()]);
    const megabytes = memory.stop();
    tell('until nothing waits');
    const isDrained = await world.drain();
    const compared = compare(await sender.end(), world.simulator);
    const faults = Object.values(world.trouble.injected).reduce((sum, count) => sum + count, 0);
    return {
      seconds,
      busy,
      most,
      perSecond,
      sent,
      disk,
      megabytes,
      kills: world.kills,
      starts: world.starts,
      faults,
      faultsByKind: world.trouble.injected,
      shareOfCalls: world.trouble.ofCalls() / world.calls,
      ...compared,
      isDrained,
      twice: world.simulator.rest.overlaps.map(({ key }) => key),
    };
  } finally {
    await sender.terminate();
    await world.stop();
    rmSync(folder, { recursive: true });
  }
}
