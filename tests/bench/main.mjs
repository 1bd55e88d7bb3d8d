/**
 * Measures ours beside others, prints the figures and what they are held against, and writes build/bench.json. Fails only
 * if something could not be measured.
 *
 *     node tests/bench/main.mjs [sizes] [pages] [calls] [server]      `make bench` runs all four
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

// The build without sanitizers; before server_process.mjs looks.
process.env.MUNCHKIN_SERVER ||= fileURLToPath(new URL('../../build/munchkin-server', import.meta.url));
const { measureCalls } = await import('./calls.mjs');
const { measurePages } = await import('./pages.mjs');
const { CONNECTIONS, measureServers } = await import('./server.mjs');

const ROUNDS = { pages: 7, calls: 5, server: 3 };
const OUTPUT = new URL('../../build/bench.json', import.meta.url);
const PARTS = process.argv.length > 2 ? process.argv.slice(2) : ['sizes', 'pages', 'calls', 'server'];

/** @param {string} text */
function tell(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** @param {string} title @param {string[]} columns @param {(string | number)[][]} rows */
function table(title, columns, rows) {
  tell('');
  const lines = [columns, ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const written = lines.map((line) => line.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  '));
  console.log(`\n${title}\n\n  ${written[0]}\n  ${widths.map((width) => '-'.repeat(width)).join('  ')}`);
  for (const line of written.slice(1)) console.log(`  ${line}`);
}

const whole = (/** @type {number} */ value) => Math.round(value).toLocaleString('en');
const ratio = (/** @type {number} */ value) => value.toFixed(2);

function measureSizes() {
  const brotli = (/** @type {string} */ file) =>
    brotliCompressSync(readFileSync(new URL(`../../dist/${file}`, import.meta.url))).length;
  return {
    script: brotli('munchkin-shim.js'),
    module: brotli('munchkin_shim.wasm'),
    snippet: readFileSync(new URL('../../dist/snippet.html', import.meta.url)).length,
  };
}

/** @param {string} title @param {Record<string, import('./pages.mjs').PageFigures>} figures */
function printPages(title, figures) {
  const rows = Object.entries(figures).map(([name, one]) => [
    name,
    ...[one.init, one.visit, one.lead, one.script, one.longTasks, one.longestTask, one.heap / 1024, one.bytes, one.requests].map(whole),
  ]);
  table(title, ['page', 'init ms', 'visit ms', 'lead ms', 'script ms', 'long tasks', 'longest ms', 'heap KB', 'bytes', 'requests'], rows);
}

/** @param {Awaited<ReturnType<typeof measureCalls>>} calls */
function printCalls({ wasm, native, facade }) {
  const rows = Object.keys(wasm).map((name) => [
    name,
    whole(wasm[name]),
    whole(native[name]),
    facade[name] ? whole(facade[name]) : '',
    facade[name] ? ratio(facade[name] / wasm[name]) : '',
  ]);
  table('Calls, nanoseconds', ['call', 'ours', 'native', 'facade', 'facade / ours'], rows);
}

/** @param {Awaited<ReturnType<typeof measureServers>>} servers */
function printServers(servers) {
  const rows = CONNECTIONS.flatMap((connections) =>
    Object.entries(servers).map(([name, figures]) => {
      const { perSecond, p50, p99, megabytes } = figures[connections];
      return [`${name}, ${connections}`, whole(perSecond), ratio(p50), ratio(p99), megabytes.toFixed(1)];
    })
  );
  table('POST /v1/hash', ['server, connections', 'a second', 'p50 ms', 'p99 ms', 'MB'], rows);
}

/** Each figure beside what it is held against. @param {any} measured */
function goals({ sizes, pages, connections, calls, server }) {
  /** @type {[what: string, is: string, limit: number, value: number, write: (value: number) => string][]} */
  const rows = [];
  const add = (/** @type {any[]} */ ...row) => rows.push(/** @type {any} */ (row));
  if (sizes) {
    add('munchkin-shim.js in brotli, bytes', '≤', 11264, sizes.script, whole);
    add('munchkin_shim.wasm in brotli, bytes', '≤', 7168, sizes.module, whole);
    add('snippet, bytes', '≤', 900, sizes.snippet, whole);
  }
  if (pages) {
    const { bare, ours, segment } = pages;
    add('Munchkin init, ours / bare', '≤', 1.1, ours.init / bare.init, ratio);
    add('identify sent, ours / bare', '≤', 0.95, ours.lead / bare.lead, ratio);
    add('identify sent, ours / bare, connections cost round trips', '≤', 0.95, connections.ours.lead / connections.bare.lead, ratio);
    add('identify sent, Segment / ours', '≥', 3.5, segment.lead / ours.lead, ratio);
    add('script time, ours − bare, ms', '≤', 20, ours.script - bare.script, whole);
    add('long tasks, ours − bare', '≤', 0, ours.longTasks - bare.longTasks, whole);
  }
  if (calls) {
    const twenty = 'identify, 20 traits';
    const exponents = Object.values(calls.growth).map((/** @type {any} */ { exponent }) => exponent);
    add('identify of 20 traits, facade / ours', '≥', 2, calls.facade[twenty] / calls.wasm[twenty], ratio);
    add('growth of cost from 1 to 64 KB, exponent', '≤', 1.1, Math.max(...exponents), ratio);
    add('wasm memory after 10,000 calls, KB', '≤', 256, calls.memory.after10000 / 1024, whole);
    add('wasm memory, after 10,000 − after 1,000 calls, KB', '≤', 0, (calls.memory.after10000 - calls.memory.after1000) / 1024, whole);
  }
  if (server) {
    add('hashes a second, ours / nginx constant, 32 connections', '≥', 0.9, server.ours[32].perSecond / server.nginx[32].perSecond, ratio);
    add('hashes a second, ours / Node signer, 32 connections', '≥', 3, server.ours[32].perSecond / server.node[32].perSecond, ratio);
    add('server memory at 256 connections, MB', '≤', 16, server.ours[256].megabytes, (/** @type {number} */ value) => value.toFixed(1));
  }
  return rows.map(([what, is, limit, value, write]) => {
    const met = is === '≤' ? value <= limit : value >= limit;
    return { what, goal: `${is} ${limit.toLocaleString('en')}`, measured: write(value), met };
  });
}

const started = Date.now();
/** @type {any} */
const measured = { date: new Date().toISOString(), machine: `${cpus().length} × ${cpus()[0].model}`, node: process.version };
console.log(`Measuring ${PARTS.join(', ')} on ${measured.machine}; about 4 minutes for all`);
if (PARTS.includes('sizes')) measured.sizes = measureSizes();
if (PARTS.includes('pages')) {
  measured.pages = await measurePages('devtools', ROUNDS.pages, (text) => tell(`Pages: ${text}`));
  printPages("Pages; CPU 4 times slower, 1.6 Mbit/s, 150 ms, as DevTools emulates it", measured.pages);
  measured.connections = await measurePages('connections', ROUNDS.pages, (text) => tell(`Pages: ${text}`));
  printPages('The same, where a new connection costs its two round trips', measured.connections);
}
if (PARTS.includes('calls')) {
  measured.calls = await measureCalls(ROUNDS.calls, (text) => tell(`Calls: ${text}`));
  printCalls(measured.calls);
}
if (PARTS.includes('server')) {
  measured.server = await measureServers(ROUNDS.server, (text) => tell(`Server: ${text}`));
  printServers(measured.server);
}
measured.goals = goals(measured);
table('Goals', ['what', 'goal', 'measured', 'met'], measured.goals.map((/** @type {any} */ one) => [one.what, one.goal, one.measured, one.met ? 'yes' : 'no']));
mkdirSync(new URL('.', OUTPUT), { recursive: true });
writeFileSync(OUTPUT, `${JSON.stringify(measured, null, 2)}\n`);
console.log(`\nWritten to build/bench.json, after ${Math.round((Date.now() - started) / 1000)} s`);
