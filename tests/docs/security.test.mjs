/** SECURITY.md names a test for each promise, and each test that it names is there. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const ROOT = new URL('../../', import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, ROOT), 'utf8');

/**
 * The rows of the tables of promises.
 * @param {string} text Markdown
 * @returns {{promise: string, tests: string[]}[]}
 */
function promisesOf(text) {
  return [...text.matchAll(/^\| promise \| tests \|\n\| --- \| --- \|\n((?:\|.*\|\n)+)/gm)]
    .flatMap(([, rows]) => rows.trim().split('\n'))
    .map((row) => {
      const [, promise, tests] = /^\| (.*) \| (.*) \|$/.exec(row) ?? [];
      return { promise: String(promise), tests: String(tests).split('<br>') };
    });
}

/** The names of the tests in a file, with "…" for what is put in. @param {string} path */
function testsIn(path) {
  const source = read(path);
  if (path.endsWith('.c')) return [...source.matchAll(/(?:cmocka_unit_test\w*|TEST)\((\w+)/g)].map(([, name]) => name);
  return [...source.matchAll(/\b(?:test|it)\(\s*(['"`])((?:\\.|(?!\1).)*)\1/g)].map(([, , name]) => name.replace(/\$\{.*?\}/g, '…').replace(/\\(.)/g, '$1'));
}

/** What is wrong with a test as it is named; '' if nothing is. @param {string} named */
function faultOf(named) {
  const [, target] = /^`make (\w+)`$/.exec(named) ?? [];
  if (target) return new RegExp(`^${target}:`, 'm').test(read('Makefile')) ? '' : `There is no make ${target}.`;
  const [, path, name] = /^`(tests\/[\w./-]+)`: (.+)$/.exec(named) ?? [];
  if (!path) return `This names no test: ${named}`;
  if (!existsSync(new URL(path, ROOT))) return `There is no ${path}.`;
  return testsIn(path).includes(name) ? '' : `${path} has no test "${name}".`;
}

test('each promise of SECURITY.md names tests, which are there', () => {
  const promises = promisesOf(read('SECURITY.md'));
  assert.ok(promises.length > 30, `${promises.length} promises are read`);
  assert.deepEqual(promises.flatMap(({ tests }) => tests.map(faultOf)).filter(Boolean), []);
  const twice = promises.map(({ promise }) => promise).filter((promise, index, all) => all.indexOf(promise) !== index);
  assert.deepEqual(twice, []);
});

test('a test that is not there, a file that is not there, and what is no test are found out', () => {
  assert.equal(faultOf('`tests/docs/security.test.mjs`: each promise of SECURITY.md names tests, which are there'), '');
  assert.equal(faultOf('`tests/server/crash.test.mjs`: a repeated messageId is stored once, across … too'), '');
  assert.equal(faultOf('`tests/unit/secret_test.c`: test_memory'), '');
  assert.equal(faultOf('`make test`'), '');
  for (const wrong of [
    '`tests/docs/security.test.mjs`: another one',
    '`tests/unit/secret_test.c`: test_mem',
    '`tests/docs/insecurity.test.mjs`: anything',
    '`make sure`',
    'tests/docs/security.test.mjs',
    '',
  ]) {
    assert.notEqual(faultOf(wrong), '', wrong);
  }
  assert.deepEqual(promisesOf('| promise | tests |\n| --- | --- |\n| a | `make test`<br>`make lint` |\n'), [
    { promise: 'a', tests: ['`make test`', '`make lint`'] },
  ]);
});

test('SECURITY.md says how to report, what is supported and what is known not to hold', () => {
  const text = read('SECURITY.md');
  for (const heading of ['Reporting a vulnerability', 'Supported versions', 'Known limits']) assert.match(text, new RegExp(`^## ${heading}$`, 'm'));
  assert.match(read('README.md'), /\]\(SECURITY\.md\)/);
});
