/** npm packages: that every one is locked, that none ships, and what npm's advisories say of those that build and test. */

import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { failed, isAllowed, notChecked, passed } from './verdict.mjs';

/** @typedef {import('./verdict.mjs').Verdict} Verdict */

/** What fails of the tools; in what ships anything would. */
const SEVERE = ['high', 'critical'];

/** Packages that may run a program of their own when they are installed. */
const INSTALL_SCRIPTS = ['esbuild', 'workerd'];

/** Folders with a package.json that is in the repository. @param {string} root */
export function packageFolders(root) {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*package.json'], { cwd: root, encoding: 'utf8' });
  return listed
    .trim()
    .split('\n')
    .filter((path) => existsSync(join(root, path)))
    .map((path) => dirname(path));
}

const readJson = (/** @type {string} */ path) => JSON.parse(readFileSync(path, 'utf8'));

/**
 * Whether a lock file names each package's contents by a hash, says what its package.json asks for, and lets no package run
 * anything that is not known to.
 * @param {string} root
 * @param {string} folder
 * @returns {string[]} what is wrong
 */
function faultsOfLock(root, folder) {
  const path = join(folder, 'package-lock.json');
  if (!existsSync(join(root, path))) return [`${folder} has no package-lock.json; run 'npm install --package-lock-only' in it.`];
  const { packages = {}, lockfileVersion } = readJson(join(root, path));
  const wanted = readJson(join(root, folder, 'package.json'));
  const faults = [];
  if (!(lockfileVersion >= 2)) faults.push(`${path} is of a form without hashes of all packages.`);
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']) {
    if (JSON.stringify(wanted[kind] ?? {}) !== JSON.stringify(packages['']?.[kind] ?? {})) faults.push(`${path} is of other ${kind} than package.json.`);
  }
  for (const [name, { integrity, inBundle, link, hasInstallScript, resolved }] of /** @type {[string, any][]} */ (Object.entries(packages))) {
    if (name === '') continue;
    if (!integrity?.startsWith('sha512-') && !inBundle && !link) faults.push(`${path}: ${name} has no hash.`);
    if (resolved !== undefined) faults.push(`${path}: ${name} names where it is from; each machine's own settings say that.`);
    if (hasInstallScript && !INSTALL_SCRIPTS.includes(name.replace(/^.*node_modules\//, ''))) faults.push(`${path}: ${name} runs a program when it is installed.`);
  }
  return faults;
}

/** @param {string} root @returns {Verdict} */
export function checkLocks(root) {
  const folders = packageFolders(root);
  const faults = folders.flatMap((folder) => faultsOfLock(root, folder));
  return faults.length > 0 ? failed('npm packages are locked', faults) : passed(`npm packages are locked, by hash, in ${folders.length} lock files`);
}

/** What ships asks for no package at all, so no advisory can be of one. @param {string} root @returns {Verdict} */
export function checkShipped(root) {
  const contents = readJson(join(root, 'package.json'));
  const kinds = ['dependencies', 'optionalDependencies', 'peerDependencies', 'bundleDependencies', 'bundledDependencies'];
  const found = kinds.filter((kind) => Object.keys(contents[kind] ?? {}).length > 0);
  return found.length > 0
    ? failed('the npm package depends on nothing', [`package.json has ${found.join(', ')}.`])
    : passed('the npm package depends on nothing');
}

/**
 * @typedef {object} Advisory
 * @property {string} id
 * @property {string} package
 * @property {string} severity
 * @property {string} title
 */

/**
 * What npm's registry knows of the packages in a lock file.
 * @param {string} folder
 * @returns {Promise<Advisory[] | string>} or why it could not be asked
 */
async function askRegistry(folder) {
  const ended = await promisify(execFile)('npm', ['audit', '--json', '--loglevel=silent'], { cwd: folder, maxBuffer: 1 << 26 }).catch(
    (/** @type {any} */ error) => error // npm ends with 1 when there are any
  );
  /** @type {any} */
  let report;
  try {
    report = JSON.parse(ended.stdout);
  } catch {
    return String(ended.message ?? 'npm audit wrote no JSON').split('\n')[0];
  }
  if (!report.vulnerabilities || report.error) return reasonOf(report);
  const advisories = Object.values(report.vulnerabilities)
    .flatMap((/** @type {any} */ { via }) => via)
    .filter((via) => typeof via === 'object')
    .map(({ url, source, name, severity, title }) => ({ id: /GHSA-[\w-]+$/.exec(url ?? '')?.[0] ?? String(source), package: name, severity, title }));
  // npm lists one with each package that is affected by way of it.
  return [...new Map(advisories.map((one) => [`${one.id} ${one.package}`, one])).values()];
}

/** In a few words, without the registry's address. @param {any} report */
function reasonOf({ message, statusCode, error }) {
  const text = statusCode ? `the registry answered ${statusCode}` : String(message ?? error?.summary ?? 'no report');
  return text.replace(/https?:\/\/\S+/g, 'the registry').split('\n')[0];
}

/**
 * @param {string} root
 * @param {import('./verdict.mjs').Allowed[]} allowed
 * @returns {Promise<Verdict>}
 */
export async function checkAdvisories(root, allowed) {
  const folders = packageFolders(root);
  const what = `npm's advisories of ${folders.length} lock files`;
  /** @type {string[]} */
  const severe = [];
  /** @type {string[]} */
  const notes = [];
  let reason = '';
  for (const folder of folders) {
    const advisories = await askRegistry(join(root, folder));
    if (typeof advisories === 'string') {
      // It will say the same of the others, and where there is no network only after minutes.
      reason = advisories;
      break;
    }
    for (const advisory of advisories) {
      const line = `${folder}: ${advisory.package}, ${advisory.severity}: ${advisory.title} (${advisory.id})`;
      const isSevere = SEVERE.includes(advisory.severity);
      if (isSevere && !isAllowed(allowed, advisory)) severe.push(line);
      else notes.push(isSevere ? `allowed: ${line}` : line);
    }
  }
  // What was found stands, whatever could not be asked.
  if (severe.length > 0) return failed(what, [...severe, ...notes]);
  if (reason) return notChecked(what, [reason, ...notes]);
  return passed(what, notes);
}
