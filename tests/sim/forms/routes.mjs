import { setTimeout as delay } from 'node:timers/promises';
import { answer, answerJson, readBody, RequestError } from '../http.mjs';
import { installForms } from './library.mjs';
import { decodeSubmission } from './submission.mjs';

/** @typedef {import('./submission.mjs').FormSubmission} FormSubmission */

/**
 * Forms 2.0: the library, the descriptions of forms and what takes submissions, under the faults that a test has set.
 *
 * @param {object} options
 * @param {(number | string)[]} options.forms  the ids of the forms that there are; all without fields of their own
 * @param {(event: Omit<FormSubmission, 'number'>) => {number: number}} options.receive
 * @param {import('../faults.mjs').Faults} options.faults
 * @param {import('../clock.mjs').Clock} options.clock
 * @param {AbortSignal} options.closing  ends waiting answers when the simulator stops
 * @returns {import('../http.mjs').Route[]}
 */
export function formRoutes({ forms, receive, faults, clock, closing }) {
  /** @param {string | null | undefined} id */
  function checkForm(id) {
    if (!forms.some((known) => String(known) === id)) {
      throw new RequestError(404, 'form_unknown', `There is no form ${id}; there are ${forms.join(', ')}.`);
    }
  }

  /** @param {string | null | undefined} munchkinId */
  function checkMunchkinId(munchkinId) {
    if (!munchkinId) throw new RequestError(400, 'munchkin_id_missing', 'munchkinId says whose form it is.');
  }

  /** @param {import('../http.mjs').Exchange} exchange */
  async function serveLibrary({ response }) {
    if (faults.hang) return;
    if (faults.formsDelayMs > 0) await delay(faults.formsDelayMs, undefined, { signal: closing });
    const source = faults.formsStatus === 200 ? `(${installForms})();\n` : '';
    answer(response, faults.formsStatus, 'text/javascript; charset=utf-8', source);
  }

  /**
   * As JSONP, which is how the library asks, or plain.
   *
   * @param {import('../http.mjs').Exchange} exchange
   */
  function describeForm({ response, query }) {
    checkMunchkinId(query.get('munchkinId'));
    checkForm(query.get('form'));
    const id = Number(query.get('form'));
    const descriptor = JSON.stringify({ Id: id, Vid: id, Status: 'approved', SubmitLabel: 'Submit', rows: [] });
    const callback = query.get('callback');
    if (callback === null) {
      answer(response, 200, 'application/json; charset=utf-8', descriptor);
    } else if (/^[\w$]+$/.test(callback)) {
      answer(response, 200, 'text/javascript; charset=utf-8', `${callback}(${descriptor});\n`);
    } else {
      throw new RequestError(400, 'callback_invalid', 'callback must be the name of a function.');
    }
  }

  /** @param {import('../http.mjs').Exchange} exchange */
  async function takeSubmission({ request, response }) {
    const submission = decodeSubmission({
      at: clock.now(),
      method: request.method ?? '',
      userAgent: request.headers['user-agent'] ?? '',
      parameters: new URLSearchParams(await readBody(request)),
    });
    if (faults.submissionDelayMs > 0) await delay(faults.submissionDelayMs, undefined, { signal: closing });
    if (faults.submissionStatus !== 200) {
      answerJson(response, faults.submissionStatus, { error: true });
      return;
    }
    checkMunchkinId(submission.munchkinId);
    checkForm(submission.formId);
    const { number } = receive(submission);
    // Without a follow-up page of the form's own, the visitor is to see the same page again.
    answerJson(response, 200, { formId: submission.formId, followUpUrl: '', aliId: String(number) });
  }

  return [
    { method: 'GET', path: /^\/js\/forms2\/js\/forms2(\.min)?\.js$/, handle: serveLibrary },
    { method: 'GET', path: /^\/index\.php\/form\/getForm$/, handle: describeForm },
    { method: 'POST', path: /^\/index\.php\/leadCapture\/save2$/, handle: takeSubmission },
  ];
}
