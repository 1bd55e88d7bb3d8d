/**
 * Writes what js-glue imports as #generated/*: the sentences of src/core/status.h and the
 * WebAssembly modules as text.
 *
 *     node js-glue/build/generate.mjs build/munchkin_shim.wasm build/munchkin_signer.wasm build/generated
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStatuses } from './statuses.mjs';

const [wasmPath, signerPath, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

/** Sentences of status.h by code, as a module's constant. @param {string} name @param {string[]} lists */
function sentences(name, lists) {
  const entries = readStatuses()
    .filter(({ list }) => lists.includes(list))
    .map(({ code, sentence }) => [code, sentence]);
  const written = JSON.stringify(Object.fromEntries(entries), null, 2);
  return `/** @type {Record<string, string>} */\nexport const ${name} = ${written};\n`;
}

const GLUE = ['MS_CORE_ERRORS', 'MS_GLUE_ERRORS'];
const EXTRAS = ['MS_FORM_ERRORS', 'MS_OUTBOX_ERRORS'];
writeFileSync(join(folder, 'sentences.js'), sentences('sentences', [...GLUE, ...EXTRAS]));
writeFileSync(join(folder, 'extras-sentences.js'), sentences('sentences', EXTRAS));
// For the script tag's build, where every byte is paid for by all visitors: there a message says no more than its code.
writeFileSync(join(folder, 'page-sentences.js'), 'export const sentences = undefined;\n');
writeFileSync(join(folder, 'server-sentences.js'), sentences('sentences', ['MS_CORE_ERRORS', 'MS_SERVER_ERRORS']));

/**
 * The module as text. Hexadecimal survives everything; the script tag's build, which is read as UTF-8
 * for sure, has a shorter text put in by bundle.mjs.
 */
/** @param {string} file @param {string} name of the function @param {string} path */
function writeHexadecimal(file, name, path) {
  writeFileSync(
    join(folder, file),
    `const hex = '${readFileSync(path, 'hex')}';
/** @returns {Uint8Array<ArrayBuffer>} the WebAssembly module */
export const ${name} = () => Uint8Array.from(/** @type {string[]} */ (hex.match(/../g)), (byte) => parseInt(byte, 16));
`,
  );
}
writeHexadecimal('wasm.js', 'wasmBytes', wasmPath);
writeHexadecimal('signer-wasm.js', 'signerBytes', signerPath);

writeFileSync(
  join(folder, 'wasm-text.js'),
  `/** @returns {Uint8Array<ArrayBuffer>} the WebAssembly module */
export const wasmBytes = () => Uint8Array.from('WASM', (c) => (c === '#' ? 0 : c.charCodeAt(0)));
`,
);
