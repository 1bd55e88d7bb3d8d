/**
 * Runs what tests the C, natively and as a server, in a build that counts, and prints which of its lines and branches
 * were run. Fails below the goals. FOLDER/index.html shows each line.
 *
 *     node tests/coverage.mjs FOLDER    with the build: `make coverage`
 */

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** In per cent. What has no goal is told all the same. */
const GOALS = [
  { part: 'src/core/', line: 98, branch: 95 },
  { part: 'src/server/', line: 90, branch: 0 },
];

const folder = process.argv[2];
const summary = join(folder, 'coverage.json');

/** @param {string} program @param {string[]} args @param {Record<string, string>} [env] */
function run(program, args, env = {}) {
  const { status, error } = spawnSync(program, args, { env: { ...process.env, ...env }, stdio: 'inherit' });
  if (error) throw error;
  return status === 0;
}

// What was counted before would be added to.
for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (file.endsWith('.gcda')) rmSync(join(folder, file));
}

/** What takes long, and runs no line that others do not: what is killed counts nothing. */
const SLOW = ['!/crash.test', '!/poison.test', '!/nameserver.test', '!/outage.test'];

const passed = run('node', ['tests/run.mjs', folder, 'tests/server/', ...SLOW], {
  UNIT_TESTS: folder,
  MUNCHKIN_SERVER: join(process.cwd(), folder, 'munchkin-server'),
  QUEUE_DRIVER: join(process.cwd(), folder, 'queue-driver'),
});

const reported = run('gcovr', [
  ...['--root', '.', '--filter', 'src/core/', '--filter', 'src/server/', join(folder, 'core'), join(folder, 'server')],
  // Of a throw, which C has not, and of code that no branch leads to, which gcc leaves behind.
  ...['--exclude-throw-branches', '--exclude-unreachable-branches'],
  ...['--json-summary', summary, '--html-details', join(folder, 'index.html'), '--html-title', 'munchkin-shim'],
]);
if (!reported) throw new Error('gcovr made no report.');

/**
 * @typedef {{line_covered: number, line_total: number, branch_covered: number, branch_total: number}} Counts
 * @typedef {Counts & {filename: string}} FileCounts
 */

/** @type {FileCounts[]} */
const files = JSON.parse(readFileSync(summary, 'utf8')).files;

/** @param {number} covered @param {number} total */
const percent = (covered, total) => (total === 0 ? 100 : (100 * covered) / total);

/** Never rounded up to what it is not. @param {number} covered @param {number} total */
const shown = (covered, total) => `${(Math.floor(10 * percent(covered, total)) / 10).toFixed(1)} %`.padStart(9);

/** @param {string} name @param {Counts} counts */
function print(name, counts) {
  const lines = `${counts.line_covered}/${counts.line_total}`.padStart(12) + shown(counts.line_covered, counts.line_total);
  const branches = `${counts.branch_covered}/${counts.branch_total}`.padStart(12) + shown(counts.branch_covered, counts.branch_total);
  console.log(`${name.padEnd(40)}${lines}${branches}`);
}

console.log(`\n${''.padEnd(40)}${'lines'.padStart(21)}${'branches'.padStart(21)}`);
let reached = true;
for (const { part, line, branch } of GOALS) {
  const total = { line_covered: 0, line_total: 0, branch_covered: 0, branch_total: 0 };
  for (const file of files.filter(({ filename }) => filename.startsWith(part))) {
    print(file.filename, file);
    for (const count of /** @type {(keyof Counts)[]} */ (Object.keys(total))) total[count] += file[count];
  }
  print(`all of ${part}`, total);
  const lines = percent(total.line_covered, total.line_total);
  const branches = percent(total.branch_covered, total.branch_total);
  const enough = total.line_total > 0 && lines >= line && branches >= branch;
  console.log(`goal of ${part}: ${line} % of the lines, ${branch} % of the branches: ${enough ? 'reached' : 'MISSED'}\n`);
  reached &&= enough;
}
console.log(`Each line is in ${join(folder, 'index.html')}`);
if (!passed) console.log('Tests failed: look above the table.');
process.exitCode = passed && reached ? 0 : 1;
