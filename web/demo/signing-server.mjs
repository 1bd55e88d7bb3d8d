/** munchkin-server as a child of the demo. */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SetupError } from './settings.mjs';

const PROGRAM = fileURLToPath(new URL('../../build/munchkin-server', import.meta.url));

/**
 * @typedef {object} SigningServer
 * @property {number} port
 * @property {Promise<string>} ended  resolves, once it has ended, with how
 * @property {() => Promise<unknown>} stop
 */

/**
 * Starts it on a free port, and waits until it listens.
 * @param {{address: string, origins: string[], privateKey: string}} options
 * @returns {Promise<SigningServer>}
 */
export async function startSigningServer({ address, origins, privateKey }) {
  if (!existsSync(PROGRAM)) throw new SetupError('build/munchkin-server is missing. Build it first: make build');
  const args = ['--listen', `${address}:0`, ...origins.flatMap((origin) => ['--allow-origin', origin])];
  const child = spawn(PROGRAM, args, {
    // By environment: command lines can be read by everybody on this computer.
    env: { PATH: process.env.PATH, MARKETO_API_PRIVATE_KEY: privateKey },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C comes to the demo, which ends its parts itself.
    detached: true,
  });
  const kill = () => child.kill('SIGTERM');
  process.once('exit', kill);

  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-4000);
    });
  }
  /** @type {Promise<string>} */
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(`${signal ?? `exit code ${code}`}; its last words: ${output.trim()}`));
  });
  ended.then(() => process.off('exit', kill));

  /** @type {Promise<number>} */
  const listening = new Promise((resolve) => {
    child.stdout.on('data', () => {
      const port = /listening on \S+:(\d+)\n/.exec(output)?.[1];
      if (port) resolve(Number(port));
    });
  });
  const port = await Promise.race([
    listening,
    ended.then((how) => {
      throw new SetupError(`munchkin-server did not start: ${how}`);
    }),
  ]);
  return {
    port,
    ended,
    stop() {
      kill();
      return ended;
    },
  };
}
