/**
 * Audits what this is made of, and says of each check whether it passed, failed, or could not be made.
 *
 *     node tests/audit/main.mjs [--strict]      what was not checked fails, too
 */

import { fileURLToPath } from 'node:url';
import { checkNewest, checkTracker } from './debian_packages.mjs';
import { compiledIn, linkedWith } from './linked.mjs';
import { checkAdvisories, checkLocks, checkShipped } from './npm_packages.mjs';
import { readAllowed } from './verdict.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const strict = process.argv.includes('--strict');
const allowed = readAllowed(new URL('allowed.json', import.meta.url));
const compiled = compiledIn(`${root}build/deps`);
const linked = linkedWith(`${root}build/munchkin-server`);

/** @type {import('./verdict.mjs').Verdict[]} */
const verdicts = [
  checkLocks(root),
  checkShipped(root),
  await checkAdvisories(root, allowed),
  checkNewest(compiled, linked),
  await checkTracker(compiled, linked, allowed),
];
for (const { is, what, details = [] } of verdicts) {
  console.log(`${is.padEnd(11)}  ${what}`);
  for (const detail of details) console.log(`${' '.repeat(13)}${detail}`);
}
const count = (/** @type {string} */ is) => verdicts.filter((verdict) => verdict.is === is).length;
console.log(`Audit: ${count('passed')} checks passed, ${count('failed')} failed, ${count('not checked')} could not be made`);
if (count('not checked') > 0 && !strict) console.log('What could not be made is no pass: make audit STRICT=1 fails for it, as a release should.');
process.exitCode = count('failed') > 0 || (strict && count('not checked') > 0) ? 1 : 0;
