/** The rules of the WebAssembly module that is in the script itself. */

import { startRules } from './start.js';
import { wasmBytes } from '#generated/wasm.js';

/** @param {{fallbackUrl?: string, nonce?: string}} options */
export const startEmbedded = (options) =>
  startRules(async (imports) => (await WebAssembly.instantiate(wasmBytes(), imports)).instance, options);
