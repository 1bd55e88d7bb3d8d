/**
 * Measures ours beside others, prints the figures and what they are held against, and writes build/bench.json. Fails only
 * if something could not be measured, or if the soak lost something.
 *
 *     node tests/bench/main.mjs [PART]...      `make bench` runs all: sizes, pages, calls, server, intake, backlog, replay, soak
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { printSoak, soakFailures, soakGoals } from './soak_report.mjs';
import { goal, printGoals, ratio, table, tell, tenths, whole } from './table.mjs';

// The build without sanitizers; before server_process.mjs looks.
process.env.MUNCHKIN_SERVER ||= fileURLToPath(new URL('../../build/munchkin-server', import.meta.url));
const { measureBacklog, SPEED } = await import('./backlog.mjs');
const { measureCalls } = await import('./calls.mjs');
const { measureIntake } = await import('./intake.mjs');
const { measurePages } = await import('./pages.mjs');
const { measureReplay, PEER_CALLS_PER_EVENT } = await import('./replay.mjs');
const { CONNECTIONS, measureServers } = await import('./server.mjs');
const { measureSoak } = await import('./soak.mjs');

const ROUNDS = { pages: 7, calls: 5, server: 3, intake: 3 };
const OUTPUT = new URL('../../build/bench.json', import.meta.url);
const SOAK_SECONDS = 600;
const ALL = ['sizes', 'pages', 'calls', 'server', 'intake', 'backlog', 'replay', 'soak'];
const PARTS = process.argv.length > 2 ? process.argv.slice(2) : ALL;

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

const INTAKE = {
  disk: 'disk: 1 KB appended, fdatasync',
  ours: 'ours, one identify a request',
  batches: 'ours, 100 identifies a request',
  node: 'Node.js, each appended and synced',
};

/** @param {string} title @param {Awaited<ReturnType<typeof measureIntake>>} intake */
function printIntake(title, intake) {
  const rows = Object.entries(INTAKE).map(([key, name]) => {
    const { perSecond, p50, p99 } = intake[/** @type {keyof typeof INTAKE} */ (key)];
    return [name, whole(perSecond), ratio(perSecond / intake.disk.perSecond), ratio(p50), ratio(p99)];
  });
  table(title, ['what', 'a second', 'to the disk', 'p50 ms', 'p99 ms'], rows);
}

/** @param {Awaited<ReturnType<typeof measureBacklog>>} backlog */
function printBacklog({ events, gathered, drained }) {
  table(`${whole(events)} identifies wait, each of another lead; then ${whole(drained.leads)} go out, the clock ${SPEED} times as fast`, ['what', 'measured'], [
    ['taken in, a second', whole(gathered.perSecond)],
    ['memory while they came, MB', whole(gathered.megabytes)],
    ['database, MB', whole(gathered.database)],
    ['its write-ahead log, MB', whole(gathered.log)],
    ['start with all of them, s', ratio(drained.startSeconds)],
    ['leads out, a second of the clock', whole(drained.perSecond)],
    ['of what the limits allow, %', (100 * drained.ofCeiling).toFixed(1)],
    ['real time for that, s', whole(drained.seconds)],
    ["the server's processor time in that, s", whole(drained.processorSeconds)],
    ['memory while they went, MB', whole(drained.megabytes)],
  ]);
}

/** @param {Awaited<ReturnType<typeof measureReplay>>} replay */
function printReplay({ events, people, calls }) {
  table(`An hour's ${whole(events)} identifies of ${whole(people)} people, on a clock that is moved`, ['what', 'calls to Marketo'], [
    ['ours', whole(calls)],
    [`RudderStack's transformer, reckoned: ${PEER_CALLS_PER_EVENT} for each`, whole(events * PEER_CALLS_PER_EVENT)],
  ]);
}

/** @param {any} measured */
function goals({ sizes, pages, connections, calls, server, intake, slowIntake, backlog, replay, soak }) {
  /** @type {import('./table.mjs').Goal[]} */
  const rows = [];
  const add = (/** @type {Parameters<typeof goal>} */ ...figure) => rows.push(goal(...figure));
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
    add('server memory at 256 connections, MB', '≤', 16, server.ours[256].megabytes, tenths);
  }
  for (const [disk, one] of [['', intake], [', disk 2 ms slower', slowIntake]]) {
    if (!one) continue;
    add(`identifies a second, ours / fdatasync${disk}`, '≥', 3, one.ours.perSecond / one.disk.perSecond, ratio);
    add(`the same in batches of 100 / fdatasync${disk}`, '≥', 10, one.batches.perSecond / one.disk.perSecond, ratio);
    add(`identifies a second, ours / Node.js${disk}`, '≥', 4, one.ours.perSecond / one.node.perSecond, ratio);
  }
  if (backlog) {
    const { gathered, drained } = backlog;
    add('memory with a million events waiting, MB', '≤', 64, Math.max(gathered.megabytes, drained.megabytes), whole);
    add('leads out, of what the limits allow, %', '≥', 95, 100 * drained.ofCeiling, tenths);
  }
  if (replay) {
    add('calls to Marketo for each event', '≤', 0.01, replay.calls / replay.events, (/** @type {number} */ value) => value.toFixed(4));
  }
  if (soak) rows.push(...soakGoals(soak));
  return rows;
}

const started = Date.now();
/** @type {any} */
const measured = { date: new Date().toISOString(), machine: `${cpus().length} × ${cpus()[0].model}`, node: process.version };
console.log(`Measuring ${PARTS.join(', ')} on ${measured.machine}; about 25 minutes for all`);
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
if (PARTS.includes('intake')) {
  measured.intake = await measureIntake(ROUNDS.intake, (text) => tell(`Intake: ${text}`));
  printIntake('Identifies on disk before they are answered, 32 connections', measured.intake);
  measured.slowIntake = await measureIntake(1, (text) => tell(`Intake, slower disk: ${text}`), { slowDisk: true });
  printIntake('The same on a disk that takes 2 ms longer to sync', measured.slowIntake);
}
if (PARTS.includes('backlog')) {
  measured.backlog = await measureBacklog((text) => tell(`Backlog: ${text}`));
  printBacklog(measured.backlog);
}
if (PARTS.includes('replay')) {
  measured.replay = await measureReplay((text) => tell(`Replay: ${text}`));
  printReplay(measured.replay);
}
if (PARTS.includes('soak')) {
  measured.soak = await measureSoak(SOAK_SECONDS, (text) => tell(`Soak: ${text}`));
  printSoak(measured.soak);
}
measured.goals = goals(measured);
printGoals(measured.goals);
mkdirSync(new URL('.', OUTPUT), { recursive: true });
writeFileSync(OUTPUT, `${JSON.stringify(measured, null, 2)}\n`);
console.log(`\nWritten to build/bench.json, after ${Math.round((Date.now() - started) / 1000)} s`);
const failures = measured.soak ? soakFailures(measured.soak) : [];
for (const failure of failures) console.log(`\n${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
