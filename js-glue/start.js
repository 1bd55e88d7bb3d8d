/** Starting the rules on a page: WebAssembly, or the same C as JavaScript where that is refused. */

import { addScript, scriptRun } from './munchkin.js';
import { connectRules, startRules } from './rules.js';

/**
 * @param {{fallbackUrl?: string, nonce?: string}} options
 * @returns {Promise<import('./rules.js').Rules>}
 */
export async function startOnPage({ fallbackUrl, nonce }) {
  try {
    return await startRules();
  } catch (reason) {
    if (!fallbackUrl) throw reason;
    await scriptRun(addScript(fallbackUrl, nonce));
    return connectRules(/** @type {any} */ (globalThis).munchkinShimAsm);
  }
}
