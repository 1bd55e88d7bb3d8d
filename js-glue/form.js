/**
 * A hidden Marketo form, submitted through Marketo's own library, Forms 2.0: what makes a visitor a known lead
 * without a server, now that associateLead is withdrawn.
 */

import { inTime, scriptRun } from './munchkin.js';
import { failure } from './outcome.js';

/** @typedef {typeof import('./munchkin.js').addScript} AddScript */

const LIBRARY_PATH = '/js/forms2/js/forms2';

/** Forms 2.0, if it is on the page. @returns {any} */
function formsOnPage() {
  const { MktoForms2 } = /** @type {any} */ (window);
  return typeof MktoForms2?.loadForm === 'function' ? MktoForms2 : undefined;
}

/** Scripts that were to bring it and have come to nothing: they tell no more. @type {WeakSet<Element>} */
const failed = new WeakSet();

/** Rejects if it cannot be loaded. @param {AddScript} addScript @param {string} base @param {string} [nonce] */
async function loadForms(addScript, base, nonce) {
  if (formsOnPage()) return;
  // A second copy would know nothing of the forms that the page has loaded with its own, so that one is awaited.
  const pages = /** @type {HTMLScriptElement[]} */ ([...document.querySelectorAll(`script[src*="${LIBRARY_PATH}"]`)]);
  const script = pages.find((candidate) => !failed.has(candidate)) || addScript(`${base}${LIBRARY_PATH}.min.js`, nonce);
  try {
    await scriptRun(script);
    if (!formsOnPage()) throw script;
  } catch (reason) {
    failed.add(script);
    throw reason;
  }
}

/** @typedef {import('./outcome.js').Outcome} Outcome */

/**
 * Loads nothing before the first lead is sent.
 *
 * @param {AddScript} addScript of the shim that this is for
 * @param {string} munchkinId like 123-ABC-456
 * @param {object} options
 * @param {string} [options.formsUrl] the origin that serves Forms 2.0, say https://app-sj01.marketo.com
 * @param {string | number} [options.formId] of a form without fields of its own, approved in Marketo
 * @param {string} [options.nonce]
 * @param {() => Outcome | undefined} [refusal] how a lead ends whose visitor does not want to be tracked any more
 */
export function createFormSender(addScript, munchkinId, { formsUrl, formId, nonce }, refusal = () => undefined) {
  const base = String(formsUrl).replace(/\/+$/, '');
  /** @type {Promise<unknown> | undefined} */
  let loading;
  /** @type {Promise<unknown>} */
  let earlier = Promise.resolve();

  /** @param {Record<string, string>} fields @returns {Promise<Outcome>} */
  const submit = async (fields) => {
    let refused = refusal();
    if (refused) return refused;
    if (!formsUrl || !formId) return failure('form_missing');
    // One that hangs is awaited once, and may still come; after one that has failed the next lead may have more luck.
    loading ??= inTime(
      loadForms(addScript, base, nonce).catch(() => {
        loading = undefined;
      }),
    ).catch(() => {});
    await loading;
    refused = refusal();
    if (refused) return refused;
    const forms = formsOnPage(); // also one that came late
    if (!forms) return failure('form_blocked');
    // The library draws the form into the first element with this id. In the head that is no element of the page's,
    // and nobody sees it.
    const element = document.createElement('form');
    element.id = `mktoForm_${formId}`;
    let isOver = false;
    try {
      document.head.appendChild(element);
      /** @type {Promise<Outcome>} */
      const submitted = new Promise((resolve, reject) => {
        /** @param {any} form */
        const fill = (form) => {
          // After its time it would overtake a later lead.
          if (isOver) return;
          try {
            refused = refusal();
            if (refused) return resolve(refused);
            form.addHiddenFields(fields);
            form.onSuccess(() => {
              resolve({ ok: true, sent: true, call: ['submit', fields] });
              return false; // the visitor stays on the page
            });
            form.submit();
          } catch (reason) {
            reject(reason);
          }
        };
        // A form of its own for each lead: no field stays from the one before. The library finishes it after this call.
        forms.loadForm(base, munchkinId, formId, (/** @type {any} */ form) => setTimeout(fill, 0, form));
      });
      return await inTime(submitted);
    } catch (reason) {
      return failure('form_failed', reason ? String(reason) : undefined);
    } finally {
      isOver = true;
      element.remove();
    }
  };

  return {
    /**
     * Sends a lead, once those before it have been sent or given up. Never rejects.
     * @param {Record<string, string | number | boolean>} fields by Marketo's names
     * @returns {Promise<Outcome>}
     */
    send(fields) {
      // At once, since the caller may change its object; as texts, so that the library need not know what false is.
      const texts = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
      const submission = earlier.then(() => submit(texts));
      earlier = submission;
      return submission;
    },
  };
}
