/** Starting the rules on a page: WebAssembly, or the same C as JavaScript where that is missing or refused. */

import { addScript, onPage, scriptRun } from './munchkin.js';
import { createHost } from './rules.js';

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
    await scriptRun(addScript(fallbackUrl, nonce));
    host.connect(/** @type {any} */ (window).munchkinShimAsm(host.imports));
  }
  return host.call;
}

/**
 * The extras of the script tag's build, from a file beside it, however late it comes. Rejects if that cannot be loaded.
 * @param {any} url
 * @param {string} [nonce]
 * @returns {Promise<typeof import('./extras.js')>}
 */
export async function extrasOnPage(url, nonce) {
  const extras = () => onPage('munchkinShimExtras', 'createOutbox');
  if (!extras()) await scriptRun(addScript(url, nonce));
  // Some sites answer with a page where there is no file.
  if (!extras()) throw url;
  return extras();
}
