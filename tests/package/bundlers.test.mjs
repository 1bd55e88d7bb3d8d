/**
 * The packed package in projects of five bundlers, each built and opened in Chromium, with a real munchkin-server and
 * the simulator in Marketo's place.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launchChromium } from '../browser/chromium.mjs';
import { MUNCHKIN_ID, PRIVATE_KEY } from '../browser/customer.mjs';
import { startServer } from '../server/server_process.mjs';
import { startSimulator } from '../sim/simulator.mjs';
import { assertSigns, KEY } from './signing.mjs';
import { freePort, serveFolder, startNext } from './site.mjs';
import { build, pack } from './tarball.mjs';

/** Text that only what loads Munchkin has. */
const LOADER = 'munchkin.marketo.net';

/** @type {string} */
let tarball;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  [tarball, browser] = await Promise.all([pack('bundlers'), launchChromium()]);
});

after(() => browser?.close());

/**
 * A munchkin-server for a site, and a Marketo of its own.
 * @param {import('node:test').TestContext} t
 * @param {string} origin
 */
async function startMarketo(t, origin) {
  const simulator = await startSimulator({ privateKey: PRIVATE_KEY });
  t.after(() => simulator.close());
  const server = await startServer({
    args: ['--allow-origin', origin],
    env: { MARKETO_API_PRIVATE_KEY: PRIVATE_KEY },
  });
  t.after(() => server.stop());
  return { simulator, server: server.url, munchkinUrl: `${simulator.url}/munchkin.js` };
}

/**
 * Opens a page as a new visitor.
 * @param {import('node:test').TestContext} t
 * @param {string} url
 */
async function open(t, url) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  /** @type {string[]} what went wrong on the page: exceptions, and errors in the console */
  const errors = [];
  const note = (/** @type {string} */ error) => {
    errors.push(error);
    t.diagnostic(error); // it may be why something else does not come
  };
  page.on('pageerror', (error) => note(`${error.stack}`));
  page.on('console', (message) => {
    if (message.type() === 'error') note(`${message.text()} ${message.location().url}`);
  });
  await page.goto(url);
  return { page, errors };
}

/**
 * Waits until the lead has arrived that every project identifies, and the visits of these paths; there are no others.
 * @param {import('../sim/simulator.mjs').Simulator} simulator
 * @param {string[]} paths
 */
async function assertArrived(simulator, paths) {
  const lead = await simulator.waitFor(({ type }) => type === 'associateLead');
  assert.equal(lead.signature, 'valid');
  assert.equal(lead.munchkinId, MUNCHKIN_ID);
  const { Email, FirstName, LastName } = lead.leadFields;
  assert.deepEqual([Email, FirstName, LastName], ['ada@example.com', 'Ada', 'Lovelace']);

  const visits = () => simulator.events.filter(({ type }) => type === 'visitWebPage');
  await simulator.waitFor(() => visits().length >= paths.length);
  // Their order is the network's: each is a request of its own.
  assert.deepEqual(visits().map(({ path }) => path).sort(), [...paths].sort());
  assert.equal(visits().find(({ path }) => path === '/event/Signed-up')?.params, 'plan=pro');
}

/**
 * Opens a page of a site, and checks what Marketo has received from it.
 * @param {import('node:test').TestContext} t
 * @param {Awaited<ReturnType<typeof serveFolder>>} site
 * @param {string} path
 */
async function assertTracked(t, site, path) {
  const { simulator, server, munchkinUrl } = await startMarketo(t, site.url);
  site.config = { munchkinId: MUNCHKIN_ID, server, munchkinUrl };
  const { errors } = await open(t, site.url + path);
  await assertArrived(simulator, [path, '/event/Signed-up']);
  assert.deepEqual(errors, []);
}

/** What `<bundler>/core.js` shows. */
const CORE_RESULT = { ok: true, call: ['visitWebPage', { url: '/event/Signed-up', params: '' }], warnings: [] };

/** What a script of the projects is made of, by the beginning of its name. */
const OWN = /** @type {Record<string, string>} */ ({ core: 'core.mjs', required: 'munchkin-shim.cjs', slim: 'slim.mjs' });

/** Bytes that a script may have beside the package's. */
const PROJECTS_OWN_CODE = 1024;

/** By name, what its build makes a web site of: a folder, and the scripts that load Munchkin with their pages. */
const STATIC = {
  vite: { root: 'dist', entries: ['index', 'slim'], pages: ['/', '/slim.html'] },
  webpack: { root: 'public', entries: ['main', 'required', 'slim'], pages: ['/', '/required.html', '/slim.html'] },
  esbuild: { root: 'public', entries: ['main', 'slim'], pages: ['/', '/slim.html'] },
  rollup: { root: 'public', entries: ['main', 'slim'], pages: ['/', '/slim.html'] },
};

/** @param {string} folder */
function scriptsBelow(folder) {
  const files = readdirSync(folder, { recursive: true }).map(String);
  return files
    .filter((file) => file.endsWith('.js'))
    .map((file) => ({ file: basename(file), code: readFileSync(join(folder, file), 'utf8') }));
}

test('the README shows what is tested here of munchkin-shim/slim, to the letter', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const shown = [...readme.matchAll(/^```(?:js|sh)\n(.*?)^```$/gms)].map(([, code]) => code);
  /** @param {string} file */
  const project = (file) => readFileSync(new URL(`projects/${file}`, import.meta.url), 'utf8');
  const byModule = shown.find((code) => code.includes("from 'munchkin-shim/slim'")) ?? 'not shown';
  for (const bundler of ['vite', 'webpack']) assert.ok(project(`${bundler}/slim.js`).startsWith(byModule), bundler);

  const byPath = shown.find((code) => code.includes("createAnalytics('")) ?? 'not shown';
  const copying = shown.find((code) => code.startsWith('cp node_modules/munchkin-shim/')) ?? 'not shown';
  for (const bundler of ['esbuild', 'rollup']) {
    assert.ok(project(`${bundler}/slim.js`).includes(byPath), bundler);
    assert.ok(JSON.parse(project(`${bundler}/package.json`)).scripts.build.startsWith(`${copying.trim()} && `), bundler);
  }
});

// Two at a time: installing waits for the network, building for the processor.
describe('bundlers', { concurrency: 2 }, () => {
  for (const [name, { root, entries, pages }] of Object.entries(STATIC)) {
    test(name, async (t) => {
      const folder = await build(name, tarball);
      const site = await serveFolder(t, join(folder, root));

      for (const path of pages) {
        await t.test(`${path} is tracked`, (t) => assertTracked(t, site, path));
      }

      await t.test('the rules alone work, and bring nothing that loads Munchkin', async (t) => {
        const { page, errors } = await open(t, `${site.url}/core.html`);
        assert.deepEqual(JSON.parse(String(await page.getByText('{').textContent())), CORE_RESULT);
        assert.deepEqual(errors, []);

        const withLoader = scriptsBelow(join(folder, root)).filter(({ code }) => code.includes(LOADER));
        assert.deepEqual(withLoader.map(({ file }) => file.split(/[.-]/)[0]), entries);
      });

      await t.test('no script is larger than what the package has in that form', () => {
        const bundled = scriptsBelow(join(folder, root));
        assert.ok(bundled.length > entries.length);
        for (const { file, code } of bundled) {
          const own = OWN[file.split(/[.-]/)[0]] || 'munchkin-shim.mjs';
          const most = statSync(join(folder, 'node_modules/munchkin-shim/dist', own)).size + PROJECTS_OWN_CODE;
          assert.ok(Buffer.byteLength(code) <= most, `${file}: ${Buffer.byteLength(code)} bytes, of ${own}`);
        }
      });
    });
  }

  test('next', async (t) => {
    const folder = await build('next', tarball);
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const { simulator, server, munchkinUrl } = await startMarketo(t, origin);
    const { output } = await startNext(t, folder, port, { MUNCHKIN_ID, MUNCHKIN_SERVER: server, MUNCHKIN_URL: munchkinUrl });

    const { page, errors } = await open(t, origin);
    assert.equal(await page.textContent('output'), 'not_a_browser');
    await simulator.waitFor(({ path }) => path === '/');
    await page.click('a');
    await page.waitForURL('**/pricing');
    await page.click('button');
    await assertArrived(simulator, ['/', '/pricing', '/event/Signed-up']);
    assert.deepEqual(errors, []);
    assert.doesNotMatch(output(), /error|⨯|⚠/i);

    await t.test('signs for itself, in a route of its own', async (t) => {
      const port = await freePort();
      const { output } = await startNext(t, folder, port, { MARKETO_API_PRIVATE_KEY: KEY });
      await assertSigns(`http://127.0.0.1:${port}/v1/lead`);
      assert.doesNotMatch(output(), /error|⨯|⚠/i);
    });
  });
});
