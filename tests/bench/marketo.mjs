/** munchkin-server as the benchmarks start it: with a queue, and with the simulator in Marketo's place, or nobody. */

import { mkdtempSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { createTestClock } from '../server/clock.mjs';
import { request } from '../server/http_client.mjs';
import { startServer } from '../server/server_process.mjs';
import { startSimulator } from '../sim/simulator.mjs';
import { here } from './load.mjs';

/** @typedef {import('../server/server_process.mjs').ServerProcess} ServerProcess */

export const WRITE_KEY = 'write-key-of-the-benchmark';
export const CLIENT = { id: 'client-of-the-benchmark', secret: 'pretended' };
export const MUNCHKIN_ID = '561-HYG-937';
const NOWHERE = 'http://127.0.0.1:9';

export const AUTHORIZATION = `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}`;

/** On the disk that the project is on: the system's folder for temporary files is often none. */
export const diskFolder = () => mkdtempSync(here('../../build/bench-'));

/** @param {string} db @param {string} marketo @param {Record<string, string>} [env] */
function start(db, marketo, env) {
  return startServer({
    args: [
      ...['--db', db, '--write-key', WRITE_KEY, '--munchkin-id', MUNCHKIN_ID],
      ...['--rest-url', marketo, '--webevents-url', marketo],
    ],
    env: { MARKETO_CLIENT_ID: CLIENT.id, MARKETO_CLIENT_SECRET: CLIENT.secret, ...env },
  });
}

/** It takes everything in, and can send nothing. @param {string} db @param {Record<string, string>} [env] */
export const startIntake = (db, env) => start(db, NOWHERE, env);

/** With the simulator in this process, and one clock for both. @param {string} db */
export async function startMarketo(db) {
  const simulator = await startSimulator({ restClient: CLIENT, fields: [{ name: 'userId', soapName: 'UserId' }] });
  const clock = createTestClock(simulator);
  const server = await start(db, simulator.url, clock.env);
  return {
    simulator,
    clock,
    server,
    async stop() {
      await server.stop();
      await simulator.close();
      clock.close();
    },
  };
}

/**
 * What a server holds for Marketo, of any kind, or of one. But for messages the counts are taken once a second.
 * @param {ServerProcess} server
 * @param {string} [kind]
 * @param {import('node:http').Agent} [agent]
 */
export async function waiting(server, kind = '', agent) {
  const { body } = await request(`${server.url}/metrics`, { agent });
  const counts = [...String(body).matchAll(/^munchkin_server_(?:queue\{kind="(\w+)"\}|dead_letters) (\d+)$/gm)];
  return counts.filter(([, name]) => !kind || name === kind).reduce((sum, [, , count]) => sum + Number(count), 0);
}

/**
 * Resolves once all that was accepted is carried out, so that it only waits for its call.
 * @param {ServerProcess} server
 * @param {import('node:http').Agent} [agent]
 */
export async function carriedOut(server, agent) {
  while ((await waiting(server, 'message', agent)) > 0) await delay(1);
}

/**
 * Sends identifies in one request, and resolves once they are stored.
 * @param {ServerProcess} server
 * @param {import('node:http').Agent} agent
 * @param {object[]} messages
 */
export async function sendBatch(server, agent, messages) {
  const batch = messages.map((message) => ({ type: 'identify', ...message }));
  const { status } = await request(`${server.url}/v1/batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: AUTHORIZATION },
    body: JSON.stringify({ batch }),
    agent,
  });
  if (status !== 200) throw new Error(`A batch was answered ${status}: ${server.output()}`);
}
