/**
 * How soon a page's visitor is known, and what it costs the page: a hand-written snippet, ours, and Segment, in Chromium
 * on a slow computer behind a slow line. The line is emulated by DevTools, or by slow_line.mjs.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { snippetHtml } from 'munchkin-shim/snippet';
import { launchChromium } from '../browser/chromium.mjs';
import { startServer } from '../server/server_process.mjs';
import { startSimulator } from '../sim/simulator.mjs';
import { inTurn } from './measure.mjs';
import { createSlowLine } from './slow_line.mjs';

const MUNCHKIN_ID = '123-ABC-456';
const KEY = 'private-key-of-the-benchmark';
const CPU_SLOWDOWN = 4;
const ROUND_TRIP = 150;
const BYTES_PER_SECOND = 1.6e6 / 8;
const VISITOR = {
  userId: '1234',
  traits: { email: 'friends@example.com', firstName: 'Jake', lastName: 'Peterson', company: 'Example', plan: 'pro' },
};

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * @typedef {object} PageFigures
 * @property {number} init         ms from the navigation to Munchkin's init
 * @property {number} visit        ms to the first visit on the wire
 * @property {number} lead         ms to the lead on the wire
 * @property {number} script       ms of JavaScript
 * @property {number} longTasks    tasks of 50 ms and more
 * @property {number} longestTask  ms
 * @property {number} heap         bytes of JavaScript's, after a collection
 * @property {number} bytes        transferred, without Munchkin and what it sends
 * @property {number} requests     without Munchkin's
 */

/**
 * A server for the pages' files, in brotli.
 * @param {(path: string) => {type: string, body: string} | undefined} find
 */
async function serve(find) {
  /** @type {Map<string, Buffer>} */
  const compressed = new Map();
  const server = createServer((request, response) => {
    const path = String(request.url);
    const file = find(path);
    if (!file) return void response.writeHead(404).end();
    const body = compressed.get(path) ?? brotliCompressSync(file.body);
    compressed.set(path, body);
    response.writeHead(200, {
      'Content-Type': file.type,
      'Content-Encoding': 'br',
      'Content-Length': body.length,
      'Access-Control-Allow-Origin': '*',
    });
    response.end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}`, close: () => (server.closeAllConnections(), server.close()) };
}

/** @param {string} entry */
async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [here(`pages/${entry}.js`)],
    bundle: true,
    nodePaths: [here('peers/node_modules')],
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2020',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

/**
 * The pages by name, each a document's head.
 * @param {{munchkinUrl: string, server: string, cdn: string}} addresses
 */
async function pages({ munchkinUrl, server, cdn }) {
  const settings = JSON.stringify({ munchkinUrl, server, cdn, munchkinId: MUNCHKIN_ID, visitor: VISITOR });
  const identify = `analytics.identify('1234', ${JSON.stringify(VISITOR.traits)});\n</script>`;
  const bare = await bundle('bare');
  return {
    bare: { head: `<script>window.bench=${settings};${bare}</script>` },
    ours: { head: snippetHtml(MUNCHKIN_ID, { server, munchkinUrl }).replace('</script>', identify) },
    segment: {
      head: `<script>window.bench=${settings}</script><script async src="/segment.js"></script>`,
      script: await bundle('segment'),
    },
  };
}

/**
 * One visit by a new visitor, with an empty cache.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {string} munchkinOrigin
 * @param {boolean} emulated whether DevTools slows the line
 * @returns {Promise<PageFigures>}
 */
async function visit(browser, url, munchkinOrigin, emulated) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Performance.enable');
  if (emulated) {
    await devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: ROUND_TRIP,
      downloadThroughput: BYTES_PER_SECOND,
      uploadThroughput: BYTES_PER_SECOND,
    });
  }
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
  await page.addInitScript(() => {
    const tasks = /** @type {number[]} */ ((/** @type {any} */ (window).longTasks = []));
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: 'longtask',
      buffered: true,
    });
  });

  /** Times in seconds of a clock that all of them share. @type {Record<string, number>} */
  const sent = {};
  const ours = new Set();
  let bytes = 0;
  devtools.on('Network.requestWillBeSent', ({ requestId, request, timestamp }) => {
    const { origin, pathname } = new URL(request.url);
    if (requestId && request.url === url) sent.navigation ??= timestamp;
    if (origin !== munchkinOrigin) ours.add(requestId);
    // Munchkin's loader fetches its tracker when it is told to init.
    else if (/^\/\d+\/munchkin\.js$/.test(pathname)) sent.init ??= timestamp;
    else if (pathname === '/webevents/visitWebPage') sent.visit ??= timestamp;
    else if (pathname === '/webevents/associateLead') sent.lead ??= timestamp;
  });
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (ours.has(requestId)) bytes += encodedDataLength;
  });

  const lead = page.waitForRequest((request) => request.url().includes('/webevents/associateLead'), { timeout: 30000 });
  await page.goto(url);
  await lead;
  await page.waitForLoadState('networkidle');
  const longTasks = await page.evaluate(() => /** @type {any} */ (window).longTasks);
  const { metrics } = await devtools.send('Performance.getMetrics');
  const metric = (/** @type {string} */ name) => Number(metrics.find((one) => one.name === name)?.value);
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  await context.close();

  const after = (/** @type {string} */ what) => (sent[what] - sent.navigation) * 1000;
  return {
    init: after('init'),
    visit: after('visit'),
    lead: after('lead'),
    script: metric('ScriptDuration') * 1000,
    longTasks: longTasks.length,
    longestTask: Math.max(0, ...longTasks),
    heap: usedSize,
    bytes,
    requests: ours.size,
  };
}

/**
 * @param {'devtools' | 'connections'} kind of slow line: DevTools', or one where connections cost round trips too
 * @param {number} rounds
 * @param {(text: string) => void} tell
 */
export async function measurePages(kind, rounds, tell) {
  const emulated = kind === 'devtools';
  const line = createSlowLine({ roundTrip: ROUND_TRIP, bytesPerSecond: BYTES_PER_SECOND });
  const over = (/** @type {string} */ url) => (emulated ? url : line.to(url));

  const simulator = await startSimulator({ privateKey: KEY });
  /** @type {Partial<Awaited<ReturnType<typeof pages>>>} filled once the addresses are known */
  const made = {};
  const site = await serve((path) => {
    if (path === '/segment.js') return { type: 'text/javascript', body: String(made.segment?.script) };
    const { head } = made[/** @type {'bare' | 'ours' | 'segment'} */ (path.slice(1))] || {};
    const body = `<!doctype html><title>A page</title><link rel="icon" href="data:,">${head}<h1>A page</h1>`;
    return head ? { type: 'text/html; charset=utf-8', body } : undefined;
  });
  const settings = { integrations: { Marketo: { munchkinId: MUNCHKIN_ID, type: 'browser' } } };
  const cdn = await serve((path) =>
    path === '/v1/projects/bench/settings' ? { type: 'application/json', body: JSON.stringify(settings) } : undefined
  );
  const siteUrl = await over(site.url);
  const server = await startServer({
    args: ['--allow-origin', siteUrl, '--rate-limit', '0', '--rate-limit-email', '0'],
    env: { MARKETO_API_PRIVATE_KEY: KEY },
  });
  const marketo = await over(simulator.url);
  Object.assign(
    made,
    await pages({ munchkinUrl: `${marketo}/munchkin.js`, server: await over(server.url), cdn: await over(cdn.url) })
  );
  const browser = await launchChromium();

  const measure = (/** @type {string} */ name) => async () => {
    simulator.reset();
    const figures = await visit(browser, `${siteUrl}/${name}`, marketo, emulated);
    const lead = await simulator.waitFor(({ type }) => type === 'associateLead');
    if (lead.signature !== 'valid') throw new Error(`${name}: the lead's signature is ${lead.signature}`);
    return figures;
  };
  try {
    return await inTurn({ bare: measure('bare'), ours: measure('ours'), segment: measure('segment') }, rounds, tell);
  } finally {
    await browser.close();
    await server.stop();
    await simulator.close();
    for (const part of [site, cdn, line]) part.close();
  }
}
