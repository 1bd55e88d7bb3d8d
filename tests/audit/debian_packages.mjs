/** Debian's packages in what ships: whether they are the newest that there are, and what Debian's security tracker says. */

import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { failed, isAllowed, notChecked, passed } from './verdict.mjs';

/** @typedef {import('./verdict.mjs').Verdict} Verdict */
/** @typedef {import('./linked.mjs').Compiled} Compiled */
/** @typedef {import('./linked.mjs').Linked} Linked */

/** apt's lists say nothing of today's security updates once they are older. */
const LISTS_DAYS = 3;

const LANGUAGE = { ...process.env, LC_ALL: 'C' };

/**
 * The newest version of each package in the archives that apt is set up for.
 * @param {string[]} names
 * @returns {Map<string, string>}
 */
function candidates(names) {
  const text = execFileSync('apt-cache', ['policy', ...names], { encoding: 'utf8', env: LANGUAGE });
  return new Map([...text.matchAll(/^(\S+):\n(?: {2}.*\n)*? {2}Candidate: (\S+)$/gm)].map(([, name, version]) => [name, version]));
}

/** Why apt's lists cannot be gone by, '' if they can. */
function faultOfLists() {
  if (process.getuid?.() === 0) spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
  const args = ['indextargets', '--format', '$(FILENAME)', 'Created-By: Packages'];
  const files = execFileSync('apt-get', args, { encoding: 'utf8' }).trim().split('\n').filter(Boolean);
  if (files.length === 0) return "apt knows no packages yet; run 'apt-get update' as root.";
  // When they were fetched, not when they were made: a stable release's own may be months old.
  const days = (Date.now() - statSync('/var/lib/apt/lists').mtimeMs) / 86_400_000;
  return days > LISTS_DAYS ? `apt's lists are ${Math.floor(days)} days old; run 'apt-get update' as root.` : '';
}

/**
 * @param {Compiled[]} compiled
 * @param {Linked[]} linked
 * @param {object} [apt]  for tests
 * @param {() => string} [apt.fault]
 * @param {(names: string[]) => Map<string, string>} [apt.newest]
 * @returns {Verdict}
 */
export function checkNewest(compiled, linked, { fault = faultOfLists, newest = candidates } = {}) {
  const what = `${compiled.length} sources compiled in and ${linked.length} libraries are the newest of the archive`;
  const why = fault();
  if (why) return notChecked(what, [why]);
  const versions = newest([...linked.map(({ name }) => name), ...compiled.map(({ binary }) => binary)]);
  const older = linked.filter(({ name, version }) => versions.get(name) !== version);
  // A package that was only built anew has the number of its source, and +b1.
  const olderSources = compiled.filter(({ binary, version, isDebian }) => isDebian && versions.get(binary)?.replace(/\+b\d+$/, '') !== version);
  const foreign = compiled.filter(({ isDebian }) => !isDebian);
  const faults = [
    ...older.map(({ name, version }) => `${name} ${version}: there is ${versions.get(name) ?? 'none any more'}; apt-get install ${name}`),
    ...olderSources.map(({ title, version, binary }) => `${title} ${version}: there is ${versions.get(binary) ?? 'none any more'}; rm -r build/deps, and build`),
  ];
  if (faults.length > 0) return failed(what, faults);
  if (foreign.length > 0) return notChecked(what, foreign.map(({ title }) => `${title} is not Debian's, but from a folder that was named.`));
  return passed(what);
}

/** What ships, as dpkg's list of installed packages has it: sources that are compiled in as the package built from them. */
function statusFile(/** @type {Compiled[]} */ compiled, /** @type {Linked[]} */ linked) {
  const entry = (/** @type {string} */ name, /** @type {string} */ version, /** @type {string} */ source, /** @type {string} */ sourceVersion) =>
    `Package: ${name}\nStatus: install ok installed\nSource: ${source} (${sourceVersion})\nVersion: ${version}\n`;
  return [
    ...linked.map(({ name, version, source, sourceVersion }) => entry(name, version, source, sourceVersion)),
    ...compiled.map(({ binary, version, name }) => entry(binary, version, name, version)),
  ].join('\n');
}

/** Debian's name for the release that this is; '' elsewhere. */
function releaseName() {
  const text = readFileSync('/etc/os-release', 'utf8');
  return /^ID=debian$/m.test(text) ? (/^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] ?? '') : '';
}

/**
 * What Debian's security tracker, read by debsecan, knows of the versions that ship. What Debian has mended fails, and what
 * it has not is told.
 * @param {Compiled[]} compiled
 * @param {Linked[]} linked
 * @param {import('./verdict.mjs').Allowed[]} allowed
 * @param {{source?: string}} [tracker]  another place than Debian's, for tests
 * @returns {Promise<Verdict>}
 */
export async function checkTracker(compiled, linked, allowed, { source } = {}) {
  const what = "Debian's security tracker, of the versions that ship";
  const release = releaseName();
  if (!release) return notChecked(what, ['This is not Debian.']);
  const folder = mkdtempSync(join(tmpdir(), 'munchkin-audit-'));
  try {
    const status = join(folder, 'status');
    writeFileSync(status, statusFile(compiled, linked));
    const args = ['--suite', release, '--status', status, ...(source ? ['--source', source] : [])];
    const ended = await promisify(execFile)('debsecan', args, { env: LANGUAGE, maxBuffer: 1 << 26 }).catch((/** @type {any} */ error) => error);
    if (ended.code !== undefined) return notChecked(what, [`debsecan could not: ${reasonOf(ended)}`]);
    return judge(what, String(ended.stdout), allowed);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {{stderr?: string, message?: string}} ended */
function reasonOf({ stderr, message }) {
  return String(stderr || message).replace(/^error: while downloading \S+\n/, '').trim().split('\n')[0];
}

/** @param {string} what @param {string} output such as "CVE-2026-1 libxml2 (fixed, high urgency)" @param {import('./verdict.mjs').Allowed[]} allowed */
function judge(what, output, allowed) {
  const found = [...output.matchAll(/^(\S+) (\S+)(?: \((.*)\))?$/gm)].map(([line, id, name, about = '']) => ({ line, id, package: name, isMended: /\bfixed\b/.test(about) }));
  const severe = found.filter((one) => one.isMended && !isAllowed(allowed, one));
  const others = found.filter((one) => !severe.includes(one)).map(({ line, isMended }) => `${isMended ? 'allowed' : 'not mended by Debian'}: ${line}`);
  return severe.length > 0 ? failed(what, [...severe.map(({ line }) => line), ...others]) : passed(what, others);
}
