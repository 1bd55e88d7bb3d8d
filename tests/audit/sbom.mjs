/**
 * Writes what all of this is made of, as a CycloneDX document: what is compiled in, what the server is linked with, and, out
 * of scope of what ships, what it is built with. The same build gives the same document.
 *
 *     node tests/audit/sbom.mjs build/munchkin-server build/deps build/sbom.cdx.json
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { compiledIn, linkedWith } from './linked.mjs';

/** Of what is compiled in, and of what the server itself is linked with, by Debian's source: read and judged by people. */
const LICENSES = /** @type {Record<string, string>} */ ({
  cjson: 'MIT',
  bearssl: 'MIT',
  libmicrohttpd: 'LGPL-2.1-or-later',
  curl: 'curl',
  sqlite3: 'blessing',
  libxml2: 'MIT',
  zlib: 'Zlib',
  glibc: 'LGPL-2.1-or-later',
});

/** The Debian packages that compile. */
const COMPILERS = ['clang', 'emscripten'];

/** @typedef {{'bom-ref': string, [name: string]: unknown}} Component */

/** @param {string} source @param {string} name of the package */
function licensesOf(source, name) {
  if (LICENSES[source]) return [{ license: { id: LICENSES[source] } }];
  const path = `/usr/share/doc/${name}/copyright`;
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  // Debian's machine-readable form, of all files that have none of their own.
  const [, stated] = /^Files: *\*\n(?:.*\n)*?License: *(\S.*)$/m.exec(text) ?? [];
  return [{ license: { name: stated ?? `see ${path}` } }];
}

/** @param {string} name @param {string} version @param {string} [query] */
const debianUrl = (name, version, query = '') => `pkg:deb/debian/${name}@${encodeURIComponent(version)}${query}`;

/** @param {import('./linked.mjs').Compiled} source @returns {Component} */
function compiledComponent({ name, title, version, isDebian }) {
  const purl = isDebian ? debianUrl(name, version, '?arch=source') : `pkg:generic/${name}@${encodeURIComponent(version)}`;
  const licenses = licensesOf(name, name);
  return { 'bom-ref': purl, type: 'library', name: title, version, scope: 'required', description: 'compiled in', licenses, purl };
}

/** @param {import('./linked.mjs').Linked} library @returns {Component} */
function linkedComponent({ name, version, source, isDirect }) {
  const purl = debianUrl(name, version);
  const description = isDirect ? 'linked with munchkin-server' : 'loaded by what munchkin-server is linked with';
  return { 'bom-ref': purl, type: 'library', name, version, scope: 'required', description, licenses: licensesOf(source, name), purl };
}

/** @returns {Component[]} compilers that came another way than by Debian are left out: nobody can say which they are */
function compilerComponents() {
  const node = `pkg:generic/node@${process.versions.node}`;
  const debian = COMPILERS.flatMap((name) => {
    try {
      const version = execFileSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      const purl = debianUrl(name, version);
      return version ? [{ 'bom-ref': purl, type: 'application', name, version, scope: 'excluded', licenses: licensesOf(name, name), purl }] : [];
    } catch {
      return [];
    }
  });
  return [...debian, { 'bom-ref': node, type: 'application', name: 'Node.js', version: process.versions.node, scope: 'excluded', purl: node }];
}

/** What npm says of the packages in the lock file, none of which ships. */
function npmDocument() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--loglevel=error'];
  const { components, dependencies } = JSON.parse(execFileSync('npm', args, { encoding: 'utf8', maxBuffer: 1 << 26 }));
  return {
    components: components.map((/** @type {Component} */ component) => ({ ...component, scope: 'excluded' })),
    dependencies,
  };
}

/** @param {string} program @param {string} sources */
function document(program, sources) {
  const { name, version, license, description } = JSON.parse(readFileSync('package.json', 'utf8'));
  const compiled = compiledIn(sources);
  const linked = linkedWith(program);
  const npm = npmDocument();
  const refOf = new Map(linked.map((one) => [one.name, debianUrl(one.name, one.version)]));
  const refs = (/** @type {string[]} */ names) => names.map((one) => refOf.get(one));
  const compiledComponents = compiled.map(compiledComponent);
  const shim = `${name}@${version}`;
  const server = `munchkin-server@${version}`;
  const ours = { version, licenses: [{ license: { id: license } }] };
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { 'bom-ref': shim, type: 'library', name, description, ...ours } },
    components: [
      { 'bom-ref': server, type: 'application', name: 'munchkin-server', scope: 'required', ...ours },
      ...compiledComponents,
      ...linked.map(linkedComponent),
      ...compilerComponents(),
      ...npm.components,
    ],
    dependencies: [
      ...npm.dependencies.map((/** @type {{ref: string, dependsOn: string[]}} */ { ref, dependsOn }) =>
        ref === shim ? { ref, dependsOn: compiledComponents.map((one) => one['bom-ref']) } : { ref, dependsOn }
      ),
      { ref: server, dependsOn: [...compiledComponents.map((one) => one['bom-ref']), ...refs(linked.filter((one) => one.isDirect).map((one) => one.name))] },
      ...linked.map((one) => ({ ref: refOf.get(one.name), dependsOn: refs(one.needs) })),
    ],
  };
}

const [program, sources, output] = process.argv.slice(2);
const whole = document(program, sources);
// A number of its own, and the same for the same document.
const digest = createHash('sha256').update(JSON.stringify(whole)).digest('hex');
const serialNumber = `urn:uuid:${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
writeFileSync(output, `${JSON.stringify({ ...whole, serialNumber }, null, 2)}\n`);
const count = (/** @type {string} */ scope) => whole.components.filter((one) => one.scope === scope).length;
console.log(`${output}: ${count('required')} components in what ships, ${count('excluded')} to build it with`);
