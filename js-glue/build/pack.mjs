/**
 * Packs what is built as npm would publish it, and prints where it is and its size.
 *
 *     node js-glue/build/pack.mjs build
 *
 * The same files make the same tarball, byte by byte. npm sees to times, owners and order, but takes the files' modes, which
 * follow the umask that they were checked out and built under: so it is given a copy whose modes do not.
 */

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import './check-built.mjs';

/**
 * Without the scripts of package.json: the check is made already, and is not in the copy.
 * @param {string[]} args @returns {{filename: string, files: {path: string}[]}} what npm packed, or would
 */
function npmPack(...args) {
  return JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', ...args], { encoding: 'utf8' }))[0];
}

/** @param {string} path @param {string} copy */
function copyWithPlainMode(path, copy) {
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(path, copy);
  chmodSync(copy, statSync(path).mode & 0o100 ? 0o755 : 0o644);
}

const [folder] = process.argv.slice(2);
const staged = mkdtempSync(join(tmpdir(), 'munchkin-pack-'));
try {
  for (const { path } of npmPack('--dry-run').files) copyWithPlainMode(path, join(staged, path));
  const path = join(folder, npmPack('--pack-destination', resolve(folder), staged).filename);
  console.log(`${path}: ${statSync(path).size} bytes`);
} finally {
  rmSync(staged, { recursive: true });
}
