/** Hashes over HTTP: munchkin-server, nginx that answers a constant, and a signer in Node.js, under wrk. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../package/site.mjs';
import { KEY, ORIGIN, startServer } from '../server/server_process.mjs';
import { here, ownMegabytes, startNode, wrk } from './load.mjs';
import { inTurn } from './measure.mjs';

const SECONDS = 3;
export const CONNECTIONS = [1, 32, 256];

/** @typedef {{perSecond: number, p50: number, p99: number, megabytes: number}} ServerFigures latencies in ms */
/** @typedef {import('./load.mjs').Running} Running */

/** @returns {Promise<Running>} */
async function ours() {
  const server = await startServer({
    args: ['--allow-origin', ORIGIN, '--rate-limit', '0', '--rate-limit-email', '0'],
    env: { MARKETO_API_PRIVATE_KEY: KEY },
  });
  return { url: server.url, pids: () => [server.pid], stop: () => server.stop() };
}

function node() {
  return startNode(['node_signer.mjs'], { MARKETO_API_PRIVATE_KEY: KEY, ALLOWED_ORIGIN: ORIGIN });
}

/** @returns {Promise<Running>} */
async function nginx() {
  const folder = mkdtempSync(join(tmpdir(), 'munchkin-bench-'));
  const port = await freePort();
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; error_log stderr error; worker_processes auto;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 75s;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; location / { default_type application/json;
    return 200 '{"hash":"7e7627cf6f57595996f4bf27b904099c94a28522"}'; } }
}
`
  );
  const child = spawn(here('../../build/deps/nginx/usr/sbin/nginx'), ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  while (child.exitCode === null && !(await fetch(url).catch(() => undefined)));
  if (child.exitCode !== null) throw new Error('nginx did not start');
  const pid = Number(child.pid);
  return {
    url,
    pids: () => [pid, ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)],
    stop: async () => {
      child.kill();
      await once(child, 'exit');
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * @param {Running} server
 * @param {number} connections
 * @returns {Promise<ServerFigures>}
 */
async function load(server, connections) {
  const finished = wrk(`${server.url}/v1/hash`, { script: 'hash.lua', connections, seconds: SECONDS });
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, ownMegabytes(server.pids()));
  }, 250);
  const figures = await finished.finally(() => clearInterval(watch));
  return { ...figures, megabytes: peak };
}

/**
 * @param {number} rounds
 * @param {(text: string) => void} tell
 * @returns {Promise<Record<string, Record<string, ServerFigures>>>} by server, then by connections
 */
export async function measureServers(rounds, tell) {
  /** @type {Record<string, Record<string, ServerFigures>>} */
  const figures = { ours: {}, nginx: {}, node: {} };
  const starts = { ours, nginx, node };
  for (const connections of CONNECTIONS) {
    /** @type {Record<string, Running>} */
    const running = {};
    try {
      for (const [name, start] of Object.entries(starts)) running[name] = await start();
      const measured = await inTurn(
        Object.fromEntries(Object.keys(starts).map((name) => [name, () => load(running[name], connections)])),
        rounds,
        (text) => tell(`${connections} connections: ${text}`)
      );
      for (const [name, one] of Object.entries(measured)) figures[name][connections] = one;
    } finally {
      for (const server of Object.values(running)) await server.stop();
    }
  }
  return figures;
}
