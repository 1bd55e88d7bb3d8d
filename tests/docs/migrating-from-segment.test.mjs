/** web/docs/migrating-from-segment.md: its steps one after another, and what it says of the differences. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentation } from './document.mjs';
import { exampleSite, playedBy, shell, withPorts } from './example_site.mjs';
import { segmentHosts, segmentSnippet, WRITE_KEY } from './segment_cdn.mjs';

const world = exampleSite();
const guide = documentation('migrating-from-segment.md');
const adapter = documentation('segment.md');

guide.notRun('the tests run on its result', '2. Start munchkin-server', 'sh', 0);
const startServer = guide.block('2. Start munchkin-server', 'sh', 1);
const askServer = guide.block('2. Start munchkin-server', 'sh', 2);
const excerpt = guide.block('3. Replace the snippet', 'html', 0);
const writeSnippet = guide.block('3. Replace the snippet', 'sh');
const formOptions = guide.block('3. Replace the snippet', 'js');
const calls = guide.block('3. Replace the snippet', 'html', 1);
const startSimulator = guide.block('Check that it works', 'sh', 0);
const startServerForCopy = guide.block('Check that it works', 'sh', 1);
const optionsOfCopy = guide.block('Check that it works', 'js');
const askSimulator = guide.block('Check that it works', 'sh', 2);
const besideSnippet = adapter.block("On a page with Segment's snippet", 'html');

/** @typedef {import('./example_site.mjs').Player} Player */

const before = `<script>\n${segmentSnippet()}</script>`;

/** Runs the guide's server, and returns who plays https://events.example.com. @param {import('node:test').TestContext} t */
async function munchkinServer(t) {
  const server = await shell(t, startServer);
  const [, url] = await server.wrote(/listening on (\S+)\n/);
  const asked = await shell(t, askServer, server.ports);
  assert.equal(await asked.ended, 0, asked.output());
  return { healthz: asked.output(), hosts: /** @type {Record<string, Player>} */ ({ 'https://events.example.com': playedBy(url) }) };
}

/**
 * What step 3 writes, with other options, and the shim from elsewhere.
 * @param {import('node:test').TestContext} t
 * @param {string} [options] an object, as the guide has it
 * @param {string} [source]
 */
async function newSnippet(t, options, source) {
  const written = await shell(t, writeSnippet);
  assert.equal(await written.ended, 0);
  if (!options) return written.output();
  const given = new Function(`return ${options}`)();
  return written
    .output()
    .replace(/(?<="561-HYG-937",){.*?}(?=\))/, () => JSON.stringify(given))
    .replace(/(?<=<link.*href=")[^"]*/, given.munchkinUrl || '$&')
    .replace(/(?<=src=")[^"]*/, () => String(source));
}

const visits = () => world.simulator.events.filter(({ type }) => type === 'visitWebPage').map(({ path, params }) => `${path}?${params}`);

/** Waits for a lead, whoever sends it. @param {(fields: Record<string, string>) => unknown} [predicate] */
const lead = (predicate = () => true) => world.simulator.waitFor(({ type, leadFields }) => type === 'associateLead' && predicate(leadFields), { timeout: 15_000 });

const ADA = { Email: 'ada@example.com', FirstName: 'Ada', LastName: 'Lovelace' };

test("the excerpt is of Segment's snippet", () => {
  const lines = excerpt.split('\n').filter((line) => line && line !== '…');
  for (const line of lines) assert.ok(before.includes(line), line);
});

test('leaving Segment: before, after, and back', async (t) => {
  const { hosts, healthz } = await munchkinServer(t);
  assert.match(healthz, /^\{"status":"ok"/);

  const first = await world.visit(t, { path: '/plans', head: before, body: calls, hosts: segmentHosts({ marketo: true }) });
  assert.deepEqual((await lead()).leadFields, { ...ADA, name: 'Ada Lovelace', id: '1234', userId: '1234' });
  await world.simulator.waitFor(({ path }) => path === '/event/Signed-up');
  assert.deepEqual(visits().sort(), ['/event/Signed-up?plan=pro&', '/plans?']);
  assert.equal(await first.page.evaluate('localStorage.ajs_user_id'), '"1234"');

  world.simulator.reset();
  const snippet = await newSnippet(t);
  assert.equal(snippet.includes('segment'), false);
  await world.visit(t, { path: '/plans', head: snippet, body: calls, hosts, context: first.context });
  assert.deepEqual((await lead()).leadFields, { ...ADA, Name: 'Ada Lovelace', UserId: '1234' });
  await world.arrival('/event/Signed-up');
  assert.deepEqual(visits().sort(), ['/event/Signed-up?plan=pro', '/plans?']);

  // The user and the traits of Segment's time, and then those of ours, go along.
  const more = "<script>analytics.identify({ step: 1 });</script>";
  await world.visit(t, { path: '/more', head: snippet, body: more, hosts, context: first.context });
  assert.deepEqual((await lead(({ Step }) => Step)).leadFields, { ...ADA, Name: 'Ada Lovelace', Step: '1', UserId: '1234' });

  world.simulator.reset();
  const back = await world.visit(t, {
    path: '/back', head: before, body: more.replace('step: 1', 'back: 2'), hosts: segmentHosts({ marketo: true }), context: first.context,
  });
  assert.deepEqual((await lead()).leadFields, { ...ADA, name: 'Ada Lovelace', step: '1', back: '2', id: '1234', userId: '1234' });
  assert.equal(await back.page.evaluate('localStorage.ajs_user_id'), '"1234"');
});

test('keeping Segment: before, after, and back; Segment itself has every call all the time', async (t) => {
  const { hosts } = await munchkinServer(t);
  /** @type {any[]} */
  const events = [];
  const segmentHas = async (/** @type {number} */ count) => {
    for (let waited = 0; events.length < count && waited < 50; waited++) await new Promise((resolve) => setTimeout(resolve, 100));
    return events.map(({ type }) => type).sort();
  };

  const first = await world.visit(t, { path: '/plans', head: before, body: calls, hosts: segmentHosts({ marketo: true, events }) });
  await lead();
  assert.deepEqual(await segmentHas(3), ['identify', 'page', 'track']);

  world.simulator.reset();
  events.length = 0;
  const load = `analytics.load("${WRITE_KEY}");`;
  assert.ok(before.includes(load));
  const after = before.replace(load, '') + besideSnippet;
  await world.visit(t, { path: '/plans', head: after, body: calls, hosts: { ...segmentHosts({ events }), ...hosts }, context: first.context });
  assert.deepEqual((await lead()).leadFields, { ...ADA, Name: 'Ada Lovelace', UserId: '1234' });
  await world.arrival('/event/Signed-up');
  assert.deepEqual(visits().sort(), ['/event/Signed-up?plan=pro', '/plans?']);
  assert.deepEqual(await segmentHas(3), ['identify', 'page', 'track']);

  world.simulator.reset();
  await world.visit(t, { path: '/plans', head: before, body: calls, hosts: segmentHosts({ marketo: true }), context: first.context });
  assert.deepEqual((await lead()).leadFields, { ...ADA, name: 'Ada Lovelace', id: '1234', userId: '1234' });
});

test('leaving Segment, with the form', async (t) => {
  const opened = await world.visit(t, {
    path: '/plans',
    head: await newSnippet(t, formOptions, '/marketo/munchkin-shim.js'),
    body: calls,
  });
  const submitted = await world.simulator.waitFor(({ type }) => type === 'formSubmit');
  assert.deepEqual(submitted.leadFields, { ...ADA, Name: 'Ada Lovelace', UserId: '1234' });
  await world.arrival('/event/Signed-up');
  assert.deepEqual(opened.requests.filter((url) => url.includes('events.example.com')), []);
});

test('the check: the simulator says that the signature is valid', async (t) => {
  const ports = { 8000: Number(new URL(world.siteAddress).port) };
  const simulator = await shell(t, startSimulator, ports);
  await simulator.wrote(/listening on/);
  const server = await shell(t, startServerForCopy, ports);
  await server.wrote(/listening on/);
  const here = (/** @type {number} */ port) => /** @type {Record<string, number>} */ (ports)[port];
  const options = withPorts(optionsOfCopy, ports);

  const { siteUrl } = world;
  t.after(() => (world.siteUrl = siteUrl));
  world.siteUrl = `http://localhost:${here(8000)}`;
  const goOn = (/** @type {import('playwright-core').Route} */ route) => route.continue();
  await world.visit(t, {
    head: await newSnippet(t, options, `http://127.0.0.1:${here(8080)}/munchkin-shim.js`),
    body: calls,
    hosts: Object.fromEntries([world.siteUrl, ...[8080, 8090].map((port) => `http://127.0.0.1:${here(port)}`)].map((url) => [url, goOn])),
  });
  let output = '';
  for (let tries = 0; !output.includes('associateLead') && tries < 50; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const asked = await shell(t, askSimulator, ports);
    assert.equal(await asked.ended, 0);
    output = asked.output();
  }
  assert.match(output, /"type":"associateLead".*"signature":"valid"/);
});

guide.testCoverage();
