/** Starting the rules on a page: WebAssembly, or the same C as JavaScript where that is refused. */

import { connectCore, startCore } from './core.js';
import { addScript, scriptRun } from './munchkin.js';

/**
 * @param {{fallbackUrl?: string, nonce?: string}} options
 * @returns {Promise<import('./core.js').Core>}
 */
export async function startOnPage({ fallbackUrl, nonce }) {
  try {
    return await startCore();
  } catch (reason) {
    if (!fallbackUrl) throw reason;
    await scriptRun(addScript(fallbackUrl, nonce));
    return connectCore(/** @type {any} */ (globalThis).munchkinShimAsm);
  }
}
