/**
 * The same sources make the same dist/ and the same npm package, byte by byte: in another folder, under another umask, locale,
 * time zone, home and user, at another time, and with another number of jobs at once.
 */

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** Where, and how each build differs from the other. The second is a year ahead, and has no group or others who may read. */
const BUILDS = [
  { folder: 'a', umask: '022', clock: [], env: { LC_ALL: 'C', TZ: 'UTC', HOME: '/tmp', USER: 'ada' }, make: ['-j1'] },
  {
    folder: 'somewhere/else/and/deeper',
    umask: '077',
    clock: ['faketime', '-f', '+400d'],
    env: { LC_ALL: 'C.UTF-8', TZ: 'Pacific/Kiritimati', HOME: '/var/tmp', USER: 'charles' },
    make: ['-j2'],
  },
];

/** A clean copy of what git knows, and of what is fetched: npm's packages, and the sources of cJSON and BearSSL. @param {string} folder */
function checkOut(folder) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: REPOSITORY, encoding: 'utf8' });
  for (const path of listed.split('\0').filter((one) => one !== '' && existsSync(join(REPOSITORY, one)))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(join(REPOSITORY, path), join(folder, path));
    chmodSync(join(folder, path), statSync(join(REPOSITORY, path)).mode);
  }
  execFileSync('cp', ['-r', join(REPOSITORY, 'node_modules'), folder]);
  // It is as new as the lock file that it was installed by.
  utimesSync(join(folder, 'node_modules/.installed'), new Date(), new Date());
  for (const source of ['cjson', 'bearssl']) {
    execFileSync('cp', ['-r', realpathSync(join(REPOSITORY, 'build/deps', source)), join(folder, '..', source)]);
  }
}

/** By path, what each file below a folder has in it. @param {string} folder @returns {Record<string, string>} */
function contentsOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
  return Object.fromEntries(paths.map((path) => [path, createHash('sha256').update(readFileSync(join(folder, path))).digest('hex')]));
}

/** Builds and packs from nothing. @param {string} root @param {typeof BUILDS[number]} how */
async function build(root, { folder: name, umask, clock, env, make }) {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  checkOut(folder);
  const sources = { CJSON_SRC: join(folder, '../cjson'), BEARSSL_SRC: join(folder, '../bearssl') };
  const script = `umask ${umask} && "$@" && node js-glue/build/pack.mjs build`;
  const command = ['sh', '-c', script, 'sh', 'make', ...make, 'dist/.bundled'];
  const [program, ...args] = [...clock, ...command];
  await promisify(execFile)(program, args, { cwd: folder, env: { PATH: process.env.PATH, ...sources, ...env }, maxBuffer: 1 << 26 });
  const [tarball] = readdirSync(join(folder, 'build')).filter((file) => file.endsWith('.tgz'));
  return { dist: contentsOf(join(folder, 'dist')), tarball: readFileSync(join(folder, 'build', tarball)), folder };
}

test('dist/ and the npm package are the same wherever, whenever and by whomever they are built', { timeout: 600_000 }, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'munchkin-reproducible-'));
  t.after(() => rmSync(root, { recursive: true }));
  const [one, other] = await Promise.all(BUILDS.map((how) => build(root, how)));
  assert.ok(Object.keys(one.dist).length > 100, 'all of dist/ is compared');
  assert.deepEqual(other.dist, one.dist);
  assert.deepEqual(contentsOf(join(REPOSITORY, 'dist')), one.dist, 'dist/ here, too');
  assert.ok(one.tarball.equals(other.tarball), 'the npm packages differ; what is in dist/ does not: look at modes, times and order');

  // They were built as differently as they say.
  const modes = [one, other].map(({ folder }) => statSync(join(folder, 'dist/munchkin-shim.js')).mode & 0o777);
  assert.deepEqual(modes, [0o644, 0o600]);
  const times = [one, other].map(({ folder }) => statSync(join(folder, 'dist/.bundled')).mtimeMs);
  assert.ok(times[1] - times[0] > 300 * 86_400_000, 'another year');
});
