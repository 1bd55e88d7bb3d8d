/** The fuzz targets, and one run of one of them. */

import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { keptInputs, writeFolder } from './corpus.mjs';
import { dictionary, seedsOf } from './seeds.mjs';

/** The longest input that is made up; the time a single one may take; memory. */
const LIMITS = ['-max_len=4096', '-timeout=10', '-rss_limit_mb=2560', '-malloc_limit_mb=1024'];

const DICTIONARY = 'build/fuzz/words.dict';
const FAILURES = 'build/fuzz/failures';

export const TARGETS = readdirSync(fileURLToPath(new URL('targets/', import.meta.url)))
  .filter((file) => file.endsWith('.c'))
  .map((file) => file.slice(0, -2))
  .sort();

/** Where a target's inputs are while it runs. @param {string} target */
export const folders = (target) => ({ found: `build/fuzz/found/${target}`, kept: `build/fuzz/kept/${target}`, seeds: `build/fuzz/seeds/${target}` });

/** Writes the kept corpus, the seeds and the words to where libFuzzer reads them. @param {string[]} targets */
export function prepare(targets) {
  mkdirSync(FAILURES, { recursive: true });
  writeFileSync(DICTIONARY, dictionary());
  for (const target of targets) {
    const { found, kept, seeds } = folders(target);
    mkdirSync(found, { recursive: true });
    writeFolder(kept, keptInputs(target));
    writeFolder(seeds, seedsOf(target));
  }
}

/**
 * @typedef {object} Outcome
 * @property {string} target
 * @property {boolean} ok
 * @property {number} executions
 * @property {number} corpus  inputs that each do what no other does
 * @property {number} edges   of the control flow, that were passed
 * @property {string} log
 * @property {string} [input] that failed
 */

/** @param {RegExp} pattern @param {string} log */
const lastNumber = (pattern, log) => Number([...log.matchAll(pattern)].at(-1)?.[1] ?? 0);

/** Runs a target with more flags; inputs that do something new go to the first of the folders. @param {string} target @param {string[]} flags @param {string[]} inputs @returns {Promise<Outcome>} */
export function runTarget(target, flags, inputs) {
  const failures = `${FAILURES}/${target}-`;
  const args = [...LIMITS, `-artifact_prefix=${failures}`, '-print_final_stats=1', ...flags, ...inputs];
  const child = spawn(`build/fuzz/${target}`, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('latin1').on('data', (text) => (log += text));
  return new Promise((resolve) => {
    const done = (/** @type {boolean} */ ok) =>
      resolve({
        target,
        ok,
        executions: lastNumber(/stat::number_of_executed_units: (\d+)/g, log) || lastNumber(/^#(\d+)/gm, log),
        corpus: lastNumber(/ corp: (\d+)\//g, log),
        edges: lastNumber(/ cov: (\d+) /g, log),
        log,
        input: /Test unit written to (\S+)/.exec(log)?.[1],
      });
    child.on('error', (reason) => ((log += `${reason}`), done(false)));
    child.on('close', (status) => done(status === 0));
  });
}

/** Makes up inputs for so many seconds, from all that there are. @param {string} target @param {number} seconds */
export function fuzz(target, seconds) {
  const { found, kept, seeds } = folders(target);
  const seed = process.env.SEED ? [`-seed=${process.env.SEED}`] : [];
  return runTarget(target, [`-max_total_time=${seconds}`, `-dict=${DICTIONARY}`, ...seed], [found, kept, seeds]);
}

/** Only what there is, once. @param {string} target */
export function replay(target) {
  const { kept, seeds } = folders(target);
  return runTarget(target, ['-runs=0'], [kept, seeds]);
}

/**
 * Of all that was kept and found, as little as does what it did together and the seeds alone do not; in a folder of its own,
 * with the seeds. @param {string} target @param {string} folder
 */
export function merge(target, folder) {
  const { found, kept } = folders(target);
  writeFolder(folder, seedsOf(target));
  return runTarget(target, ['-merge=1'], [folder, kept, found]);
}
