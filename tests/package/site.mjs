/** The web sites that the built projects are. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

const TYPES = /** @type {Record<string, string>} */ ({
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
});

/** @param {import('node:net').Server} server @param {number} [port] any without */
async function listening(server, port = 0) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
}

/**
 * Serves a folder. Each page of it finds `config`, as it is at that time, in window.config.
 * @param {import('node:test').TestContext} t ends it
 * @param {string} folder
 */
export async function serveFolder(t, folder) {
  const site = { url: '', config: {} };
  const server = createServer((request, response) => {
    const { pathname } = new URL(String(request.url), 'http://site.test');
    const file = join(folder, pathname === '/' ? 'index.html' : pathname);
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': TYPES[extname(file)] || 'text/plain' });
    if (extname(file) !== '.html') return void response.end(readFileSync(file));
    const script = `<script>window.config = ${JSON.stringify(site.config)};</script>`;
    response.end(readFileSync(file, 'utf8').replace('<head>', `<head>${script}`));
  });
  site.url = `http://127.0.0.1:${await listening(server)}`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return site;
}

/**
 * A port that is free, for programs that must be told theirs. It is none of those that the system gives to whoever asks
 * for any, which begin at 32768: one of these might be taken again before the program has it.
 * @returns {Promise<number>}
 */
export async function freePort() {
  const server = createServer();
  try {
    const port = await listening(server, 10_000 + Math.floor(Math.random() * 20_000));
    await new Promise((resolve) => server.close(resolve));
    return port;
  } catch {
    return freePort();
  }
}

/**
 * Runs a program until the test ends, and waits for what it writes when it is ready.
 * @param {import('node:test').TestContext} t ends it
 * @param {string} folder
 * @param {string[]} command
 * @param {Record<string, string>} env
 * @param {RegExp} ready
 */
export async function startProgram(t, folder, [program, ...args], env, ready) {
  const child = spawn(program, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const closed = once(child, 'close').finally(() => process.off('exit', kill));
  t.after(() => {
    child.kill('SIGTERM');
    return closed;
  });

  let output = '';
  /** @type {Promise<RegExpExecArray>} */
  const started = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        const match = ready.exec(output);
        if (match) resolve(match);
      });
    }
  });
  const match = await Promise.race([
    started,
    closed.then(() => {
      throw new Error(`${program} ${args.join(' ')} has ended: ${output}`);
    }),
  ]);
  return { match, output: () => output };
}

/**
 * Runs `next start`, and waits until it is ready.
 * @param {import('node:test').TestContext} t ends it
 * @param {string} folder
 * @param {number} port
 * @param {Record<string, string>} env
 */
export function startNext(t, folder, port, env) {
  const program = join(folder, 'node_modules/next/dist/bin/next');
  const command = [process.execPath, program, 'start', '--hostname', '127.0.0.1', '--port', `${port}`];
  return startProgram(t, folder, command, { NEXT_TELEMETRY_DISABLED: '1', ...env }, /Ready in/);
}
