import { readFileSync } from 'node:fs';
import { moveClock } from './clock.mjs';
import { clearFaults, replaceFaults } from './faults.mjs';
import { answer, answerJson, readBody, RequestError } from './http.mjs';

/**
 * How people and tests in other processes see what the simulator received, and steer it.
 *
 * @param {object} options
 * @param {import('./event-log.mjs').EventLog} options.log
 * @param {import('./leads.mjs').Leads} options.leads
 * @param {import('./faults.mjs').Faults} options.faults
 * @param {import('./clock.mjs').Clock} options.clock
 * @param {import('./traffic.mjs').TrafficControl} options.rest
 * @param {import('./traffic.mjs').TrafficControl} options.soap
 * @param {() => void} options.forget  what else there is to forget
 * @returns {import('./http.mjs').Route[]}
 */
export function inspectionRoutes(options) {
  const { log, leads, faults, clock, rest, soap } = options;

  /** @param {import('./http.mjs').Exchange} exchange */
  function listEvents({ response, query }) {
    const since = wholeNumber('since', query.get('since') ?? '0');
    const type = query.get('type');
    const wanted = log.events.filter((event) => event.number > since && (!type || event.type === type));
    answerJson(response, 200, wanted);
  }

  /**
   * Server-sent events: all that were received, then each new one. A browser that reconnects names the last one it saw.
   *
   * @param {import('./http.mjs').Exchange} exchange
   */
  function streamEvents({ request, response, query }) {
    const since = wholeNumber('Last-Event-ID', String(request.headers['last-event-id'] ?? query.get('since') ?? '0'));
    response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store' });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    /** @param {import('./web-event.mjs').WebEvent | null} event */
    function write(event) {
      response.write(event ? `id: ${event.number}\ndata: ${JSON.stringify(event)}\n\n` : 'event: reset\ndata:\n\n');
    }
    // A first line at once shows the client that the stream is open.
    response.write('retry: 500\n\n');
    for (const event of log.events) {
      if (event.number > since) write(event);
    }
    response.on('close', log.subscribe(write));
  }

  /** @param {import('./http.mjs').Exchange} exchange */
  async function putFaults({ request, response }) {
    replaceFaults(faults, await readBody(request));
    answerJson(response, 200, faults);
  }

  /** @param {import('./http.mjs').Exchange} exchange */
  async function postClock({ request, response }) {
    moveClock(clock, await readBody(request));
    answerJson(response, 200, { now: clock.now() });
  }

  /** @param {import('./http.mjs').Exchange} exchange */
  function listLeads({ response, query }) {
    const email = query.get('email');
    const wanted = email === null ? [...leads.byId.values()] : leads.find('Email', email);
    answerJson(response, 200, wanted.map(summaryOf));
  }

  /**
   * @param {import('./http.mjs').Exchange} exchange
   * @param {import('./traffic.mjs').Traffic} traffic
   */
  function showTraffic({ response, query }, traffic) {
    const since = wholeNumber('since', query.get('since') ?? '0');
    answerJson(response, 200, { ...traffic, calls: traffic.calls.slice(since) });
  }

  /** @param {import('./http.mjs').Exchange} exchange */
  async function reset({ request, response }) {
    await readBody(request);
    resetAll(options);
    answerJson(response, 200, { reset: true });
  }

  return [
    { method: 'GET', path: /^\/_sim\/events$/, handle: listEvents },
    { method: 'GET', path: /^\/_sim\/events\/stream$/, handle: streamEvents },
    { method: 'GET', path: /^\/_sim\/leads$/, handle: listLeads },
    { method: 'GET', path: /^\/_sim\/rest$/, handle: (exchange) => showTraffic(exchange, rest.traffic) },
    { method: 'GET', path: /^\/_sim\/soap$/, handle: (exchange) => showTraffic(exchange, soap.traffic) },
    { method: 'GET', path: /^\/_sim\/clock$/, handle: ({ response }) => answerJson(response, 200, { now: clock.now() }) },
    { method: 'POST', path: /^\/_sim\/clock$/, handle: postClock },
    { method: 'POST', path: /^\/_sim\/reset$/, handle: reset },
    { method: 'GET', path: /^\/_sim\/faults$/, handle: ({ response }) => answerJson(response, 200, faults) },
    { method: 'PUT', path: /^\/_sim\/faults$/, handle: putFaults },
    fileRoute(/^\/$/, 'live.html', 'text/html; charset=utf-8'),
    fileRoute(/^\/_sim\/live\.mjs$/, 'live.mjs', 'text/javascript; charset=utf-8'),
  ];
}

/**
 * Back to the state at the start: no events, no leads, no faults, no calls, the machine's time.
 *
 * @param {Parameters<typeof inspectionRoutes>[0]} state
 */
export function resetAll({ log, leads, faults, clock, rest, soap, forget }) {
  log.clear();
  leads.clear();
  clearFaults(faults);
  clock.clear();
  rest.clear();
  soap.clear();
  forget();
}

/**
 * A lead, with no more of its visits than tells them apart.
 *
 * @param {import('./leads.mjs').Lead} lead
 */
function summaryOf(lead) {
  const visits = lead.visits.map(({ number, type, path, params, link }) => ({ number, type, path, params, link }));
  return { ...lead, visits };
}

/**
 * @param {string} name
 * @param {string} text
 */
function wholeNumber(name, text) {
  if (!/^\d{1,15}$/.test(text)) throw new RequestError(400, 'number_invalid', `${name} must be a whole number.`);
  return Number(text);
}

/**
 * @param {RegExp} path
 * @param {string} file  beside this one
 * @param {string} contentType
 * @returns {import('./http.mjs').Route}
 */
function fileRoute(path, file, contentType) {
  const text = readFileSync(new URL(`live/${file}`, import.meta.url), 'utf8');
  return { method: 'GET', path, handle: ({ response }) => answer(response, 200, contentType, text) };
}
