/**
 * Writes and prints the hashes for Subresource Integrity of the files that pages load by a tag.
 *
 *     node js-glue/build/integrity.mjs
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** @type {Record<string, string>} */
const integrity = {};
for (const file of readdirSync('dist').sort()) {
  if (!/^munchkin-shim.*\.js$/.test(file)) continue;
  integrity[file] = `sha384-${createHash('sha384').update(readFileSync(`dist/${file}`)).digest('base64')}`;
  console.log(`  dist/${file}: ${integrity[file]}`);
}
writeFileSync('dist/integrity.json', `${JSON.stringify(integrity, null, 2)}\n`);
