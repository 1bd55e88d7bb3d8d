/**
 * Makes dist/ from js-glue, the WebAssembly module and build/generated.
 *
 *     node js-glue/build/bundle.mjs build/munchkin_shim.wasm build/munchkin_shim.asm.mjs
 */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';

const [wasmPath, asmPath] = process.argv.slice(2);
const { name, version, license } = JSON.parse(readFileSync('package.json', 'utf8'));
const banner = `/*! ${name} ${version} | ${license} | with cJSON, MIT */`;

/** Browsers of 2020 and later: the first with all that the shim uses. */
const target = 'es2020';

/** @param {string} entry @param {import('esbuild').BuildOptions} options */
async function bundled(entry, options) {
  const result = await build({ entryPoints: [entry], bundle: true, write: false, target, charset: 'utf8', ...options });
  return /** @type {import('esbuild').OutputFile[]} */ (result.outputFiles)[0].text;
}

/** @param {string} source @param {import('terser').FormatOptions} [format] */
async function shrunk(source, format = {}) {
  const { code } = await minify(source, {
    ecma: 2020,
    module: true,
    compress: { passes: 4, unsafe_arrows: true, pure_getters: true, keep_fargs: false, hoist_funs: true },
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
  alias: { '#generated/wasm.js': './build/generated/wasm-text.js' },
});
/** Chromium then compiles all functions while it downloads, off the main thread. */
const eager = '//# allFunctionsCalledOnLoad';

// Single quotes, as the module's literal has: the same bytes again cost less.
const code = (await shrunk(script, { quote_style: 1 })).replace("'WASM'", wasmLiteral);
write('munchkin-shim.js', `${byteOrderMark}${banner}\n${eager}\n${code}\n`);

for (const [file, entry] of [['munchkin-shim', 'js-glue/index.js'], ['core', 'js-glue/core.js']]) {
  for (const [extension, format] of /** @type {const} */ ([['mjs', 'esm'], ['cjs', 'cjs']])) {
    write(`${file}.${extension}`, `${banner}\n${await bundled(entry, { format })}`);
  }
}

write('munchkin-shim.asm.js', `${banner}\n${await shrunk(asClassicScript(readFileSync(asmPath, 'utf8')))}\n`);

const head = readFileSync('js-glue/snippet.js', 'utf8').replace('export function', 'return function');
const stub = await shrunk(
  `(()=>{${head}})()(window,"analytics","000-AAA-000",{server:"https://events.example.com"});`,
);
// With crossorigin the request for the hash finds the connection open: browsers keep those with cookies apart.
write('snippet.html', `<link rel="preload" as="script" href="https://munchkin.marketo.net/munchkin.js">
<script>
${stub}
analytics.page();
</script>
<script async crossorigin src="https://events.example.com/munchkin-shim.js"></script>
`);

copyFileSync(wasmPath, 'dist/munchkin_shim.wasm');
