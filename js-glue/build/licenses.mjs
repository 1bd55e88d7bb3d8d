/**
 * Writes dist/LICENSES.txt: the notices of what others have written and our files contain, as its
 * authors ask of every copy, and where it is in them.
 *
 *     node js-glue/build/licenses.mjs build/deps/cjson build/deps/bearssl
 */

import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [cjson, bearssl] = process.argv.slice(2);

/** In these the module has a form of its own, which a search for its bytes does not find. */
const REWRITTEN = ['munchkin-shim.js', 'munchkin-shim.asm.js'];

const files = readdirSync('dist', { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name);

/** The files of dist/ that a module is in, as it is or in hexadecimal. @param {string} module */
function holdersOf(module) {
  const bytes = readFileSync(join('dist', module));
  const forms = [bytes, bytes.toString('hex')];
  return files.filter((file) => {
    const contents = readFileSync(join('dist', file));
    return forms.some((form) => contents.includes(form));
  });
}

/** As Debian numbers it; elsewhere the source's folder is named after it. @param {string} source */
function versionOf(source) {
  const changelog = join(source, 'debian/changelog');
  if (!existsSync(changelog)) return basename(realpathSync(source)).replace(/^\D*/, '');
  const [, version] = /\((.*?)\)/.exec(readFileSync(changelog, 'utf8')) || [];
  return `${version} of Debian`;
}

/** @param {string} name @param {string} source @param {string} license the file's name @param {string[]} holders */
function notice(name, source, license, holders) {
  return `${name} ${versionOf(source)}
in dist/: ${holders.sort().join(', ')};
and in munchkin-server

${readFileSync(join(source, license), 'utf8').trim()}
`;
}

const signers = holdersOf('munchkin_signer.wasm');
const notices = [
  notice('cJSON', cjson, 'LICENSE', [...REWRITTEN, ...holdersOf('munchkin_shim.wasm'), ...signers]),
  notice('BearSSL', bearssl, 'LICENSE.txt', signers),
];
writeFileSync('dist/LICENSES.txt', notices.join(`\n${'-'.repeat(72)}\n\n`));
