/** The packed package as those see it who install it: its package.json, its files and its types. */

import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build, pack, REPOSITORY, run } from './tarball.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const { exports, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** @type {string} */
let tarball;

before(async () => {
  assert.ok(existsSync(`${HERE}node_modules`), 'The linters are missing: run npm ci --prefix tests/package');
  tarball = await pack('lint');
});

test('make pack leaves the tarball in build/, and says so', async () => {
  const path = `build/munchkin-shim-${version}.tgz`;
  rmSync(join(REPOSITORY, path), { force: true });
  // The build is there, and other tests are reading it.
  const printed = await run('make', ['--no-print-directory', '--old-file=build', 'pack'], REPOSITORY);
  assert.equal(printed, `${path}: ${statSync(join(REPOSITORY, path)).size} bytes\n`);
});

test('the tarball has what people need of dist/, the licences, the documents and the simulator, and nothing else', async () => {
  const files = (await run('tar', ['-tzf', tarball], HERE)).trim().split('\n').map((file) => file.replace('package/', ''));
  const needed = ['LICENSE', 'README.md', 'SECURITY.md', 'web/docs/tokens.md', 'package.json', 'dist/LICENSES.txt', 'dist/integrity.json', 'tests/sim/main.mjs'];
  for (const file of needed) assert.ok(files.includes(file), file);
  const others = files.filter((file) => !/^dist\/[\w-]+(\.\w+)+$|^dist\/types(-cjs)?\/|^tests\/sim\/|^web\/docs\/[\w-]+\.md$/.test(file) && !needed.includes(file));
  assert.deepEqual(others, []);
});

test('a clone that is not built is not packed, but says what to do; npm install in it goes on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'munchkin-clone-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [clone, site] = ['clone', 'site'].map((name) => join(folder, name));
  cpSync(join(REPOSITORY, 'js-glue/build'), join(clone, 'js-glue/build'), { recursive: true });
  // Without what npm would fetch to build it.
  const manifest = { ...JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')), devDependencies: {} };
  writeFileSync(join(clone, 'package.json'), JSON.stringify(manifest));
  await run('git', ['init', '--quiet'], clone);
  await run('git', ['add', '.'], clone);
  await run('git', ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '--quiet', '-m', 'Not built'], clone);
  mkdirSync(site);
  writeFileSync(join(site, 'package.json'), '{"private": true}');

  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...quiet], clone);
  await assert.rejects(run('npm', ['pack'], clone), /Run make pack/);
  await assert.rejects(run(process.execPath, ['js-glue/build/pack.mjs', '.'], clone), /Run make pack/);
  await assert.rejects(run('npm', ['install', ...quiet, `git+file://${clone}`], site), /Run make pack/);
});

/** @param {string} name @param {string[]} args */
const linter = (name, args) => run(`${HERE}node_modules/.bin/${name}`, args, HERE);

test('publint finds nothing', async () => {
  const output = await linter('publint', ['run', tarball, '--strict']);
  assert.match(output, /All good!/);
});

/** What is no module: files that pages or other tools load. The simulator is no CommonJS module, which older versions of Node.js cannot require. */
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
