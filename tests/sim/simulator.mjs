import { once } from 'node:events';
import { createServer } from 'node:http';
import { collectorRoutes } from './collector.mjs';
import { createEventLog } from './event-log.mjs';
import { createFaults } from './faults.mjs';
import { formRoutes } from './forms/routes.mjs';
import { createRequestListener } from './http.mjs';
import { inspectionRoutes, resetAll } from './inspection.mjs';
import { rememberLead } from './leads.mjs';
import { scriptRoutes } from './munchkin/scripts.mjs';

/**
 * @typedef {object} SimulatorOptions
 * @property {number} [port]         0, the default, takes any free port
 * @property {string} [host]         127.0.0.1 by default
 * @property {string} [privateKey]   the Munchkin API private key; without it no associateLead signature is checked
 * @property {'honoured' | 'withdrawn'} [associateLead]  whether the tracker still sends associateLead
 * @property {(number | string)[]} [forms]  the ids of the forms that there are; 1001 by default
 */

/**
 * @typedef {object} Simulator
 * @property {string} url                                      origin, without a slash at the end
 * @property {import('./web-event.mjs').WebEvent[]} events     received so far
 * @property {Map<string, import('./leads.mjs').Lead>} leads   by e-mail address in lower case
 * @property {import('./faults.mjs').Faults} faults            change its properties to make things go wrong
 * @property {import('./event-log.mjs').EventLog['waitFor']} waitFor  the first event, past or to come, that satisfies the
 *   predicate; fails after `timeout` milliseconds (5000) and tells what was received
 * @property {() => void} reset                                forgets events, leads and faults
 * @property {() => Promise<void>} close                       ends at once, whatever connections are open
 */

/**
 * Plays Marketo on a local port: serves munchkin.js and Forms 2.0 and receives what they send.
 *
 * @param {SimulatorOptions} [options]
 * @returns {Promise<Simulator>}
 */
export async function startSimulator(options = {}) {
  const { port = 0, host = '127.0.0.1', privateKey, associateLead = 'honoured', forms = [1001] } = options;
  if (associateLead !== 'honoured' && associateLead !== 'withdrawn') {
    throw new TypeError(`associateLead must be "honoured" or "withdrawn", not "${associateLead}".`);
  }

  const log = createEventLog();
  /** @type {Map<string, import('./leads.mjs').Lead>} */
  const leads = new Map();
  const faults = createFaults();
  const closing = new AbortController();
  const state = { log, leads, faults };

  /** @param {Omit<import('./web-event.mjs').WebEvent, 'number'>} event */
  function receive(event) {
    // The lead first: whoever waits for the event may look at the leads right away.
    rememberLead(leads, event);
    return log.record(event);
  }

  const server = createServer(
    createRequestListener([
      ...scriptRoutes({ associateLead, faults, closing: closing.signal }),
      ...formRoutes({ forms, receive, faults, closing: closing.signal }),
      ...collectorRoutes({ faults, privateKey, receive }),
      ...inspectionRoutes(state),
    ]),
  );
  server.listen(port, host);
  await once(server, 'listening');

  /** @type {Promise<void> | undefined} */
  let closed;

  async function close() {
    closing.abort();
    log.close();
    const serverClosed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await serverClosed;
  }

  return {
    url: originOf(server, host),
    events: log.events,
    leads,
    faults,
    waitFor: log.waitFor,
    reset: () => resetAll(state),
    close: () => (closed ??= close()),
  };
}

/**
 * @param {import('node:http').Server} server
 * @param {string} host
 */
function originOf(server, host) {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  // "Every interface" is an address to listen on, not one to connect to.
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
