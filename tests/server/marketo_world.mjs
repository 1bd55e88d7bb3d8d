/** A server that sends to the simulator in Marketo's place, with a database and a clock that a test moves. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startSimulator } from '../sim/simulator.mjs';
import { createTestClock } from './clock.mjs';
import { request } from './http_client.mjs';
import { command } from './intake.mjs';
import { startServer } from './server_process.mjs';

export const MUNCHKIN_ID = '561-HYG-937';
export const WRITE_KEY = 'write-key-of-the-tests';

/** Of Marketo's own rules: a lead is synced once in 30 seconds. */
export const INTERVAL = 30_000;
/** How long a lead waits for others to share its call. */
export const LINGER = 5000;

const CLIENT = { id: 'client-of-the-tests', secret: 'secret-of-the-tests' };
const AUTHORIZATION = `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}`;

/** Of visitor `number`. @param {number | string} number */
export const tokenOf = (number) => `_mch-marketto.com-1374552656411-${number}`;

/** @param {number | string} number */
export const cookieOf = (number) => `id:${MUNCHKIN_ID}&token:${tokenOf(number)}`;

/** What leads have beside the standard fields. */
const FIELDS = [{ name: 'userId', soapName: 'UserId' }, { name: 'favoriteColor__c', soapName: 'FavoriteColor__c' }];

/**
 * Resolves once `condition` holds, which changes while other events of this process are handled.
 * @param {() => unknown} condition
 * @param {() => string} [state] what to say of how it was, if it does not come to that
 * @param {number} [timeout]
 */
export async function until(condition, state = () => '', timeout = 20_000) {
  const end = Date.now() + timeout;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`This did not come in ${timeout} ms: ${condition}\n${state()}`);
    await delay(2);
  }
}

/**
 * @param {{after: (end: () => Promise<void>) => void}} t
 * @param {object} [options]
 * @param {string[]} [options.args]
 * @param {string} [options.db] the database's path; by default in a folder of its own
 * @param {import('../sim/simulator.mjs').SimulatorOptions} [options.simulator]
 */
export async function marketoWorld(t, { args = [], db, simulator: options = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'munchkin-server-'));
  const simulator = await startSimulator({ restClient: CLIENT, keepBodies: true, fields: FIELDS, ...options });
  const clock = createTestClock(simulator);
  /** @type {import('./server_process.mjs').ServerProcess | undefined} */
  let server;

  const settings = {
    args: [
      ...['--db', db || join(folder, 'queue.db'), '--munchkin-id', MUNCHKIN_ID, '--write-key', WRITE_KEY],
      ...['--rest-url', simulator.url, '--webevents-url', simulator.url, ...args],
    ],
    env: { MARKETO_CLIENT_ID: CLIENT.id, MARKETO_CLIENT_SECRET: CLIENT.secret, ...clock.env },
  };

  /** @param {string[]} more @returns {Promise<void>} */
  async function start(...more) {
    server = undefined;
    server = await startServer({ ...settings, args: [...settings.args, ...more] });
  }

  /** @param {NodeJS.Signals} signal */
  async function stop(signal = 'SIGTERM') {
    const stopping = server;
    server = undefined;
    const code = await stopping?.stop(signal);
    if (stopping && signal !== 'SIGKILL' && code !== 0) throw new Error(`munchkin-server ended with ${code}: ${stopping.output()}`);
  }

  t.after(async () => {
    try {
      await stop();
    } finally {
      await simulator.close();
      clock.close();
      rmSync(folder, { recursive: true });
    }
  });

  /** Of leads.json: what each sent that was not answered with an error. */
  const syncs = () =>
    simulator.rest.calls
      .filter(({ method, path, code, body }) => method === 'POST' && path === '/rest/v1/leads.json' && code === '' && body)
      .map(({ at, body = '' }) => {
        const { input, lookupField } = /** @type {{input: Record<string, any>[], lookupField: string}} */ (JSON.parse(body));
        return { at, input, lookupField };
      });

  const world = {
    folder,
    db: db || join(folder, 'queue.db'),
    simulator,
    clock,
    syncs,
    start,
    stop,
    /** What runs another server with the same settings, for runServer. @returns {[string[], Record<string, string>]} */
    command: () => [['--listen', '127.0.0.1:0', ...settings.args], settings.env],
    get url() {
      return server?.url ?? '';
    },
    output: () => server?.output() ?? '',

    /** The syncs of one lead: when, and what was sent beside its key. @param {string} email */
    syncsOf: (email) =>
      syncs().flatMap(({ at, input, lookupField }) => {
        const id = simulator.leads.get(email)?.id;
        return input
          .filter((record) => (lookupField === 'id' ? record.id === id : record[lookupField] === email))
          .map(({ [lookupField]: key, ...sent }) => ({ at, key, sent }));
      }),

    /**
     * As a server does. Resolves with the answer, whatever it is.
     * @param {string} path
     * @param {unknown} body
     * @param {{agent?: import('node:http').Agent, headers?: Record<string, string>}} [options]
     */
    post(path, body, { agent, headers = {} } = {}) {
      return request(`${world.url}${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: AUTHORIZATION, ...headers },
        body: JSON.stringify(body),
        agent,
      });
    },

    /** Posts what has to be taken. @param {string} path @param {unknown} body */
    async send(path, body) {
      const { status, json } = await world.post(path, body);
      if (status !== 200 || json?.success !== true) throw new Error(`${path} was answered ${status} ${JSON.stringify(json)}`);
    },

    /** @param {string} email @param {object} traits @param {object} [more] */
    identify: (email, traits, more = {}) => world.send('/v1/identify', { traits: { email, ...traits }, ...more }),

    state: () =>
      `${JSON.stringify(simulator.rest.callsByPath)}, ${simulator.leadsById.size} leads, ${simulator.events.length} events\n${world.output()}`,

    /** Resolves once `condition` holds, at this very time. @param {() => unknown} condition */
    until: (condition) => until(condition, world.state),

    /**
     * Lets time go by until `condition` holds.
     * @param {() => unknown} condition
     * @param {{step?: number, timeout?: number}} [options] `step` is how much goes by between two looks
     */
    async drive(condition, { step = 1000, timeout = 20_000 } = {}) {
      const end = Date.now() + timeout;
      while (!condition()) {
        if (Date.now() > end) throw new Error(`This did not come in ${timeout} ms: ${condition}\n${world.state()}`);
        clock.advance(step);
        // The server looks at a moved clock every 20 ms; what it sends then has to arrive.
        await delay(25);
      }
    },

    /** Resolves once nothing that was accepted is still to be sorted into what waits. */
    async carriedOut() {
      const status = () => JSON.parse(command(['status', '--json', '--db', world.db]).stdout);
      while (status().messagesWaiting > 0) await delay(20);
    },

    /**
     * Lets all go that is due by now: sends a lead of its own, and waits for it to arrive.
     * @param {string} email
     */
    async letPass(email) {
      await world.identify(email, { firstName: 'Marker' });
      await world.drive(() => world.syncsOf(email).length > 0);
    },
  };
  await start();
  return world;
}
