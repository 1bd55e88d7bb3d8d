/** What the audit makes of what registries, archives and trackers say: in their place are ones of our own. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import { checkNewest, checkTracker } from './debian_packages.mjs';
import { checkAdvisories, checkLocks, checkShipped } from './npm_packages.mjs';
import { isAllowed, readAllowed } from './verdict.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** @param {import('node:test').TestContext} t */
function folderFor(t) {
  const folder = mkdtempSync(join(tmpdir(), 'munchkin-audit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const HASH = 'sha512-AAAA';

/**
 * A repository with one package.json and its lock file.
 * @param {import('node:test').TestContext} t
 * @param {object} [options]
 * @param {object} [options.contents]  of package.json
 * @param {object} [options.locked]    what stands beside the one package in the lock file
 * @param {object} [options.entry]     of the package, in place of what is right
 */
function repository(t, { contents = { devDependencies: { tool: '1.0.0' } }, locked = contents, entry = { integrity: HASH } } = {}) {
  const folder = folderFor(t);
  execFileSync('git', ['init', '-q', folder]);
  const named = { name: 'ours', version: '1.0.0' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...named, ...contents }));
  const packages = { '': { ...named, ...locked }, 'node_modules/tool': { version: '1.0.0', dev: true, ...entry } };
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...named, lockfileVersion: 3, requires: true, packages }));
  return folder;
}

test('every package.json here has a lock file with hashes, and what ships depends on nothing', () => {
  assert.deepEqual(checkLocks(root).details, undefined);
  assert.equal(checkShipped(root).is, 'passed');
});

test('the audit fails for a lock that is missing, stale, without a hash, of one registry, or that runs programs', (t) => {
  assert.equal(checkLocks(repository(t)).is, 'passed');
  const withoutLock = repository(t);
  mkdirSync(join(withoutLock, 'more'));
  writeFileSync(join(withoutLock, 'more/package.json'), '{}');
  for (const folder of [
    withoutLock,
    repository(t, { locked: { devDependencies: { tool: '2.0.0' } } }),
    repository(t, { entry: {} }),
    repository(t, { entry: { integrity: 'sha1-AAAA' } }),
    repository(t, { entry: { integrity: HASH, resolved: 'https://registry.example/tool.tgz' } }),
    repository(t, { entry: { integrity: HASH, hasInstallScript: true } }),
  ]) {
    const { is, details = [] } = checkLocks(folder);
    assert.deepEqual([is, details.length], ['failed', 1], details.join());
  }
});

test('the audit fails if what ships depends on anything', (t) => {
  for (const kind of ['dependencies', 'optionalDependencies', 'peerDependencies']) {
    assert.equal(checkShipped(repository(t, { contents: { [kind]: { tool: '1.0.0' } } })).is, 'failed', kind);
  }
});

/**
 * A registry that knows of one advisory, and npm told to ask it.
 * @param {import('node:test').TestContext} t
 * @param {{severity?: string, status?: number}} options
 */
async function registry(t, { severity = 'high', status = 200 }) {
  const server = createServer((request, response) => {
    request.resume();
    const isAudit = request.method === 'POST';
    const advisory = { id: 1, url: 'https://advisories.example/GHSA-aaaa-bbbb-cccc', title: 'It burns', severity, vulnerable_versions: '<2.0.0', cwe: [], cvss: { score: 9, vectorString: null } };
    const packument = { name: 'tool', 'dist-tags': { latest: '2.0.0' }, versions: { '1.0.0': { name: 'tool', version: '1.0.0' }, '2.0.0': { name: 'tool', version: '2.0.0' } } };
    response.writeHead(isAudit ? status : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isAudit ? { tool: [advisory] } : packument));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.env.npm_config_registry = `http://127.0.0.1:${port}/`;
  process.env.npm_config_cache = folderFor(t);
  t.after(() => {
    delete process.env.npm_config_registry;
    delete process.env.npm_config_cache;
  });
}

const ALLOWED = { id: 'GHSA-aaaa-bbbb-cccc', package: 'tool', reason: 'It is not lit.', until: '2999-01-01' };

test('a severe advisory of a tool fails the audit, unless it is allowed for a time', async (t) => {
  await registry(t, { severity: 'high' });
  const folder = repository(t);
  const { is, details = [] } = await checkAdvisories(folder, []);
  assert.equal(is, 'failed');
  assert.deepEqual(details, ['.: tool, high: It burns (GHSA-aaaa-bbbb-cccc)']);
  assert.equal((await checkAdvisories(folder, [ALLOWED])).is, 'passed');
  assert.equal((await checkAdvisories(folder, [{ ...ALLOWED, until: '2020-01-01' }])).is, 'failed');
});

test('a moderate advisory of a tool is told, and passes', async (t) => {
  await registry(t, { severity: 'moderate' });
  const { is, details = [] } = await checkAdvisories(repository(t), []);
  assert.deepEqual([is, details.length], ['passed', 1]);
});

test('a registry that has no advisories is not taken for one that knows of none', async (t) => {
  for (const status of [405, 500]) {
    await registry(t, { status });
    process.env.npm_config_fetch_retries = '0';
    const { is, details } = await checkAdvisories(repository(t), []);
    delete process.env.npm_config_fetch_retries;
    assert.deepEqual([is, details], ['not checked', [`the registry answered ${status}`]]);
  }
});

const COMPILED = [{ name: 'cjson', title: 'cJSON', version: '1.7.15-1', isDebian: true, binary: 'libcjson1' }];
const LINKED = [{ name: 'libxml2', version: '2.9.14-1', source: 'libxml2', sourceVersion: '2.9.14-1', needs: [], isDirect: true }];

test('a library or source that is older than the archive fails the audit', () => {
  const check = (/** @type {Record<string, string>} */ versions) => checkNewest(COMPILED, LINKED, { fault: () => '', newest: () => new Map(Object.entries(versions)) });
  assert.equal(check({ libxml2: '2.9.14-1', libcjson1: '1.7.15-1' }).is, 'passed');
  assert.equal(check({ libxml2: '2.9.14-1', libcjson1: '1.7.15-1+b1' }).is, 'passed', 'built anew');
  assert.match(String(check({ libxml2: '2.9.14-2', libcjson1: '1.7.15-1' }).details), /^libxml2 2\.9\.14-1: there is 2\.9\.14-2/);
  assert.match(String(check({ libxml2: '2.9.14-1', libcjson1: '1.7.15-2' }).details), /^cJSON 1\.7\.15-1: there is 1\.7\.15-2/);
  assert.equal(checkNewest(COMPILED, LINKED, { fault: () => 'old lists', newest: () => new Map() }).is, 'not checked');
  const own = COMPILED.map((one) => ({ ...one, isDebian: false }));
  assert.equal(checkNewest(own, LINKED, { fault: () => '', newest: () => new Map([['libxml2', '2.9.14-1']]) }).is, 'not checked');
});

/**
 * A tracker's file, in its own form.
 * @param {import('node:test').TestContext} t
 * @param {string[]} vulnerabilities
 */
function tracker(t, vulnerabilities) {
  const folder = folderFor(t);
  const release = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const text = ['VERSION 1', 'CVE-2026-0001,,one', 'CVE-2026-0002,,two', '', ...vulnerabilities, '', 'libxml2,libxml2', 'cjson,libcjson1', '', ''].join('\n');
  writeFileSync(join(folder, String(release)), deflateSync(text));
  return { source: `file://${folder}` };
}

test('what the tracker knows to be mended fails the audit; what is not is told', async (t) => {
  const mended = 'libxml2,0,SHRF,2.9.14-2,';
  const notMended = 'libxml2,1,SH  ,,';
  const compiled = 'cjson,0,SH F,1.7.15-2,';
  const elsewhere = 'bash,0,SHRF,9.0-2,';
  const check = (/** @type {string[]} */ list, allowed = /** @type {any[]} */ ([])) => checkTracker(COMPILED, LINKED, allowed, tracker(t, list));
  assert.deepEqual((await check([elsewhere])).is, 'passed');
  assert.match(String((await check([mended])).details), /^CVE-2026-0001 libxml2 \(.*fixed/);
  assert.match(String((await check([compiled])).details), /^CVE-2026-0001 libcjson1 \(.*fixed/);
  const { is, details } = await check([notMended]);
  assert.equal(is, 'passed');
  assert.match(String(details), /^not mended by Debian: CVE-2026-0002 libxml2/);
  const allowed = { id: 'CVE-2026-0001', package: 'libxml2', reason: 'It reads no such file.', until: '2999-01-01' };
  assert.equal((await check([mended], [allowed])).is, 'passed');
  const unreachable = await checkTracker(COMPILED, LINKED, [], { source: 'http://127.0.0.1:9/' });
  assert.equal(unreachable.is, 'not checked');
  assert.match(String(unreachable.details), /^debsecan could not: error: .*refused/);
});

test('what is let pass says why and until when', (t) => {
  readAllowed(new URL('allowed.json', import.meta.url));
  const path = join(folderFor(t), 'allowed.json');
  for (const wrong of [{ ...ALLOWED, reason: '' }, { ...ALLOWED, until: 'some day' }, { id: 'GHSA-aaaa-bbbb-cccc' }]) {
    writeFileSync(path, JSON.stringify([wrong]));
    assert.throws(() => readAllowed(path), /has an id, a package, a reason and a day/);
  }
  assert.equal(isAllowed([ALLOWED], { id: ALLOWED.id, package: 'tool' }), true);
  assert.equal(isAllowed([ALLOWED], { id: ALLOWED.id, package: 'other' }), false);
  assert.equal(isAllowed([ALLOWED], { id: ALLOWED.id, package: 'tool' }, Date.parse('2999-01-02')), false);
});

test('the bill of materials names all that is compiled in and all that the server asks the loader for', (t) => {
  const path = join(folderFor(t), 'sbom.cdx.json');
  execFileSync('node', ['tests/audit/sbom.mjs', 'build/munchkin-server', 'build/deps', path], { cwd: root });
  const text = readFileSync(path, 'utf8');
  const { bomFormat, specVersion, components, dependencies } = JSON.parse(text);
  assert.deepEqual([bomFormat, specVersion], ['CycloneDX', '1.5']);
  /** @param {string} name */
  const find = (name) => components.find((/** @type {any} */ one) => one.name === name);
  for (const name of ['cJSON', 'BearSSL', 'libmicrohttpd12', 'libcurl4', 'libsqlite3-0', 'libxml2', 'zlib1g', 'libc6']) {
    const { version, licenses, scope } = find(name);
    assert.match(version, /\d/, name);
    assert.ok(licenses[0].license.id, `${name} has a licence that is known`);
    assert.equal(scope, 'required', name);
  }
  assert.equal(find('esbuild').scope, 'excluded');
  // Each library that the loader is asked for is of one of them.
  const needed = execFileSync('objdump', ['-p', 'build/munchkin-server'], { cwd: root, encoding: 'utf8' }).match(/NEEDED/g) ?? [];
  const { dependsOn } = dependencies.find((/** @type {any} */ one) => one.ref.startsWith('munchkin-server@'));
  const sharedBySame = 1; // libm and libc are of one package
  assert.equal(dependsOn.length, needed.length - sharedBySame + 2);
  const refs = new Set([...components.map((/** @type {any} */ one) => one['bom-ref']), 'munchkin-shim@' + find('munchkin-server').version]);
  for (const { ref, dependsOn: others } of dependencies) assert.ok([ref, ...others].every((one) => refs.has(one)), ref);
  execFileSync('node', ['tests/audit/sbom.mjs', 'build/munchkin-server', 'build/deps', path], { cwd: root });
  assert.equal(readFileSync(path, 'utf8'), text, 'the same again');
});
