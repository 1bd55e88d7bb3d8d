/** The queue and the way to Marketo as a process of its own (queue_driver.c), with a clock that the test moves. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { startSimulator } from '../sim/simulator.mjs';

const DRIVER = process.env.QUEUE_DRIVER || new URL('../../build/queue-driver', import.meta.url).pathname;

export const CLIENT = { id: 'b417d98f-9289', secret: 'JhnfFYJ8aWkrTq1w' };

/**
 * @typedef {object} DeadLetter
 * @property {string} kind
 * @property {string} who
 * @property {string} code
 * @property {string} reason
 * @property {string} payload
 */

/** @typedef {Awaited<ReturnType<typeof startQueue>>} Queue */

/**
 * Waits for what is about to happen.
 * @param {() => unknown} condition
 * @param {string} [what]
 * @param {number} [milliseconds]
 */
export async function until(condition, what = String(condition), milliseconds = 10_000) {
  const end = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`In vain: ${what}`);
    await delay(5);
  }
}

/** Noon in Marketo's time zone, US Central: whenever the tests run, the day of the quotas ends when a test says so. */
const NOON = '2026-11-24T18:00:00Z';

/**
 * A simulated Marketo, and a queue that sends to it. Both go by one clock.
 * @param {import('node:test').TestContext} t
 * @param {{options?: Record<string, number>, simulator?: import('../sim/simulator.mjs').SimulatorOptions}} [options]
 */
export async function queueFor(t, { options = {}, simulator = {} } = {}) {
  const marketo = await startSimulator({ restClient: CLIENT, ...simulator });
  t.after(() => marketo.close());
  marketo.clock.set(NOON);
  const queue = await startQueue(marketo, options);
  t.after(() => queue.end());
  return { marketo, queue };
}

/**
 * @param {import('../sim/simulator.mjs').Simulator} marketo
 * @param {Record<string, number>} options  see queue_driver.c
 */
export async function startQueue(marketo, options) {
  const folder = mkdtempSync(join(tmpdir(), 'queue-'));
  const database = join(folder, 'munchkin.db');
  const clockFile = join(folder, 'clock');
  let ahead = BigInt(marketo.clock.now() - Date.now());
  /** @type {import('node:child_process').ChildProcess} */
  let child;
  let log = '';
  let number = 0;
  /** @type {Map<number, (stored: boolean) => void>} */
  const sent = new Map();
  /** @type {((counts: Record<string, number>) => void)[]} */
  const asked = [];
  const env = {
    MUNCHKIN_TEST_CLOCK: clockFile,
    MARKETO_CLIENT_ID: CLIENT.id,
    MARKETO_CLIENT_SECRET: CLIENT.secret,
  };

  function writeClock() {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(ahead);
    // In place: the file is mapped.
    writeFileSync(clockFile, bytes, { flag: existsSync(clockFile) ? 'r+' : 'w' });
  }

  function start() {
    const settings = Object.entries(options).map(([name, value]) => `${name}=${value}`);
    child = spawn(DRIVER, ['run', database, marketo.url, marketo.url, ...settings], { env, stdio: 'pipe' });
    number = 0;
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      log += text;
    });
    // What is written to a killed one is not stored.
    child.stdin?.on('error', () => {});
    createInterface({ input: /** @type {any} */ (child.stdout) }).on('line', (line) => {
      const { stored, failed, counts } = JSON.parse(line);
      if (counts) asked.shift()?.(counts);
      else sent.get(stored ?? failed)?.(stored !== undefined);
    });
  }

  /**
   * @param {object} command
   * @returns {Promise<boolean>} whether it is on disk
   */
  function send(command) {
    number += 1;
    const stored = new Promise((resolve) => {
      sent.set(number, resolve);
    });
    child.stdin?.write(`${JSON.stringify(command)}\n`);
    return stored;
  }

  writeClock();
  start();
  return {
    database,
    env,
    log: () => log,
    send,

    /** @param {string} email @param {Record<string, unknown>} [fields] @param {object} [more] */
    lead(email, fields = {}, more = {}) {
      return send({ kind: 'lead', email, fields: JSON.stringify(email ? { Email: email, ...fields } : fields), ...more });
    },

    /** Both clocks, together. @param {number} milliseconds */
    advance(milliseconds) {
      ahead += BigInt(milliseconds);
      marketo.clock.advance(milliseconds);
      writeClock();
    },

    /**
     * Lets time pass, in steps, until something has happened.
     * @param {() => unknown} condition
     * @param {{step?: number, steps?: number}} [options]
     */
    async passUntil(condition, { step = 1000, steps = 400 } = {}) {
      for (let i = 0; i < steps; i += 1) {
        await delay(30);
        if (condition()) return;
        this.advance(step);
      }
      throw new Error(`In vain: ${condition}\n${JSON.stringify(marketo.rest.calls.slice(-10))}\n${log}`);
    },

    /** Time enough, of the machine's, for whatever is due to be done. */
    settle: () => delay(200),

    counts() {
      number += 1;
      const counts = new Promise((resolve) => {
        asked.push(resolve);
      });
      child.stdin?.write('{"kind":"counts"}\n');
      return counts;
    },

    /** Resolves once nothing of what was accepted is still to be carried out. */
    async carriedOut() {
      while (Number((await this.counts()).messagesWaiting) > 0) await delay(10);
    },

    /** @returns {Promise<DeadLetter[]>} */
    async dead() {
      const lister = spawn(DRIVER, ['dead', database], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      lister.stdout.setEncoding('utf8').on('data', (piece) => {
        text += piece;
      });
      const [code] = await once(lister, 'close');
      if (code !== 0) throw new Error(`dead ended with ${code}`);
      return text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    },

    /** As kill -9 does, and a new one on the same database. */
    async killAndStart() {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
      start();
    },

    async stop() {
      const closed = once(child, 'close');
      child.stdin?.end();
      const [code] = await closed;
      if (code !== 0) throw new Error(`queue-driver ended with ${code}: ${log}`);
    },

    async end() {
      try {
        if (child.exitCode === null && child.signalCode === null) await this.stop();
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },

    start,
  };
}

/** What --check says. @param {string} url @param {Record<string, string>} [env] */
export async function check(url, env = {}) {
  const all = { MARKETO_CLIENT_ID: CLIENT.id, MARKETO_CLIENT_SECRET: CLIENT.secret, ...env };
  const checker = spawn(DRIVER, ['check', url], { env: all, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  checker.stdout.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  const [code] = await once(checker, 'close');
  return { code, text: text.trim() };
}
