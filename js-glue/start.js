/** Starting the rules on a page: WebAssembly, or the same C as JavaScript where that is missing or refused. */

import { addScript, inTime, scriptRun } from './munchkin.js';
import { createHost } from './rules.js';

/** Runs another file of ours. @param {string} url @param {string} [nonce] */
const runFile = (url, nonce) => inTime(scriptRun(addScript(url, nonce)));

/**
 * Rejects where neither can be had.
 * @param {(imports: import('./rules.js').CoreImports) => Promise<WebAssembly.Instance>} instantiate not on the main thread
 * @param {{fallbackUrl?: string, nonce?: string}} options
 * @returns {Promise<import('./rules.js').Rules>}
 */
export async function startRules(instantiate, { fallbackUrl, nonce }) {
  const host = createHost();
  try {
    host.connect(/** @type {any} */ ((await instantiate(host.imports)).exports));
  } catch (reason) {
    if (!fallbackUrl) throw reason;
    await runFile(fallbackUrl, nonce);
    host.connect(/** @type {any} */ (window).munchkinShimAsm(host.imports));
  }
  return host.call;
}

/**
 * The extras of the script tag's build, from a file beside it. Rejects if that cannot be loaded.
 * @param {string | undefined} url
 * @param {string} [nonce]
 * @returns {Promise<typeof import('./extras.js')>}
 */
export async function extrasOnPage(url, nonce) {
  await runFile(String(url), nonce);
  const { munchkinShimExtras } = /** @type {any} */ (window);
  // Some sites answer with a page where there is no file.
  if (!munchkinShimExtras) throw url;
  return munchkinShimExtras;
}
