/** munchkin-server as a process of its own, started and stopped by tests. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';

/** The build under sanitizers, so that what it does wrong ends it; MUNCHKIN_SERVER names another. */
export const SERVER =
  process.env.MUNCHKIN_SERVER || new URL('../../build/munchkin-server-sanitized', import.meta.url).pathname;

export const UNDER_VALGRIND = SERVER.endsWith('under_valgrind.sh');

/**
 * The same, with calls that fail when a test says so (tests/faults). It is under sanitizers, and has an allocator of its
 * own: valgrind can have no part in it.
 */
export const FAULTY_SERVER =
  process.env.MUNCHKIN_SERVER && !UNDER_VALGRIND
    ? `${process.env.MUNCHKIN_SERVER}-faulty`
    : new URL('../../build/munchkin-server-faulty', import.meta.url).pathname;

export const ORIGIN = 'https://www.example.com';
export const KEY = 'fortesting';

/**
 * @typedef {object} ServerProcess
 * @property {string} url
 * @property {number} pid
 * @property {() => string} output all that it has written, stdout and stderr
 * @property {(signal?: NodeJS.Signals) => Promise<number | null>} stop resolves with the exit code
 */

/**
 * Runs the server, with nothing in its environment but what is given.
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @param {string[]} [wrap] a command that runs the server, which is put behind it
 * @param {string} [binary]
 */
export function runServer(args, env, wrap = [], binary = SERVER) {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: run 'make test'.`);
  const [program, ...before] = [...wrap, binary];
  const child = spawn(program, [...before, ...args], { env: { PATH: String(process.env.PATH), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  // What starts it may fail before it stops it.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const closed = once(child, 'close').then(([code]) => {
    process.off('exit', kill);
    return code;
  });
  return { child, closed, output: () => output };
}

/**
 * The memory that it has, in kB. Under valgrind always 0: most of it is valgrind's own.
 * @param {{pid: number}} server
 */
export function kilobytes({ pid }) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (resident === undefined) throw new Error(`Process ${pid} has no memory: ${status}`);
  return UNDER_VALGRIND ? 0 : Number(resident);
}

/**
 * Starts the server on a free port, and waits until it listens.
 * @param {{args?: string[], env?: Record<string, string>, wrap?: string[], binary?: string}} options
 * @returns {Promise<ServerProcess>}
 */
export async function startServer({ args = [], env = {}, wrap = [], binary = SERVER }) {
  const { child, closed, output } = runServer(['--listen', '127.0.0.1:0', ...args], env, wrap, binary);
  const listening = new Promise((resolve) => {
    child.stdout.on('data', () => {
      const url = /listening on (\S+)\n/.exec(output())?.[1];
      if (url) resolve(url);
    });
  });
  const url = await Promise.race([
    listening,
    closed.then((code) => {
      throw new Error(`munchkin-server ended with ${code}: ${output()}`);
    }),
  ]);
  return {
    url,
    pid: Number(child.pid),
    output,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return closed;
    },
  };
}

/**
 * Starts a server for one test, or for the tests of one file, and checks at their end that it stops cleanly: with 0,
 * and with nothing found by the sanitizers.
 * @param {{after: (end: () => Promise<void>) => void}} t the test, or node:test's own `after` for all of a file
 * @param {{args?: string[], env?: Record<string, string>}} [options]
 */
export async function serverFor(t, { args = [], env = {} } = {}) {
  const server = await startServer({
    args: ['--allow-origin', ORIGIN, ...args],
    env: { MARKETO_API_PRIVATE_KEY: KEY, ...env },
  });
  t.after(async () => {
    const code = await server.stop();
    if (code !== 0) throw new Error(`munchkin-server ended with ${code}: ${server.output()}`);
  });
  return server;
}
