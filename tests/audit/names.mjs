/**
 * Prints the Debian packages that a program is linked with, for src/deps.sh newest.
 *
 *     node tests/audit/names.mjs build/munchkin-server
 */

import { linkedWith } from './linked.mjs';

console.log(linkedWith(process.argv[2]).map(({ name }) => name).join(' '));
