/** Munchkin, Marketo's tracker: loaded asynchronously, once, or the page's own if it has one. */

/**
 * @typedef {object} Munchkin
 * @property {(munchkinId: string, config?: object) => void} init
 * @property {(call: string, fields: object, hash?: string) => void} munchkinFunction
 */

export const MUNCHKIN_URL = '//munchkin.marketo.net/munchkin.js';

/** How long anything may take before the calls that wait for it end. */
const TIMEOUT_MS = 10000;

/** What a script has left on the page, which is no element with that id. @param {any} name @param {string} method @returns {any} */
export const onPage = (name, method) => (typeof /** @type {any} */ (window)[name]?.[method] === 'function' ? window[name] : undefined);

/** @returns {Munchkin | undefined} */
export const munchkinOnPage = () => onPage('Munchkin', 'munchkinFunction');

/** Where Trusted Types are required, a URL becomes a script's by a policy only. @type {any} */
let policy;

/** @param {string} url @returns {string} */
function trusted(url) {
  if (!policy) {
    policy = { createScriptURL: (/** @type {string} */ text) => text };
    try {
      policy = /** @type {any} */ (window).trustedTypes.createPolicy('munchkin-shim', policy);
    } catch (reason) {
      // There are none; or the page does not allow ours, and its default policy may let the URL pass.
    }
  }
  return policy.createScriptURL(url);
}

/**
 * Adds a script to the page, which runs as soon as it is there: the page does not wait for it.
 * @param {string} url
 * @param {string} [nonce]
 * @returns {HTMLScriptElement}
 */
export const addScript = (url, nonce) => {
  const script = document.createElement('script');
  script.src = trusted(url);
  if (nonce) script.nonce = nonce;
  document.documentElement.append(script);
  return script;
};

/**
 * @param {HTMLScriptElement} script
 * @returns {Promise<unknown>} resolved once it has run; rejected if it cannot be loaded
 */
export const scriptRun = (script) =>
  new Promise((resolve, reject) => {
    script.addEventListener('error', reject);
    script.addEventListener('load', resolve);
  });

/**
 * What the <head> snippet has begun before the shim arrived, and what has become of Munchkin since.
 * @typedef {object} HeadStart
 * @property {HTMLScriptElement} [script] munchkin.js; the snippet initialises it
 * @property {1} [failed] it cannot be loaded
 * @property {string} [href] the page when Munchkin was initialised: it records that visit itself
 */

/**
 * Resolves with a Munchkin that is initialised, however late it comes; rejects if it cannot be loaded.
 *
 * @param {string} munchkinId
 * @param {{munchkin?: object, munchkinUrl?: string, nonce?: string}} options
 * @param {HeadStart} headStart
 * @param {() => Promise<void>} permission without it Munchkin is not initialised, when it would set its cookie
 * @returns {Promise<Munchkin>}
 */
export async function loadMunchkin(munchkinId, options, headStart, permission) {
  const there = munchkinOnPage();
  if (there) {
    headStart.href ??= location.href;
    return there;
  }
  if (headStart.href || headStart.failed) throw headStart;
  const script = headStart.script || addScript(options.munchkinUrl || MUNCHKIN_URL, options.nonce);
  await scriptRun(script);
  const munchkin = munchkinOnPage();
  if (!munchkin) throw script;
  if (!headStart.script) {
    await permission();
    headStart.href = location.href;
    munchkin.init(munchkinId, options.munchkin);
  }
  return munchkin;
}

/**
 * Gives up waiting after a while.
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export const inTime = (promise) =>
  Promise.race([
    promise,
    new Promise((_, reject) => {
      setTimeout(reject, TIMEOUT_MS);
    }),
  ]);
