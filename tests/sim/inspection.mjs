import { readFileSync } from 'node:fs';
import { clearFaults, replaceFaults } from './faults.mjs';
import { answer, answerJson, readBody, RequestError } from './http.mjs';

/**
 * How people and tests in other processes see what the simulator received, and steer it.
 *
 * @param {object} options
 * @param {import('./event-log.mjs').EventLog} options.log
 * @param {Map<string, import('./leads.mjs').Lead>} options.leads
 * @param {import('./faults.mjs').Faults} options.faults
 * @returns {import('./http.mjs').Route[]}
 */
export function inspectionRoutes({ log, leads, faults }) {
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
  async function reset({ request, response }) {
    await readBody(request);
    resetAll({ log, leads, faults });
    answerJson(response, 200, { reset: true });
  }

  return [
    { method: 'GET', path: /^\/_sim\/events$/, handle: listEvents },
    { method: 'GET', path: /^\/_sim\/events\/stream$/, handle: streamEvents },
    { method: 'GET', path: /^\/_sim\/leads$/, handle: ({ response }) => answerJson(response, 200, [...leads.values()]) },
    { method: 'POST', path: /^\/_sim\/reset$/, handle: reset },
    { method: 'GET', path: /^\/_sim\/faults$/, handle: ({ response }) => answerJson(response, 200, faults) },
    { method: 'PUT', path: /^\/_sim\/faults$/, handle: putFaults },
    fileRoute(/^\/$/, 'live.html', 'text/html; charset=utf-8'),
    fileRoute(/^\/_sim\/live\.mjs$/, 'live.mjs', 'text/javascript; charset=utf-8'),
  ];
}

/**
 * Back to the state at the start: no events, no leads, no faults.
 *
 * @param {Parameters<typeof inspectionRoutes>[0]} state
 */
export function resetAll({ log, leads, faults }) {
  log.clear();
  leads.clear();
  clearFaults(faults);
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
