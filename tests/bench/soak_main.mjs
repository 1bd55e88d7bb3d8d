/**
 * The soak alone, as `make soak` and CI run it. Fails if something acknowledged is lost or a lead is sent twice at once.
 *
 *     node tests/bench/soak_main.mjs [SECONDS]
 */

import { fileURLToPath } from 'node:url';
import { printSoak, soakFailures, soakGoals } from './soak_report.mjs';
import { printGoals, tell } from './table.mjs';

// The build without sanitizers; before server_process.mjs looks.
process.env.MUNCHKIN_SERVER ||= fileURLToPath(new URL('../../build/munchkin-server', import.meta.url));
const { measureSoak } = await import('./soak.mjs');

const seconds = Number(process.argv[2] || 60);
if (!(seconds >= 10)) throw new Error('The soak takes a number of seconds, 10 at least.');
console.log(`Soak of ${seconds} s, and what it takes until nothing waits any more`);
const soak = await measureSoak(seconds, tell);
printSoak(soak);
printGoals(soakGoals(soak));
const failures = soakFailures(soak);
for (const failure of failures) console.log(`\n${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
