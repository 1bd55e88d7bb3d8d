/** munchkin-server with a queue of its own, and a simulated Marketo behind it. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { endianness, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSimulator } from '../sim/simulator.mjs';
import { request } from './http_client.mjs';
import { ORIGIN, runServer, SERVER, startServer, UNDER_VALGRIND } from './server_process.mjs';

export const MUNCHKIN_ID = '561-HYG-937';
export const WRITE_KEY = 'write-key';
export const CLIENT = { id: 'client', secret: 'secret-of-client' };

export const REST = { MARKETO_CLIENT_ID: CLIENT.id, MARKETO_CLIENT_SECRET: CLIENT.secret };

/** A Marketo cookie of ours. @param {string | number} visitor */
export const cookieOf = (visitor) => `id:${MUNCHKIN_ID}&token:_mch-example.com-${visitor}-90718`;

/** A folder that is gone after the test. @param {{after: (end: () => void) => void}} t */
export function folderFor(t) {
  const folder = mkdtempSync(join(tmpdir(), 'munchkin-server-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/**
 * What a command of the program says.
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
export function command(args, env = {}) {
  const { status, stdout, stderr } = spawnSync(SERVER, args, { env: { PATH: String(process.env.PATH), ...env }, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

/**
 * @typedef {object} Intake
 * @property {import('./server_process.mjs').ServerProcess} server
 * @property {import('../sim/simulator.mjs').Simulator} simulator
 * @property {string} db
 * @property {(path: string, message: unknown, options?: PostOptions) => Promise<import('./http_client.mjs').Answer>} post
 * @property {(...words: string[]) => any} ask  the JSON that `munchkin-server <words> --json` prints
 * @property {(wrap?: string[]) => Promise<void>} restart  after the process has ended
 * @property {(milliseconds: number) => void} advance  the clocks of both
 *
 * @typedef {object} PostOptions
 * @property {string | null} [key]  the write key; null for none
 * @property {Record<string, string>} [headers]
 */

/**
 * A server that takes events with WRITE_KEY, of pages of ORIGIN too, and passes them on at once.
 * @param {{after: (end: () => Promise<void> | void) => void}} t
 * @param {{keys?: string[], args?: string[], env?: Record<string, string>, wrap?: string[], binary?: string, simulator?: import('../sim/simulator.mjs').SimulatorOptions}} [options]
 * @returns {Promise<Intake>}
 */
export async function intakeFor(t, { keys = [WRITE_KEY], args = [], env = REST, wrap = [], binary, simulator: simulated = {} } = {}) {
  /** @type {import('./server_process.mjs').ServerProcess | undefined} */
  let server;
  const simulator = await startSimulator({ restClient: CLIENT, ...simulated });
  // First: without its database, or Marketo, the server would take its time to end.
  t.after(async () => {
    try {
      const code = await server?.stop();
      if (code) throw new Error(`munchkin-server ended with ${code}: ${server?.output()}`);
    } finally {
      await simulator.close();
    }
  });
  const folder = folderFor(t);
  const db = join(folder, 'munchkin.db');
  const clock = join(folder, 'clock');
  const ahead = Buffer.alloc(8);
  writeFileSync(clock, ahead);
  const settings = {
    args: [
      ...['--db', db, '--munchkin-id', MUNCHKIN_ID, '--allow-origin', ORIGIN],
      ...keys.flatMap((key) => ['--write-key', key]),
      ...['--rest-url', simulator.url, '--soap-url', `${simulator.url}/soap/mktows/3_1`, '--webevents-url', simulator.url],
      ...['--linger', '0', '--interval', '0', '--rate-limit', '0', '--rate-limit-email', '0', ...args],
    ],
    env: { MUNCHKIN_TEST_CLOCK: clock, ...env },
    binary,
  };
  server = await startServer({ ...settings, wrap });
  return {
    get server() {
      return /** @type {import('./server_process.mjs').ServerProcess} */ (server);
    },
    simulator,
    db,
    post(path, message, { key = WRITE_KEY, headers = {} } = {}) {
      return request(`${server?.url}${path}`, {
        method: 'POST',
        headers: key === null ? headers : { Authorization: basic(key), ...headers },
        body: typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
      });
    },
    ask(...words) {
      // What was taken a moment ago may have yet to be sorted into what is asked about.
      const sorted = () => !/"messagesWaiting":[1-9]/.test(command(['status', '--db', db, '--json']).stdout);
      for (let tries = 0; tries < 50 && !sorted(); tries++) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      const { code, stdout, stderr } = command([...words, '--db', db, '--json']);
      if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${stderr}`);
      return JSON.parse(stdout);
    },
    advance(milliseconds) {
      const was = Number(endianness() === 'LE' ? ahead.readBigInt64LE() : ahead.readBigInt64BE());
      const is = BigInt(was + milliseconds);
      if (endianness() === 'LE') ahead.writeBigInt64LE(is);
      else ahead.writeBigInt64BE(is);
      // Not emptied first: the server has it mapped.
      writeFileSync(clock, ahead, { flag: 'r+' });
      simulator.clock.advance(milliseconds);
    },
    async restart(again = []) {
      server = await startServer({ ...settings, wrap: again });
    },
  };
}

/** @param {string} key */
export const basic = (key) => `Basic ${Buffer.from(`${key}:`).toString('base64')}`;

/**
 * Resolves with what `look` gives once that is truthy.
 * @template T
 * @param {() => T | Promise<T>} look
 * @param {string} what
 * @returns {Promise<Exclude<T, undefined | null | false | 0 | ''>>}
 */
export async function eventually(look, what) {
  const end = Date.now() + (UNDER_VALGRIND ? 60_000 : 20_000);
  for (;;) {
    const found = await look();
    if (found) return /** @type {any} */ (found);
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What it says and ends with, while this process goes on: why it does not start, or --check. @param {string[]} args @param {Record<string, string>} env */
export async function refusal(args, env) {
  const { child, closed, output } = runServer(['--listen', '127.0.0.1:0', ...args], env);
  // One that starts after all must not be waited for.
  child.stdout.on('data', () => /listening on/.test(output()) && child.kill());
  return { code: await closed, said: output() };
}
