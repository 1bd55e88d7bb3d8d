/**
 * Packs what is built as npm would publish it, and prints where it is and its size.
 *
 *     node js-glue/build/pack.mjs build
 */

import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { encoding: 'utf8' }));
const path = join(folder, filename);
console.log(`${path}: ${statSync(path).size} bytes`);
