/**
 * Writes the files that browsers fetch as C, compressed ahead (see assets.h).
 *
 *     node src/server/embed.mjs dist build/generated/assets.c
 */

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const [folder, output] = process.argv.slice(2);

const files = {
  'munchkin-shim.js': 'text/javascript; charset=utf-8',
  'munchkin-shim.asm.js': 'text/javascript; charset=utf-8',
  'munchkin-shim.extras.js': 'text/javascript; charset=utf-8',
  'munchkin-shim.mjs': 'text/javascript; charset=utf-8',
  'munchkin_shim.wasm': 'application/wasm',
  'snippet.html': 'text/html; charset=utf-8',
  'snippet-consent.html': 'text/html; charset=utf-8',
  'LICENSES.txt': 'text/plain; charset=utf-8',
};

/** @param {Buffer[]} buffers */
const fingerprint = (...buffers) => {
  const hash = createHash('sha256');
  for (const buffer of buffers) hash.update(buffer);
  return hash.digest('hex').slice(0, 16);
};

/** @param {Buffer} bytes */
const asC = (bytes) => `"${[...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}"`;

const assets = Object.entries(files).map(([name, type]) => {
  const identity = readFileSync(join(folder, name));
  const brotli = brotliCompressSync(identity, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  const gzip = gzipSync(identity, { level: 9 });
  const tag = fingerprint(identity);
  return { name, type, identity, text: `    {"/${name}", "${type}",
     {${[identity, brotli, gzip].map((bytes) => `{${asC(bytes)}, ${bytes.length}}`).join(',\n      ')}},
     {"\\"${tag}\\"", "\\"${tag}-br\\"", "\\"${tag}-gz\\""}},\n` };
});

writeFileSync(output, `/* Made by src/server/embed.mjs. */
#include "assets.h"

const char ms_release[] = "${fingerprint(...assets.map(({ identity }) => identity))}";
const size_t ms_asset_count = ${assets.length};
const ms_asset ms_assets[] = {
${assets.map(({ text }) => text).join('')}};
`);
