import { answerFault, holdBack, isCarriedOut, takeCallFault } from './call-faults.mjs';
import { answer, readBody } from './http.mjs';
import { decodeWebEvent } from './web-event.mjs';

/**
 * The collector: takes what trackers send, and servers in their place. Older trackers fetch an image with GET, newer
 * ones POST; both put the parameters in the query string. Parameters in a form body are taken too.
 *
 * @param {object} options
 * @param {(event: Omit<import('./web-event.mjs').WebEvent, 'number'>) => void} options.receive
 * @param {import('./faults.mjs').Faults} options.faults
 * @param {import('./clock.mjs').Clock} options.clock
 * @param {AbortSignal} options.closing  ends waiting answers when the simulator stops
 * @param {string} [options.privateKey]
 * @returns {import('./http.mjs').Route[]}
 */
export function collectorRoutes({ receive, faults, clock, closing, privateKey }) {
  /** @param {import('./http.mjs').Exchange} exchange */
  async function collect({ request, response, match, query }) {
    const body = await readBody(request);
    const call = { method: request.method ?? '', path: match[0] };
    const fault = faults.choose?.({ ...call, query, body }) ?? takeCallFault(faults.calls, call);
    await holdBack(fault?.delayMs ?? 0, closing);
    if (faults.eventsStatus === 200 && isCarriedOut(fault)) {
      const received = {
        at: clock.now(),
        type: match[1],
        method: request.method ?? '',
        userAgent: request.headers['user-agent'] ?? '',
        parameters: [...query, ...new URLSearchParams(body)],
      };
      receive(decodeWebEvent(received, privateKey));
    }
    const type = 'text/plain; charset=utf-8';
    if (fault && answerFault(response, fault, { type, text: '' })) return;
    answer(response, faults.eventsStatus, type, '');
  }

  const path = /^\/webevents\/([\w-]+)$/;
  return [
    { method: 'GET', path, handle: collect },
    { method: 'POST', path, handle: collect },
  ];
}
