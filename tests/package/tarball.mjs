/** The package as npm would publish it, and the projects that it is installed in. */

import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const PROJECTS = fileURLToPath(new URL('projects/', import.meta.url));
const BUILD = join(REPOSITORY, 'build/package');

const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

/**
 * Runs a program to its end; if that is a bad one, the error has what it wrote.
 * @param {string} program
 * @param {string[]} args
 * @param {string} folder
 * @returns {Promise<string>} what it wrote to stdout
 */
export function run(program, args, folder) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1', FORCE_COLOR: undefined };
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: folder, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')} in ${folder}: ${error.code}\n${stdout}\n${stderr}`));
    });
  });
}

/**
 * Packs the repository, as built.
 * @param {string} name of a folder below build/package; test files run side by side, and each has its own
 * @returns {Promise<string>} the path of the tarball
 */
export async function pack(name) {
  const folder = join(BUILD, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const printed = await run(process.execPath, ['js-glue/build/pack.mjs', folder], REPOSITORY);
  return printed.slice(0, printed.lastIndexOf(':'));
}

/** @param {string} path */
const contents = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

/**
 * A fresh copy of a project, with its dependencies and the tarball installed, and built if it has to be. What its lock file asks for is
 * kept from one run to the next; the tarball and the copy never are.
 * @param {string} name
 * @param {string} tarball
 * @returns {Promise<string>} its folder
 */
export async function build(name, tarball) {
  const source = join(PROJECTS, name);
  const folder = join(BUILD, name);
  const modules = join(folder, 'node_modules');
  const installed = join(modules, '.installed-package-lock.json');
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder)) {
    if (entry !== 'node_modules') rmSync(join(folder, entry), { recursive: true });
  }
  cpSync(source, folder, { recursive: true });

  const lock = join(folder, 'package-lock.json');
  if (contents(installed) !== contents(lock)) {
    await run('npm', ['ci', ...QUIET], folder);
    cpSync(lock, installed);
  }
  // npm takes a package of the same name and version for the one it has.
  rmSync(join(modules, 'munchkin-shim'), { recursive: true, force: true });
  await run('npm', ['install', '--no-save', '--prefer-offline', ...QUIET, tarball], folder);
  await run('npm', ['run', 'build', '--if-present'], folder);
  return folder;
}
