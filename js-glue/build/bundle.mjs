/**
 * Makes dist/ from js-glue, the WebAssembly module and build/generated.
 *
 *     node js-glue/build/bundle.mjs build/munchkin_shim.wasm build/munchkin_shim.asm.mjs
 */

import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

const [wasmPath, asmPath] = process.argv.slice(2);
const { name, version, license } = JSON.parse(readFileSync('package.json', 'utf8'));
const banner = `/*! ${name} ${version} | ${license} | with cJSON, MIT */`;

/** Browsers of 2021 and later: the first with all that the module uses. */
const target = 'es2021';

/** @param {string} entry @param {import('esbuild').BuildOptions} options */
async function bundled(entry, options) {
  const result = await build({ entryPoints: [entry], bundle: true, write: false, target, charset: 'utf8', ...options });
  return /** @type {import('esbuild').OutputFile[]} */ (result.outputFiles)[0].text;
}

/**
 * @param {string} source
 * @param {object} [options]
 * @param {import('terser').FormatOptions} [options.format]
 * @param {boolean} [options.module] whether its outermost names are its own
 * @param {boolean} [options.expression] whether its value counts
 * @param {boolean} [options.loops] whether loops are shortened
 * @param {RegExp} [options.internal] names of properties that nothing else uses
 */
async function shrunk(source, { format, module = true, expression = false, loops = true, internal } = {}) {
  const { code } = await minify(source, {
    ecma: /** @type {any} */ (2021),
    module,
    compress: { expression, loops, passes: 4, unsafe_arrows: true, pure_getters: true, keep_fargs: false, hoist_funs: true },
    mangle: internal ? { properties: { regex: internal, builtins: true } } : {},
    format: { comments: false, ...format },
  });
  return String(code);
}

/** @param {string} file @param {string} text */
function write(file, text) {
  writeFileSync(`dist/${file}`, text);
  console.log(`  dist/${file}: ${Buffer.byteLength(text)} bytes, ${brotliCompressSync(text).length} in brotli`);
}

/** The module that wasm2js makes, as a classic script that sets munchkinShimAsm. @param {string} module */
function asClassicScript(module) {
  const start = module.indexOf('var bufferView');
  const end = module.lastIndexOf('var retasmFunc');
  if (start < 0 || end < 0) throw new Error('wasm2js writes another form than this build knows.');
  return `globalThis.munchkinShimAsm=(()=>{${module.slice(start, end)};return asmFunc})();`;
}

/**
 * The WebAssembly module as a string literal, a character a byte: smaller than base64 or hexadecimal,
 * even compressed. "#" is the byte 0, the most frequent of all. Bytes that a text cannot hold as they
 * are, that editors or HTML parsers would change, or that "#" took the place of are 256 higher;
 * Uint8Array takes numbers modulo 256. Minifiers would write escapes, so this comes after them.
 */
function wasmLiteral() {
  const characters = Array.from(readFileSync(wasmPath), (byte) => {
    const character = String.fromCharCode(byte);
    if (byte === 0) return '#';
    if ('\r\n#'.includes(character)) return String.fromCharCode(byte + 256);
    return character.replace(/[\\']/, '\\$&');
  });
  return `'${characters.join('')}'`;
}

mkdirSync('dist', { recursive: true });

/** With it a file is read as UTF-8 whatever its page or its server says. */
const byteOrderMark = '\uFEFF';

const script = await bundled('js-glue/script.js', {
  format: 'iife',
  alias: {
    '#generated/wasm.js': './build/generated/wasm-text.js',
    '#generated/sentences.js': './build/generated/page-sentences.js',
  },
  define: { 'globalThis.document': 'true' }, // unlike the packages, it is on a page for sure
});
/** Chromium then compiles all functions while it downloads, off the main thread. */
const eager = '//# allFunctionsCalledOnLoad';

/** Of the script's own objects, those that the page never sees. */
const internal = /^(perform|associate|connect|carryOut|imports|persist|traitsOf|emit|listener|visit|listening|topic|isOnce|complete|visitor)$/;

// Single quotes, as the module's literal has, and loops as they are: the same bytes again cost less, as trials have shown; so
// does the module behind the code. For the same reason the order of keys and of statements that have none is what it is.
const code = (await shrunk(script, { format: { quote_style: 1 }, loops: false, internal }))
  .replaceAll('const ', 'let ')
  .replace("'WASM'", 'wasm')
  .replace('(()=>', '(wasm=>')
  .replace(/\(\);$/, () => `(${wasmLiteral()});`);
write('munchkin-shim.js', `${byteOrderMark}${banner}\n${eager}\n${code}\n`);

/** A module as the body of a function that returns what it exports. @param {string} entry @param {import('esbuild').BuildOptions} [options] */
async function functionBody(entry, options) {
  return (await bundled(entry, { format: 'esm', ...options })).replace(/export (\{[^{}]*\});\s*$/, 'return $1;');
}

const extras = await functionBody('js-glue/extras.js', {
  alias: { '#generated/sentences.js': './build/generated/extras-sentences.js' },
});
write('munchkin-shim.extras.js', `${banner}\n${await shrunk(`globalThis.munchkinShimExtras=(()=>{${extras}})();`)}\n`);

/** The snippet's code, which js-glue/snippet-html.js puts into HTML: each a function, to be called. */
const snippetFunction = async (/** @type {string} */ entry, /** @type {string} */ name) =>
  (await shrunk(`(()=>{${await functionBody(entry)}})().${name}();`, { module: false, expression: true }))
    .replace(/\(\);$/, '')
    .replaceAll('const ', 'let '); // shorter, and the same to what runs
const stub = await snippetFunction('js-glue/snippet.js', 'snippet');
const consentStub = await snippetFunction('js-glue/snippet-consent.js', 'awaitConsent');
writeFileSync(
  'build/generated/stub.js',
  `export const stub = ${JSON.stringify(stub)};\nexport const consentStub = ${JSON.stringify(consentStub)};\n`,
);

/** Keeps what an adapter imports of the package in the package's own file, which the page may import too. */
const ownFileIsExternal = (/** @type {string} */ extension) => ({
  name: 'own-file-is-external',
  /** @param {import('esbuild').PluginBuild} build */
  setup: ({ onResolve }) => onResolve({ filter: /^\.\.\/index\.js$/ }, () => ({ path: `./munchkin-shim.${extension}`, external: true })),
});

/** By file in dist/: what packages import, as ECMAScript and as CommonJS modules. */
const entries = {
  'munchkin-shim': 'js-glue/index.js',
  slim: 'js-glue/slim.js',
  core: 'js-glue/core.js',
  signer: 'js-glue/signer.js',
  snippet: 'js-glue/snippet-html.js',
  segment: 'js-glue/adapters/segment.js',
  analytics: 'js-glue/adapters/analytics.js',
  rudderstack: 'js-glue/adapters/rudderstack.js',
};
for (const [file, entry] of Object.entries(entries).filter(([, path]) => existsSync(path))) {
  for (const [extension, format] of /** @type {const} */ ([['mjs', 'esm'], ['cjs', 'cjs']])) {
    const plugins = [ownFileIsExternal(extension)];
    write(`${file}.${extension}`, `${banner}\n${await bundled(entry, { format, plugins })}`);
  }
}

write('munchkin-shim.asm.js', `${banner}\n${await shrunk(asClassicScript(readFileSync(asmPath, 'utf8')))}\n`);

const { snippetHtml } = await import('../snippet-html.js');
const server = 'https://events.example.com';
write('snippet.html', snippetHtml('000-AAA-000', { server }));
write('snippet-consent.html', snippetHtml('000-AAA-000', { server, consent: 'pending' }));

copyFileSync(wasmPath, 'dist/munchkin_shim.wasm');
