/** What others wrote and munchkin-server is made of: sources compiled into it, and Debian's libraries that it is linked with. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * @typedef {object} Compiled
 * @property {string} name      as Debian calls the source
 * @property {string} title
 * @property {string} version
 * @property {boolean} isDebian  else it is a folder that somebody named
 * @property {string} binary    the Debian package that is built from the same source
 *
 * @typedef {object} Linked
 * @property {string} name      the Debian package's
 * @property {string} version
 * @property {string} source
 * @property {string} sourceVersion
 * @property {string[]} needs   the packages whose libraries its own are linked with
 * @property {boolean} isDirect  munchkin-server itself is linked with it
 */

/** @param {string} program @param {string[]} args */
const run = (program, args) => execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, LC_ALL: 'C' } });

/** @param {string} dependencies the folder with the sources, build/deps @returns {Compiled[]} */
export function compiledIn(dependencies) {
  const sources = [
    { name: 'cjson', title: 'cJSON', binary: 'libcjson1' },
    { name: 'bearssl', title: 'BearSSL', binary: 'libbearssl0' },
  ];
  return sources.map((source) => {
    const folder = join(dependencies, source.name);
    const changelog = join(folder, 'debian/changelog');
    if (!existsSync(changelog)) return { ...source, version: basename(realpathSync(folder)).replace(/^\D*/, ''), isDebian: false };
    const [, version] = /\((.*?)\)/.exec(readFileSync(changelog, 'utf8')) ?? [];
    return { ...source, version: String(version), isDebian: true };
  });
}

/** The libraries that a program or library asks for itself. @param {string} file */
function needed(file) {
  return [...run('objdump', ['-p', file]).matchAll(/^ +NEEDED +(\S+)$/gm)].map(([, name]) => name);
}

/** By name, where the loader finds each library of a program. @param {string} program */
function loaded(program) {
  return new Map([...run('ldd', [program]).matchAll(/^\t(\S+) => (\S+) \(/gm)].map(([, name, path]) => [name, path]));
}

/** The packages that files are from; Debian knows some under /lib and some under /usr/lib. @param {string[]} paths */
function packagesOf(paths) {
  const known = paths.flatMap((path) => [path, realpathSync(path)]).flatMap((path) => [path, path.replace(/^\/usr/, ''), `/usr${path}`]);
  const { stdout } = spawnSync('dpkg-query', ['-S', ...new Set(known)], { encoding: 'utf8' });
  const byPath = new Map([...stdout.matchAll(/^([^:,\s]+)(?::\w+)?: (\S+)$/gm)].map(([, name, path]) => [path, name]));
  return (/** @type {string} */ path) => {
    const candidates = [path, realpathSync(path)].flatMap((one) => [one, one.replace(/^\/usr/, ''), `/usr${one}`]);
    const name = candidates.map((one) => byPath.get(one)).find(Boolean);
    if (!name) throw new Error(`No Debian package has ${path}, which munchkin-server is linked with.`);
    return name;
  };
}

/** @param {string} program @returns {Linked[]} by name */
export function linkedWith(program) {
  const libraries = loaded(program);
  const packageOf = packagesOf([...libraries.values()]);
  /** @type {Map<string, Set<string>>} */
  const needs = new Map();
  const direct = new Set();
  /** @param {string} library */
  const owner = (library) => {
    const path = libraries.get(library);
    return path === undefined ? null : packageOf(path); // the loader itself has no path of its own
  };
  for (const library of needed(program)) direct.add(owner(library));
  for (const [library, path] of libraries) {
    const name = String(owner(library));
    const own = needs.get(name) ?? new Set();
    for (const other of needed(realpathSync(path))) {
      const theirs = owner(other);
      if (theirs !== null && theirs !== name) own.add(theirs);
    }
    needs.set(name, own);
  }
  const format = '${Package}\t${Version}\t${source:Package}\t${source:Version}\n';
  const rows = run('dpkg-query', ['-W', '-f', format, ...needs.keys()]).trim().split('\n');
  return rows
    .map((row) => row.split('\t'))
    .map(([name, version, source, sourceVersion]) => ({
      ...{ name, version, source, sourceVersion },
      needs: [...(needs.get(name) ?? [])].sort(),
      isDirect: direct.has(name),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
