/**
 * The kept corpus: corpus/TARGET.txt, an input a line, with what is not printable as "\xNN" and a backslash as "\\". So what
 * was kept can be read, and a change of it be reviewed.
 */

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

const FOLDER = new URL('corpus/', import.meta.url);

/** @param {Buffer} input */
export function lineOf(input) {
  return Array.from(input, (byte) => {
    if (byte === 0x5c) return '\\\\';
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}

/** @param {string} line */
function inputOf(line) {
  const text = line.replace(/\\(\\|x[0-9a-f]{2})/g, (_, escape) => (escape === '\\' ? '\\' : String.fromCharCode(parseInt(escape.slice(1), 16))));
  return Buffer.from(text, 'latin1');
}

/** @param {string} target @returns {Buffer[]} */
export function keptInputs(target) {
  const file = new URL(`${target}.txt`, FOLDER);
  return existsSync(file) ? readFileSync(file, 'latin1').split('\n').slice(0, -1).map(inputOf) : [];
}

/** @param {string} target @param {Buffer[]} inputs */
export function keepInputs(target, inputs) {
  const lines = inputs.map(lineOf).sort();
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(new URL(`${target}.txt`, FOLDER), lines.map((line) => `${line}\n`).join(''));
}

/** Writes inputs into a folder of their own, as libFuzzer reads them. @param {string} folder @param {Buffer[]} inputs */
export function writeFolder(folder, inputs) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [i, input] of inputs.entries()) writeFileSync(`${folder}/${String(i).padStart(5, '0')}`, input);
}

/** @param {string} folder @returns {Buffer[]} */
export function readFolder(folder) {
  return existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`)) : [];
}
