/**
 * Ends with an error unless dist/ is built, since npm packs what there is, and nothing where there is nothing.
 *
 *     node js-glue/build/check-built.mjs
 *
 * As npm's script `prepack` it is in the way of `npm pack` and `npm publish`, as `prepare` in that of git dependencies, for which
 * npm packs a clone and runs no other. But it runs `prepare` with each `npm install` in a clone, too, which comes before the
 * build, and may: only where npm packs is npm_package_resolved set.
 */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const { npm_lifecycle_event: script, npm_package_resolved: packed } = process.env;

/** What make build leaves last. */
const built = fileURLToPath(new URL('../../dist/.bundled', import.meta.url));

if (!(script === 'prepare' && !packed) && !existsSync(built)) {
  console.error('munchkin-shim: dist/ is not built, and a package without it is of no use. Run make pack, and install the .tgz that it leaves in build/.');
  process.exit(1);
}
