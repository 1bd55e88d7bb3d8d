/** Load by wrk, the peers in Node.js that it is put on, and what processes cost meanwhile. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const run = promisify(execFile);

/** @typedef {{perSecond: number, p50: number, p99: number}} Load requests; latencies in ms */
/** @typedef {{url: string, pids: () => number[], stop: () => Promise<unknown>}} Running */

/** Beside this file. @param {string} path */
export const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * @param {string} url
 * @param {object} options
 * @param {string} options.script  in Lua, beside this file
 * @param {number} options.connections
 * @param {number} options.seconds
 * @param {string[]} [options.args]  for the script
 * @returns {Promise<Load>}
 */
export async function wrk(url, { script, connections, seconds, args = [] }) {
  const threads = Math.min(connections, Math.max(1, cpus().length >> 1));
  const { stdout } = await run('wrk', [
    ...['-t', String(threads), '-c', String(connections), '-d', `${seconds}s`, '--timeout', '30s'],
    ...['-s', here(script), url, '--', ...args],
  ]);
  const { failed, ...figures } = JSON.parse(stdout.trim().split('\n').pop() ?? '');
  if (failed > 0) throw new Error(`${failed} requests of wrk failed`);
  return figures;
}

/**
 * A server that prints its port.
 * @param {string[]} command  the script, beside this file, and what it takes
 * @param {Record<string, string>} env
 * @returns {Promise<Running>}
 */
export async function startNode([script, ...args], env) {
  const child = spawn('node', [here(script), ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(child.stdout, 'data');
  return {
    url: `http://127.0.0.1:${Number(port)}`,
    pids: () => [Number(child.pid)],
    stop: async () => {
      child.kill();
      await once(child, 'exit');
    },
  };
}

/** Memory of processes' own, in MB. @param {number[]} pids */
export function ownMegabytes(pids) {
  return pids.reduce((sum, pid) => {
    const kilobytes = /^Pss_Anon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return sum + Number(kilobytes) / 1024;
  }, 0);
}

/** Memory of a process's own that is resident, in MB; unlike the above it may be asked of any process. @param {number} pid */
export function residentMegabytes(pid) {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** The most memory that a process has had resident, shared libraries too, in MB. @param {number} pid */
export function mostMegabytes(pid) {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** The processor's time that a process has used, in seconds. @param {number} pid */
export function processorSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
