/** What make build leaves behind: the files, their sizes, and what must not be in them. */

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { createCore } from 'munchkin-shim/core';
import { readStatuses } from '../../js-glue/build/statuses.mjs';

const root = new URL('../../', import.meta.url);

/** @param {string} path */
const read = (path) => readFileSync(new URL(path, root));

/** @param {string} path */
const brotliSize = (path) => brotliCompressSync(read(path), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;

test('make build has made everything it promises', () => {
  for (const path of [
    'dist/munchkin-shim.js',
    'dist/munchkin-shim.mjs',
    'dist/munchkin-shim.cjs',
    'dist/munchkin_shim.wasm',
    'dist/munchkin-shim.asm.js',
    'dist/snippet.html',
    'dist/LICENSES.txt',
    'build/munchkin-server',
  ]) {
    assert.ok(existsSync(new URL(path, root)), path);
  }
});

for (const [path, most] of /** @type {[string, number][]} */ ([
  ['dist/munchkin-shim.js', 11264],
  ['dist/munchkin_shim.wasm', 7168],
])) {
  test(`${path} is at most ${most} bytes in brotli`, () => {
    const size = brotliSize(path);
    assert.ok(size <= most, `${size} bytes`);
  });
}

test('the snippet is at most 900 bytes', () => {
  const { length } = read('dist/snippet.html');
  assert.ok(length <= 900, `${length} bytes`);
});

test('a snippet that says nowhere where the shim is, is not made', async () => {
  const { snippetHtml } = await import('munchkin-shim/snippet');
  for (const options of [{ identify: 'form' }, {}, undefined, null]) {
    assert.throws(() => snippetHtml('561-HYG-937', /** @type {any} */ (options)), { name: 'TypeError', message: /src or server/ });
  }
  assert.match(snippetHtml('561-HYG-937', { identify: 'form', src: '/x.js' }), /src="\/x\.js"/);
});

test('a consent that is not known yet waits in the snippet', async () => {
  const { snippetHtml } = await import('munchkin-shim/snippet');
  const of = (/** @type {any} */ consent) => snippetHtml('561-HYG-937', { server: 'https://x.example', consent });
  assert.equal(of(undefined), of('pending'));
  assert.equal(of(null), of('pending'));
});

test('a server may end with slashes in the snippet, as in load', async () => {
  const { snippetHtml } = await import('munchkin-shim/snippet');
  for (const [server, src] of [['https://x.example/', 'https://x.example/munchkin-shim.js'], ['/', '/munchkin-shim.js'], ['/shim//', '/shim/munchkin-shim.js']]) {
    assert.ok(snippetHtml('561-HYG-937', { server }).includes(` src="${src}"`), server);
    assert.ok(snippetHtml('561-HYG-937', { server, consent: 'pending' }).includes(`"src":"${src}"`), server);
  }
});

test('a token that is a function is not lost in the snippet without a word', async () => {
  const { snippetHtml } = await import('munchkin-shim/snippet');
  const server = 'https://x.example';
  assert.throws(() => snippetHtml('561-HYG-937', { server, token: () => 'a' }), { name: 'TypeError', message: /function/ });
  assert.match(snippetHtml('561-HYG-937', { server, token: 'a' }), /"token":"a"/);
});

test('every entry of package.json leads to a file', () => {
  const { exports, types } = JSON.parse(String(read('package.json')));
  /** @param {any} entry @returns {string[]} */
  const leaves = (entry) => (typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(leaves));
  const paths = [types, ...leaves(exports)];
  for (const path of paths) assert.ok(existsSync(new URL(path, root)), path);
});

test('the package works by import and by require, and importing it touches no page', async () => {
  const { analytics, createAnalytics } = await import('munchkin-shim');
  const required = createRequire(import.meta.url)('munchkin-shim');
  assert.equal(typeof required.analytics.page, 'function');
  assert.equal(typeof createAnalytics().track, 'function');
  const result = await analytics.identify('1', { email: 'a@b.co' });
  assert.deepEqual([result.ok, result.error], [false, 'not_a_browser']);
  assert.deepEqual(createRequire(import.meta.url)('munchkin-shim/core').createCore().page({ url: 'http://a/b' }).call, [
    'visitWebPage',
    { url: '/b', params: '' },
  ]);
});

test('the simulator works by require too, where Node.js can require a module; elsewhere that is what it says', () => {
  const require = createRequire(import.meta.url);
  if (/** @type {any} */ (process.features).require_module) {
    assert.equal(typeof require('munchkin-shim/simulator').startSimulator, 'function');
  } else {
    assert.throws(() => require('munchkin-shim/simulator'), { code: 'ERR_REQUIRE_ESM' });
  }
});

test('on a server callback and listeners are told, and nobody is remembered from one request to the next', async () => {
  const { createAnalytics } = await import('munchkin-shim');
  const analytics = createAnalytics();
  /** @type {string[]} */
  const told = [];
  analytics.on('error', ({ error }) => told.push(error));
  const result = await analytics.track('x', {}, (/** @type {any} */ { error }) => told.push(error));
  assert.equal(result.error, 'not_a_browser');
  assert.deepEqual(told, ['not_a_browser', 'not_a_browser']);
  analytics.user().anonymousId('of a request');
  assert.match(analytics.user().anonymousId(), /^[\da-f-]{36}$/);
});

test('munchkin-shim/slim has no module in it, and on a server fetches none', async (t) => {
  const module = read('dist/munchkin_shim.wasm');
  for (const extension of ['mjs', 'cjs']) {
    const [slim, whole] = ['slim', 'munchkin-shim'].map((file) => String(read(`dist/${file}.${extension}`)));
    assert.ok(whole.includes(module.toString('hex')), 'the module would be found');
    assert.ok(!slim.includes(module.toString('hex').slice(0, 100)));
    assert.ok(slim.length < whole.length - 1.9 * module.length, `${slim.length} bytes`);
  }
  const fetched = t.mock.method(globalThis, 'fetch');
  for (const slim of [await import('munchkin-shim/slim'), createRequire(import.meta.url)('munchkin-shim/slim')]) {
    const analytics = slim.createAnalytics(new URL('munchkin-shim/munchkin_shim.wasm', 'https://www.example.com/'));
    analytics.load('561-HYG-937', {});
    assert.equal((await analytics.page()).error, 'not_a_browser');
  }
  assert.equal(fetched.mock.callCount(), 0);
});

test('createCore takes a compiled module of dist/munchkin_shim.wasm', () => {
  const core = createCore({ module: new WebAssembly.Module(read('dist/munchkin_shim.wasm')) });
  assert.deepEqual(core.track({ event: 'x' }).ok, true);
});

test('ten thousand calls do not make memory grow', () => {
  /** @type {any} */
  let exports;
  const module = new WebAssembly.Module(read('dist/munchkin_shim.wasm'));
  const core = createCore({
    instantiate(imports) {
      exports = new WebAssembly.Instance(module, imports).exports;
      return exports;
    },
  });
  const traits = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`trait ${i}`, `value ${i}`]));
  /** @param {number} times */
  const calls = (times) => {
    for (let i = 0; i < times; i++) {
      core.page({ url: `/page/${i}`, base: 'https://example.com/' });
      core.track({ event: `event ${i}`, properties: traits });
      core.identify({ userId: i, traits: { ...traits, email: 'a@b.co' } });
    }
  };
  calls(1000);
  const early = exports.memory.buffer.byteLength;
  calls(9000);
  assert.equal(exports.memory.buffer.byteLength, early);
  assert.ok(early <= 256 * 1024, `${early} bytes`);
});

test('the browser is given no signing code', () => {
  const module = new WebAssembly.Module(read('dist/munchkin_shim.wasm'));
  assert.deepEqual(
    WebAssembly.Module.exports(module).map(({ name }) => name).sort(),
    ['memory', 'ms_identify', 'ms_input', 'ms_page', 'ms_track'],
  );
  // A round constant of SHA-1, which only the signature needs, as WebAssembly writes it.
  const constant = Buffer.from([0xa1, 0xd7, 0xe7, 0xf6, 0x06]);
  assert.equal(read('dist/munchkin_shim.wasm').includes(constant), false);
  assert.equal(read('dist/munchkin_signer.wasm').includes(constant), true, 'what signs would be found');
  for (const file of readdirSync(new URL('dist/', root)).filter((name) => /\.[mc]?js$/.test(name))) {
    const code = String(read(`dist/${file}`));
    const found = ['privateKey', 'ms_hash', constant.toString('hex')].filter((text) => code.includes(text));
    assert.equal(found.length, file.startsWith('signer') ? 3 : 0, `${file}: ${found}`);
  }
});

test('bundlers leave out modules that are imported for nothing, and keep the scripts, which do something', async () => {
  const { exports } = JSON.parse(String(read('package.json')));
  for (const entry of Object.keys(exports).filter((name) => !/\.(wasm|html|json)$|simulator/.test(name))) {
    const { outputFiles } = await build({
      stdin: { contents: `import 'munchkin-shim${entry.slice(1)}';`, resolveDir: fileURLToPath(root) },
      bundle: true,
      write: false,
      format: 'esm',
      minify: true,
      logLevel: 'silent',
    });
    assert.equal(outputFiles[0].text.length > 0, entry.endsWith('.js'), entry);
  }
});

test('the packages weigh, bundled, what the README says', async () => {
  /** @param {string} code */
  const bundled = async (code) => {
    const stdin = { contents: code, resolveDir: fileURLToPath(root) };
    const { outputFiles } = await build({ stdin, bundle: true, minify: true, format: 'esm', write: false });
    return brotliCompressSync(outputFiles[0].contents).length;
  };
  const measured = [
    await bundled("export { analytics } from 'munchkin-shim';"),
    await bundled("export { createAnalytics } from 'munchkin-shim/slim';"),
    brotliSize('dist/munchkin_shim.wasm'),
  ];
  const said = /in brotli, `munchkin-shim` weighs ([\d.]+) KB; `munchkin-shim\/slim` ([\d.]+) KB, and the module ([\d.]+) KB/
    .exec(String(read('README.md')))?.slice(1).map((kilobytes) => 1000 * Number(kilobytes));
  for (const [index, size] of measured.entries()) assert.ok(Math.abs(size / (said?.[index] ?? NaN) - 1) < 0.02, `${size} bytes, not ${said?.[index]}`);
});

test('dist/LICENSES.txt holds the notices of cJSON and BearSSL, and says where they are', () => {
  const [cjson, bearssl] = String(read('dist/LICENSES.txt')).split(/^-+$/m);
  const signer = ['munchkin_signer.wasm', 'signer.mjs', 'signer.cjs', 'munchkin-server'];
  const shim = ['munchkin-shim.js', 'munchkin-shim.asm.js', 'munchkin-shim.mjs', 'munchkin-shim.cjs', 'munchkin_shim.wasm', 'core.mjs', 'core.cjs'];
  for (const [notice, name, license, holders] of /** @type {[string, RegExp, string, string[]][]} */ ([
    [cjson, /^cJSON \d+\.\d/, 'cjson/LICENSE', [...shim, ...signer]],
    [bearssl, /^BearSSL \d+\.\d/, 'bearssl/LICENSE.txt', signer],
  ])) {
    assert.match(notice.trimStart(), name);
    assert.ok(notice.includes(String(read(`build/deps/${license}`)).trim()), license);
    const named = /^in dist\/: (.*);\nand in (.*)$/m.exec(notice)?.slice(1).flatMap((list) => list.split(', '));
    assert.deepEqual(named?.sort(), holders.sort());
  }
});

test('README explains every code of src/core/status.h, and no other', () => {
  const readme = String(read('README.md'));
  const documented = [...readme.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, code]) => code);
  const codes = readStatuses().map(({ code }) => code);
  assert.deepEqual(documented.filter((code) => codes.includes(code)).sort(), [...codes].sort());
});
