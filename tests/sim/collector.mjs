import { answer, readBody } from './http.mjs';
import { decodeWebEvent } from './web-event.mjs';

/**
 * The collector: takes what trackers send. Older ones fetch an image with GET, newer ones POST; both put the parameters
 * in the query string. Parameters in a form body are taken too.
 *
 * @param {object} options
 * @param {(event: Omit<import('./web-event.mjs').WebEvent, 'number'>) => void} options.receive
 * @param {import('./faults.mjs').Faults} options.faults
 * @param {string} [options.privateKey]
 * @returns {import('./http.mjs').Route[]}
 */
export function collectorRoutes({ receive, faults, privateKey }) {
  /** @param {import('./http.mjs').Exchange} exchange */
  async function collect({ request, response, match, query }) {
    const body = await readBody(request);
    if (faults.eventsStatus === 200) {
      const received = {
        type: match[1],
        method: request.method ?? '',
        userAgent: request.headers['user-agent'] ?? '',
        parameters: [...query, ...new URLSearchParams(body)],
      };
      receive(decodeWebEvent(received, privateKey));
    }
    answer(response, faults.eventsStatus, 'text/plain; charset=utf-8', '');
  }

  const path = /^\/webevents\/([\w-]+)$/;
  return [
    { method: 'GET', path, handle: collect },
    { method: 'POST', path, handle: collect },
  ];
}
