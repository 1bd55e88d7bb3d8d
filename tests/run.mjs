/**
 * Runs all tests, native and in Node.js, and ends with their counts.
 *
 *     node tests/run.mjs [part of a file's name, or ! and one of those to leave out]...
 *
 * UNIT_TESTS names another folder than build/ with the native ones; SERVERS_AT_ONCE is how many files of tests/server/ run
 * at the same time, if their server needs the processor for longer than it does by itself.
 */

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const parts = process.argv.slice(2).filter((part) => !part.startsWith('!'));
const without = process.argv.slice(2).flatMap((part) => (part.startsWith('!') ? [part.slice(1)] : []));
const folder = process.env.UNIT_TESTS || 'build';
/** @param {string} file */
const isWanted = (file) =>
  (parts.length === 0 || parts.some((part) => file.includes(part))) && !without.some((part) => file.includes(part));
const started = Date.now();
const counts = { passed: 0, failed: 0, skipped: 0 };

const atOnce = availableParallelism();

/** A cmocka program, in build/ under AddressSanitizer and UndefinedBehaviorSanitizer. @param {string} program */
async function runProgram(program) {
  const { stdout, stderr, error } = await new Promise((resolve) => {
    execFile(program, ['tests/vectors'], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => resolve({ error, stdout, stderr }));
  });
  const output = `${stdout}${stderr}`;
  const passed = Number(/\[ {2}PASSED {2}\] (\d+) test/.exec(output)?.[1] || 0);
  const failed = Number(/\[ {2}FAILED {2}\] .*?(\d+) test/.exec(output)?.[1] || 0);
  console.log(`\n${program}${error ? `\n${output || error}` : ''}\n  ${passed} passed`);
  counts.passed += passed;
  counts.failed += failed || (error ? 1 : 0);
}

const programs = readdirSync('tests/unit')
  .filter((file) => file.endsWith('_test.c'))
  .map((source) => `${folder}/${source.replace('_test.c', '-test')}`)
  .filter(isWanted);
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let program = programs.shift(); program; program = programs.shift()) await runProgram(program);
  }),
);

const files = ['unit', 'fuzz', 'server', 'browser', 'adapters', 'docs', 'package']
  .flatMap((kind) => readdirSync(`tests/${kind}`).map((file) => `tests/${kind}/${file}`))
  .filter((file) => file.endsWith('.test.mjs') && isWanted(file));

const isOfServer = (/** @type {string} */ file) => file.startsWith('tests/server/');

/** Each file is a process of its own. What hangs, fails. @param {string[]} files @param {number} concurrency */
async function runFiles(files, concurrency) {
  if (files.length === 0) return;
  const stream = run({ files, concurrency, timeout: Number(process.env.TEST_TIMEOUT_MS) || 300_000 });
  stream.on('test:diagnostic', ({ message }) => {
    const [, kind, count] = /^(pass|fail|cancelled|skipped) (\d+)$/.exec(message) || [];
    if (kind === 'pass') counts.passed += Number(count);
    else if (kind === 'skipped') counts.skipped += Number(count);
    else if (kind) counts.failed += Number(count);
  });
  for await (const text of stream.compose(new spec())) process.stdout.write(text);
}

// Servers wait most of the time, for a disk, a clock or a line that they are kept from; browsers do not.
await runFiles(files.filter(isOfServer), Number(process.env.SERVERS_AT_ONCE) || 2 * atOnce);
await runFiles(files.filter((file) => !isOfServer(file)), atOnce);
console.log(`\nTook ${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
