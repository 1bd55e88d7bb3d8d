/**
 * What the snippet has besides where a visitor is asked first: nothing is loaded, not even the shim, before the yes.
 */

import { forgetVisitor } from './consent.js';
import { hasOptedOut } from './delivery.js';
import { callSafely } from './events.js';

/** Methods that send something; all others of the stub keep waiting after a no. */
const SENDING = 'page track identify group alias pageview'.split(' ');

/**
 * @param {any} page the window
 * @param {string} name of the global that the snippet has made
 * @param {Record<string, string>} tag attributes of the shim's script tag, to be added after the yes
 */
export function awaitConsent(page, name, tag) {
  const stub = [page[name], page.munchkinAnalytics].find((candidate) => candidate?.munchkinShim?.options);
  if (!stub) return;
  hasOptedOut(); // what the URL says of that is noted
  const { options } = stub.munchkinShim;
  let isLoading = false;

  /** Ends a call, unless it only asks for something that waits. @param {any[]} entry */
  const refuse = (entry) => {
    if (typeof entry?.[2] !== 'function' || !entry[1]?.map) return; // others may have put there what is no call
    const [type, args, resolve] = entry;
    if (!SENDING.includes(type)) return void Array.prototype.push.call(stub, entry);
    const result = { ok: true, type, sent: false, skipped: 'no_consent' };
    queueMicrotask(() => {
      callSafely(args.find((/** @type {unknown} */ value) => typeof value === 'function'), result);
      resolve(result);
    });
  };

  /** @param {boolean} given */
  stub.consent = (given) => {
    options.consent = given === true && !(options.honourGpc && page.navigator.globalPrivacyControl);
    delete stub.push;
    if (!options.consent) {
      stub.splice(0).forEach(refuse);
      // Assigning to it fails where the page has frozen the prototype of arrays.
      Object.defineProperty(stub, 'push', { value: refuse, configurable: true });
      forgetVisitor(options);
    } else if (!isLoading) {
      isLoading = true;
      const script = document.createElement('script');
      for (const [attribute, value] of Object.entries(tag)) script.setAttribute(attribute, value);
      document.head.append(script);
    }
  };
  if (options.consent === false || (options.honourGpc && page.navigator.globalPrivacyControl)) stub.consent(false);
}
