/** The packed package as those see it who install it: its package.json, its files and its types. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build, pack, run } from './tarball.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** @type {string} */
let tarball;

before(async () => {
  assert.ok(existsSync(`${HERE}node_modules`), 'The linters are missing: run npm ci --prefix tests/package');
  tarball = await pack('lint');
});

/** @param {string} name @param {string[]} args */
const linter = (name, args) => run(`${HERE}node_modules/.bin/${name}`, args, HERE);

test('publint finds nothing', async () => {
  const output = await linter('publint', ['run', tarball, '--strict']);
  assert.match(output, /All good!/);
});

/** What is no module: files that pages or other tools load. The simulator is a module for import only. */
const files = Object.keys(exports).filter((entry) => ['.js', '.wasm', '.html', '.json'].includes(extname(entry)));

test('attw finds the types of every module right, by import and by require', async () => {
  // node16: TypeScript's oldest resolution, "node10", knows no subpaths in `exports` at all.
  const excluded = [...files, './simulator'].map((entry) => entry.slice(2));
  await linter('attw', [tarball, '--profile', 'node16', '--exclude-entrypoints', ...excluded]);
});

test('attw finds the types of the simulator right, by import', async () => {
  await linter('attw', [tarball, '--profile', 'esm-only', '--entrypoints', 'simulator']);
});

test('TypeScript compiles a program that uses every module, by import and by require', async () => {
  await build('typescript', tarball);
});
