import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import { createClock } from './clock.mjs';
import { collectorRoutes } from './collector.mjs';
import { createEventLog } from './event-log.mjs';
import { createFaults } from './faults.mjs';
import { createFields } from './fields.mjs';
import { formRoutes } from './forms/routes.mjs';
import { createRequestListener } from './http.mjs';
import { inspectionRoutes, resetAll } from './inspection.mjs';
import { createLeads } from './leads.mjs';
import { scriptRoutes } from './munchkin/scripts.mjs';
import { restRoutes } from './rest/routes.mjs';
import { createTokens } from './rest/token.mjs';
import { soapRoutes } from './soap/routes.mjs';
import { createTraffic } from './traffic.mjs';

/**
 * @typedef {import('./web-event.mjs').WebEvent} WebEvent
 * @typedef {import('./leads.mjs').Lead} Lead
 */

/**
 * @typedef {object} SimulatorOptions
 * @property {number} [port]         0, the default, takes any free port
 * @property {string} [host]         127.0.0.1 by default
 * @property {string} [privateKey]   the Munchkin API private key; without it no associateLead signature is checked
 * @property {'honoured' | 'withdrawn'} [associateLead]  whether the tracker still sends associateLead
 * @property {(number | string)[]} [forms]  the ids of the forms that there are; 1001 by default
 * @property {{id: string, secret: string}} [restClient]  the API user of REST; without it nobody gets a token
 * @property {Partial<import('./traffic.mjs').Limits>} [restLimits]  in place of Marketo's
 * @property {boolean} [keepBodies]  those of REST calls stay with the calls, for tests of what was sent
 * @property {{id: string, key: string}} [soapUser]  the user id and the encryption key of SOAP; without it nobody is let in
 * @property {Partial<import('./traffic.mjs').Limits>} [soapLimits]
 * @property {import('./fields.mjs').FieldOptions[]} [fields]  of leads, beside the standard ones
 */

/**
 * @typedef {object} Simulator
 * @property {string} url                                      origin, without a slash at the end
 * @property {WebEvent[]} events                               received so far
 * @property {Map<string, Lead>} leads                         by e-mail address in lower case; the oldest of several
 * @property {Map<number, Lead>} leadsById                     all of them, those without an address too
 * @property {import('./faults.mjs').Faults} faults            change its properties to make things go wrong
 * @property {import('./clock.mjs').Clock} clock               what time it is for tokens, quotas, limits and locks
 * @property {import('./traffic.mjs').Traffic} rest            the calls of REST, and its limits
 * @property {import('./traffic.mjs').Traffic} soap
 * @property {import('./event-log.mjs').EventLog['waitFor']} waitFor  the first event, past or to come, that satisfies the
 *   predicate; fails after `timeout` milliseconds (5000) and tells what was received
 * @property {() => void} reset                                back to the state at the start; only tokens stay valid
 * @property {() => Promise<void>} close                       ends at once, whatever connections are open
 */

/**
 * Plays Marketo on a local port: serves munchkin.js and Forms 2.0 and receives what they send, and answers as the REST
 * and SOAP APIs do, with one memory of leads behind all of them.
 *
 * @param {SimulatorOptions} [options]
 * @returns {Promise<Simulator>}
 */
export async function startSimulator(options = {}) {
  const { port = 0, host = '127.0.0.1', privateKey, associateLead = 'honoured', forms = [1001] } = options;
  if (associateLead !== 'honoured' && associateLead !== 'withdrawn') {
    throw new TypeError(`associateLead must be "honoured" or "withdrawn", not "${associateLead}".`);
  }

  const clock = createClock();
  const fields = createFields(options.fields ?? []);
  const leads = createLeads(clock);
  const log = createEventLog(leads.remember);
  const faults = createFaults();
  const rest = createTraffic(clock, options.restLimits ?? {});
  const soap = createTraffic(clock, { daily: 10_000, ...options.soapLimits });
  const tokens = createTokens({ client: options.restClient, clock, faults, seconds: () => rest.traffic.limits.tokenSeconds });
  const closing = new AbortController();
  // Each answer that is held back listens to it.
  setMaxListeners(0, closing.signal);
  const world = { leads, fields, clock, faults, closing: closing.signal };
  const soapApi = soapRoutes({ ...world, user: options.soapUser, control: soap });
  const state = { log, leads, faults, clock, rest, soap, forget: soapApi.clear };

  const server = createServer(
    // Headers long enough for a URI that is too long to be told so; connections kept as long as servers keep theirs.
    { maxHeaderSize: 1 << 16, keepAliveTimeout: 60_000 },
    createRequestListener([
      ...restRoutes({ ...world, control: rest, tokens, keepBodies: options.keepBodies }),
      ...soapApi.routes,
      ...collectorRoutes({ ...world, privateKey, receive: log.record }),
      ...scriptRoutes({ associateLead, faults, closing: closing.signal }),
      ...formRoutes({ ...world, forms, receive: log.record }),
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
    leads: leads.byEmail,
    leadsById: leads.byId,
    faults,
    clock,
    rest: rest.traffic,
    soap: soap.traffic,
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
