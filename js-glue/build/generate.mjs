/**
 * Writes what js-glue imports as #generated/*: the sentences of src/core/status.h and the
 * WebAssembly module as text.
 *
 *     node js-glue/build/generate.mjs build/munchkin_shim.wasm build/generated
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStatuses } from './statuses.mjs';

const [wasmPath, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

const inBrowser = ['MS_CORE_ERRORS', 'MS_GLUE_ERRORS'];
const sentences = readStatuses()
  .filter(({ list }) => inBrowser.includes(list))
  .map(({ code, sentence }) => [code, sentence]);
writeFileSync(
  join(folder, 'sentences.js'),
  `/** @type {Record<string, string>} */\nexport const sentences = ${JSON.stringify(Object.fromEntries(sentences), null, 2)};\n`,
);

/**
 * The module as text. Hexadecimal survives everything; the script tag's build, which is read as UTF-8
 * for sure, has a shorter text put in by bundle.mjs.
 */
writeFileSync(
  join(folder, 'wasm.js'),
  `const hex = '${readFileSync(wasmPath, 'hex')}';
/** @returns {Uint8Array<ArrayBuffer>} the WebAssembly module */
export const wasmBytes = () => Uint8Array.from(/** @type {string[]} */ (hex.match(/../g)), (byte) => parseInt(byte, 16));
`,
);
writeFileSync(
  join(folder, 'wasm-text.js'),
  `/** @returns {Uint8Array<ArrayBuffer>} the WebAssembly module */
export const wasmBytes = () => Uint8Array.from('WASM', (c) => (c === '#' ? 0 : c.charCodeAt(0)));
`,
);
