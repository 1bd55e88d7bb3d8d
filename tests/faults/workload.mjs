/**
 * A small workload against a server that sends to the simulator: each kind of request once, by a client that tries
 * again as ours and Segment's do, and all of it on its way to Marketo. Whatever fails in the server meanwhile, an
 * answer is right, or is 503 with Retry-After, or there is none; and what was answered with 200 or 202 arrives.
 */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { request } from '../server/http_client.mjs';
import { basic, cookieOf, intakeFor, REST, WRITE_KEY } from '../server/intake.mjs';
import { FAULTY_SERVER, KEY, ORIGIN } from '../server/server_process.mjs';
import { createFaults } from './faults.mjs';

const MINUTE = 60_000;
const ATTEMPTS = 30;
const THROUGH = 20;

/** @typedef {Awaited<ReturnType<typeof faultyWorld>>} FaultyWorld */

/**
 * @param {import('node:test').TestContext} t
 * @param {{args?: string[], env?: Record<string, string>, simulator?: import('../sim/simulator.mjs').SimulatorOptions}} [options]
 */
export async function faultyWorld(t, { args = [], env = REST, simulator: simulated = {} } = {}) {
  const faults = createFaults(t);
  const intake = await intakeFor(t, {
    args: ['--threads', '1', ...args],
    env: { ...env, MARKETO_API_PRIVATE_KEY: KEY, ...faults.env },
    binary: FAULTY_SERVER,
    simulator: simulated,
  });
  const { simulator } = intake;
  let count = 0;
  /** @type {Set<string>} the e-mails of leads, and the paths of visits, that were taken */
  const taken = new Set();

  /**
   * One request, until it is taken.
   * @param {string} path
   * @param {Record<string, string>} headers
   * @param {string | Buffer} body
   * @returns {Promise<import('../server/http_client.mjs').Answer>}
   */
  async function insist(path, headers, body) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const answer = await request(`${intake.server.url}${path}`, { method: 'POST', headers, body }).catch(() => null);
      if (!answer) {
        // A connection that ends is an answer that never came; a process that ended is not.
        process.kill(intake.server.pid, 0);
        continue;
      }
      if (answer.status === 200 || answer.status === 202) return answer;
      const said = `${path} was answered ${answer.status} ${answer.body}`;
      assert.equal(answer.status, 503, said);
      assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/, said);
      assert.match(String(answer.json?.error), /^(not_stored|queue_full)$/, said);
      await delay(10);
    }
    throw new Error(`${path} is not taken in ${ATTEMPTS} attempts: ${intake.server.output()}`);
  }

  const ofPage = { 'Content-Type': 'text/plain;charset=UTF-8', Origin: ORIGIN };
  const ofServer = { 'Content-Type': 'application/json', Authorization: basic(WRITE_KEY) };

  const operations = {
    async hash() {
      const email = `hash${count++}@example.com`;
      const { json, headers } = await insist('/v1/hash', ofPage, JSON.stringify({ email }));
      assert.deepEqual(json, { hash: createHash('sha1').update(KEY + email).digest('hex') });
      assert.equal(headers['access-control-allow-origin'], ORIGIN);
    },
    async lead() {
      const email = `lead${count++}@example.com`;
      const body = { userId: `${count}`, traits: { email, name: 'Ada Lovelace' }, cookie: cookieOf(count) };
      const { json, headers } = await insist('/v1/lead', ofPage, JSON.stringify(body));
      assert.deepEqual(json, { queued: true });
      assert.equal(headers['access-control-allow-origin'], ORIGIN);
      taken.add(email);
    },
    async identify() {
      const email = `identify${count++}@example.com`;
      const body = { userId: `${count}`, messageId: email, traits: { email, company: { name: 'Analytical Engines' } } };
      assert.deepEqual((await insist('/v1/identify', ofServer, JSON.stringify(body))).json, { success: true });
      taken.add(email);
    },
    async batch() {
      const email = `batch${count++}@example.com`;
      const context = { Marketo: { marketoCookie: cookieOf(count) }, userAgent: 'a browser' };
      const batch = [
        { type: 'identify', messageId: email, traits: { email, title: 'Countess' }, context },
        { type: 'page', messageId: `/${email}`, properties: { url: `https://www.example.com/${email}` }, context },
        // More than is unpacked in one step.
        { type: 'group', messageId: `group-${email}`, traits: { text: randomBytes(12_000).toString('hex') } },
      ];
      const body = gzipSync(JSON.stringify({ batch }));
      const headers = { ...ofServer, 'Content-Encoding': 'gzip' };
      assert.deepEqual((await insist('/v1/batch', headers, body)).json, { success: true });
      taken.add(email).add(`/${email}`);
    },
  };

  /** What was taken and has not arrived. */
  function missing() {
    const paths = new Set(simulator.events.map(({ query }) => query._mchRu));
    return [...taken].filter((name) => (name.startsWith('/') ? !paths.has(name) : !simulator.leads.has(name)));
  }

  /** Resolves once all that was taken has arrived. Time goes by, when it does not come at once. */
  async function arrived() {
    const end = Date.now() + 20_000;
    for (let look = 1; missing().length > 0; look++) {
      assert.ok(Date.now() < end, `These were taken and never arrived: ${missing()}\n${intake.server.output()}`);
      if (look % 10 === 0) intake.advance(MINUTE);
      await delay(5);
    }
    taken.clear();
    simulator.events.length = 0;
  }

  /** All of it. */
  async function work() {
    for (const operation of Object.values(operations)) await operation();
    await arrived();
  }

  return {
    intake,
    faults,
    operations,
    taken,
    arrived,
    work,

    /**
     * Does it again and again, each time with the next call failing, until it comes through with none. What goes on
     * beside it has calls, too: that it comes through must be so for a while.
     * @param {string} name
     * @param {import('./faults.mjs').Fault} fault
     * @param {{work?: () => Promise<void>, step?: number}} [options]
     */
    async sweep(name, fault, { work: repeated = work, step = 1 } = {}) {
      let hit = 0;
      for (let n = 1, through = 0; through < THROUGH; n += step) {
        faults.arm(name, fault, n);
        await repeated();
        const failed = faults.failed() > 0;
        faults.disarm();
        hit += failed ? 1 : 0;
        through = failed ? 0 : through + 1;
      }
      // And then all is well.
      await repeated();
      return hit;
    },
  };
}
