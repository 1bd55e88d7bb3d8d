/**
 * Fuzzes all targets, and the runtimes beside each other, for a time each, as many at once as there are cores; ends with a
 * table. Fails on the first thing that any of them finds, once all have had their time.
 *
 *     node tests/fuzz/main.mjs SECONDS [TARGET]...      `make fuzz TIME=30`; a number in SEED repeats a run, as far as it gets
 *     node tests/fuzz/main.mjs --keep [TARGET]...       adds to the kept corpus what was found and does something new
 */

import { availableParallelism } from 'node:os';
import { keepInputs, keptInputs, lineOf, readFolder } from './corpus.mjs';
import { compareRuntimes } from './differential.mjs';
import { seedsOf } from './seeds.mjs';
import { fuzz, merge, prepare, TARGETS } from './targets.mjs';

/** As large as a file of the corpus may get. */
const KEPT_BYTES = 22_000;

const DIFFERENTIAL = 'runtimes';

const [first = '30', ...wanted] = process.argv.slice(2);
const names = [...TARGETS, DIFFERENTIAL].filter((name) => wanted.length === 0 || wanted.includes(name));
for (const name of wanted.filter((name) => !names.includes(name))) throw new Error(`There is no target called ${name}.`);

/** @typedef {import('./targets.mjs').Outcome} Outcome */

/** Starts `work` for all names, as many at once as there are cores. @param {string[]} names @param {(name: string) => Promise<Outcome>} work */
async function forEach(names, work) {
  /** @type {Outcome[]} */
  const outcomes = [];
  const left = [...names];
  const next = async () => {
    for (let name = left.shift(); name; name = left.shift()) {
      const outcome = await work(name);
      outcomes.push(outcome);
      console.log(`  ${outcome.ok ? 'done  ' : 'FAILED'} ${name}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
  return outcomes.sort((a, b) => names.indexOf(a.target) - names.indexOf(b.target));
}

/** @param {Outcome[]} outcomes */
function printTable(outcomes) {
  const lines = [['target', 'executions', 'corpus', 'edges'], ...outcomes.map(({ target, executions, corpus, edges }) => [target, ...[executions, corpus, edges].map((n) => (n > 0 ? n.toLocaleString('en') : '-'))])];
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  console.log('');
  for (const line of lines) console.log(`  ${line.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  ')}`);
}

/** @param {Outcome} outcome */
function printFailure({ target, log, input }) {
  console.log(`\n${target} failed:\n\n${log.split('\n').filter((line) => !/^#\d+\s+(NEW|REDUCE|pulse|INITED)/.test(line)).slice(-60).join('\n')}`);
  if (input && target !== DIFFERENTIAL) console.log(`\nThe input is in ${input}. Run it again with: build/fuzz/${target} ${input}`);
}

async function fuzzAll(/** @type {number} */ seconds) {
  const atOnce = availableParallelism();
  const minutes = (Math.ceil(names.length / atOnce) * seconds) / 60;
  console.log(`Fuzzing ${names.length} targets for ${seconds} s each, ${atOnce} at once: about ${minutes.toFixed(1)} min`);
  prepare(names.filter((name) => name !== DIFFERENTIAL));
  const outcomes = await forEach(names, (name) => (name === DIFFERENTIAL ? compareRuntimes({ seconds, seed: Number(process.env.SEED) || undefined }) : fuzz(name, seconds)));
  for (const outcome of outcomes.filter(({ ok }) => !ok)) printFailure(outcome);
  printTable(outcomes);
  const failed = outcomes.filter(({ ok }) => !ok).map(({ target }) => target);
  console.log(failed.length > 0 ? `\nFailed: ${failed.join(', ')}` : '\nNothing found.');
  process.exitCode = failed.length > 0 ? 1 : 0;
}

/** What was kept stays, before what is new, of which the shortest come first. @param {string} target @param {Buffer[]} merged */
function chosen(target, merged) {
  const lines = (/** @type {Buffer[]} */ inputs) => new Set(inputs.map(lineOf));
  const [known, seeds] = [lines(keptInputs(target)), lines(seedsOf(target))];
  const rank = (/** @type {Buffer} */ input) => (known.has(lineOf(input)) ? 0 : 1);
  const inputs = merged.filter((input) => !seeds.has(lineOf(input))).sort((a, b) => rank(a) - rank(b) || a.length - b.length);
  let bytes = 0;
  return inputs.filter((input) => (bytes += lineOf(input).length + 1) <= KEPT_BYTES);
}

async function keepAll() {
  const targets = names.filter((name) => name !== DIFFERENTIAL);
  prepare(targets);
  const folder = (/** @type {string} */ target) => `build/fuzz/merged/${target}`;
  const outcomes = await forEach(targets, (target) => merge(target, folder(target)));
  for (const { target, ok } of outcomes) {
    if (!ok) throw new Error(`The inputs of ${target} cannot be merged: make fuzz shows why.`);
    const inputs = chosen(target, readFolder(folder(target)));
    keepInputs(target, inputs);
    console.log(`  tests/fuzz/corpus/${target}.txt: ${inputs.length} inputs, ${inputs.reduce((sum, { length }) => sum + length, 0)} bytes`);
  }
}

if (first === '--keep') await keepAll();
else if (Number(first) >= 1) await fuzzAll(Number(first));
else throw new Error(`${first} is no time in seconds.`);
