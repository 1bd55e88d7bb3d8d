/**
 * The script tag: takes over the <head> snippet's stub if there is one, and its own tag's
 * attributes if there is not.
 */

import { createAnalytics } from './analytics.js';
import { startOnPage } from './start.js';

/** Where the API goes if the name that it should have is somebody else's, say Segment's. */
const OTHER_GLOBAL = 'munchkinAnalytics';

/**
 * What the snippet leaves on its stub, an array of calls, under the name munchkinShim.
 * @typedef {{id: string, options: import('./analytics.js').Options}
 *   & import('./delivery.js').HeadStart} Stub
 */

/** @param {string | undefined} text @returns {any} */
function parsed(text) {
  try {
    return text && JSON.parse(text);
  } catch (reason) {
    console.warn('munchkin-shim: data-munchkin is not JSON.', reason);
  }
}

function run() {
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const { munchkinId, server, munchkinUrl, storage, hashRouting, munchkin, global: wanted } = script?.dataset || {};
  const page = /** @type {any} */ (window);

  /** Elements with the id "analytics" are properties of the window too. @param {string} name */
  const owner = (name) => (page[name] instanceof Node ? undefined : page[name]);
  let name = wanted || 'analytics';
  if (owner(name) && !owner(name).munchkinShim) {
    console.warn(`munchkin-shim: ${name} is taken, so this is ${OTHER_GLOBAL}; data-global chooses another.`);
    name = OTHER_GLOBAL;
  }
  const existing = owner(name);
  /** @type {Stub | undefined} */
  const stub = existing?.munchkinShim;
  if (existing && !stub?.options) return; // this script has run already

  /** @param {import('./analytics.js').Options} options */
  const start = (options) => {
    const fallbackUrl = script?.src && new URL('munchkin-shim.asm.js', script.src).href;
    return startOnPage({ nonce: script?.nonce, fallbackUrl, ...options });
  };
  const analytics = createAnalytics(start, existing || {});
  page[name] = analytics;
  /** @type {any} */ (analytics).munchkinShim = true;

  if (stub) {
    analytics.load(stub.id, stub.options, stub, existing.splice(0));
  } else if (munchkinId) {
    analytics.load(munchkinId, {
      server,
      munchkinUrl,
      nonce: script?.nonce,
      storage: storage === 'memory' ? 'memory' : 'local',
      hashRouting: hashRouting !== undefined && hashRouting !== 'false',
      munchkin: parsed(munchkin),
    });
  }
}

run();
