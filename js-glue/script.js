/**
 * The script tag: takes over the <head> snippet's stub if there is one, and its own tag's
 * attributes if there is not.
 */

import { createAnalytics } from './analytics.js';
import { startEmbedded } from './embedded.js';
import { extrasOnPage } from './start.js';

/** Where the API goes if the name that it should have is somebody else's, say Segment's. */
const OTHER_GLOBAL = 'munchkinAnalytics';

/**
 * What the snippet leaves on its stub, an array of calls, under the name munchkinShim.
 * @typedef {{id: string, options: import('./analytics.js').Options}
 *   & import('./delivery.js').HeadStart} Stub
 */

/** An attribute's value: none is true, JSON is what it says, all else is text. @param {any} text @returns {any} */
const valueOf = (text) => {
  try {
    return text === '' || JSON.parse(text);
  } catch (reason) {
    return text;
  }
};

function run() {
  const { currentScript } = document; // an image of that name, if there is one
  const script = /** @type {any} */ (currentScript instanceof HTMLScriptElement && currentScript);
  const { munchkinId, global: wanted, ...attributes } = script.dataset || {};
  const page = /** @type {any} */ (window);

  /**
   * Elements with the id "analytics" are properties of the window too, and frames of that name, which may be of another
   * origin: both can be focused, and no other property of both may be looked at.
   * @param {string} name
   */
  const owner = (name) => (page[name]?.focus ? undefined : page[name]);
  let name = wanted || 'analytics';
  if (owner(name) && !owner(name).munchkinShim) {
    console.warn('munchkin-shim:', OTHER_GLOBAL);
    name = OTHER_GLOBAL;
  }
  const existing = owner(name);
  /** @type {Stub | undefined} */
  const stub = existing?.munchkinShim;
  if (existing && !stub?.options) return; // this script has run already

  /** A file of the same build; of a script that is from nowhere, as by a blob: URL, there is none. @param {string} name */
  const beside = (name) => {
    try {
      return new URL(name, script.src).href;
    } catch (reason) {
      return '';
    }
  };
  const nonce = script.nonce;
  const analytics = createAnalytics(
    (options) => startEmbedded({ fallbackUrl: beside('munchkin-shim.asm.js'), nonce, ...options }),
    (options) => extrasOnPage(beside('munchkin-shim.extras.js'), options.nonce || nonce),
    existing || {},
  );
  /** @type {any} */ (analytics).munchkinShim = true;
  page[name] = analytics;

  if (stub) {
    analytics.load(stub.id, stub.options, stub, existing.splice(0));
  } else if (munchkinId) {
    /** @type {Record<string, any>} */
    const options = { nonce };
    for (const key in attributes) options[key] = valueOf(attributes[key]);
    analytics.load(munchkinId, options);
  }
}

run();
