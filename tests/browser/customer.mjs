/**
 * A customer's web site with everything it needs, each part the real one on an origin of its own:
 * Chromium, munchkin-server, and the simulator in Marketo's place.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach } from 'node:test';
import { snippetHtml } from 'munchkin-shim/snippet';
import { createTestClock } from '../server/clock.mjs';
import { startServer } from '../server/server_process.mjs';
import { startSimulator } from '../sim/simulator.mjs';
import { launchChromium } from './chromium.mjs';

export const MUNCHKIN_ID = '561-HYG-937';
export const PRIVATE_KEY = 'private-key-of-the-tests';
const REST_CLIENT = { id: 'client-of-the-tests', secret: 'secret-of-the-tests' };
/** What leads have beside the standard fields. */
const FIELDS = [{ name: 'userId', soapName: 'UserId' }, { name: 'plan', soapName: 'Plan' }];

const DIST = new URL('../../dist/', import.meta.url);
const TYPES = /** @type {Record<string, string>} */ ({ js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm' });

/**
 * @typedef {object} Visit
 * @property {string} [head] HTML
 * @property {string} [body] HTML
 * @property {string} [path]
 * @property {Record<string, string>} [headers] of the page
 * @property {import('playwright-core').BrowserContext} [context] of a visitor who has been here
 * @property {(page: import('playwright-core').Page) => Promise<unknown>} [prepare] before the page is opened
 */

/**
 * Starts the customer's world before the tests of a file, or of a suite, and ends it after them.
 * @param {object} [options]
 * @param {string} [options.origin] the site's, if tests route it to its address; else that is its origin
 * @param {'private key' | 'rest'} [options.credentials] that the server has, of the account
 * @param {string} [options.tokenSecret] by which the server wants tokens
 */
export function customer({ origin, credentials = 'private key', tokenSecret } = {}) {
  /** @type {Map<string, Visit>} */
  const pages = new Map();
  const site = createServer((request, response) => {
    const path = String(request.url).split('?')[0];
    const visit = pages.get(path);
    if (visit) {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...visit.headers });
      response.end(`<!doctype html><html><head><title>Test</title><link rel="icon" href="data:,">${visit.head || ''}</head><body>${visit.body || ''}</body></html>`);
      return;
    }
    const file = /^\/dist\/([\w.-]+\.(\w+))$/.exec(path);
    if (!file) return void response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': TYPES[file[2]] || 'text/plain' });
    response.end(readFileSync(new URL(file[1], DIST)));
  });

  const world = {
    siteAddress: '',
    siteUrl: '',
    serverUrl: '',
    /** @type {import('../sim/simulator.mjs').Simulator} */
    simulator: /** @type {any} */ (undefined),
    /** The server's and the simulator's, where the server has credentials for REST. */
    clock: /** @type {import('../server/clock.mjs').TestClock} */ (/** @type {any} */ (undefined)),
    /** @type {import('playwright-core').Browser} */
    browser: /** @type {any} */ (undefined),

    /** The script tag. @param {Record<string, string | undefined>} [attributes] in place of the usual ones */
    tag(attributes = {}) {
      const all = {
        src: '/dist/munchkin-shim.js',
        'data-munchkin-id': MUNCHKIN_ID,
        'data-server': world.serverUrl,
        'data-munchkin-url': `${world.simulator.url}/munchkin.js`,
        ...attributes,
      };
      const text = Object.entries(all)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}='${value}'`);
      return `<script ${text.join(' ')}></script>`;
    },

    /** The snippet for the head, filled in. @param {object} [options] */
    wholeSnippet(options = {}) {
      const all = { server: world.serverUrl, munchkinUrl: `${world.simulator.url}/munchkin.js`, ...options };
      return snippetHtml(MUNCHKIN_ID, { src: '/dist/munchkin-shim.js', ...all });
    },

    /** The same without its page(). @param {object} [options] */
    snippet: (options = {}) => world.wholeSnippet(options).replace(').page();', ');'),

    /**
     * Opens a page as a new visitor, or one who has been here.
     * @param {import('node:test').TestContext} t
     * @param {Visit} visit
     */
    async open(t, visit) {
      const path = visit.path || '/';
      pages.set(path.split('?')[0].split('#')[0], visit);
      const context = visit.context || (await world.browser.newContext());
      if (!visit.context) t.after(() => context.close());
      const page = await context.newPage();
      /** @type {string[]} what the page's own error handling would see */
      const errors = [];
      page.on('pageerror', (error) => errors.push(`${error.message}`));
      await visit.prepare?.(page);
      // Not until all is loaded: some tests hold a script back.
      await page.goto(world.siteUrl + path, { waitUntil: 'domcontentloaded' });
      return { page, context, errors };
    },

    /** Ends the server. It can be started again where it was, and with what it has on disk. */
    stopServer: async () => void (await server?.stop()),
    startServer: () => startServerAt(Number(new URL(world.serverUrl).port)),

    /** A web event with this path. @param {string} path */
    arrival: (path) => world.simulator.waitFor((event) => event.path === path),

    /**
     * Waits for as many visits, and says whether they are those of these paths. Their order is the network's: each is a
     * request of its own.
     * @param {string[]} paths
     */
    async visited(paths) {
      const visits = () => world.simulator.events.filter(({ type }) => type === 'visitWebPage').map(({ path }) => path);
      await world.simulator.waitFor(() => visits().length >= paths.length);
      assert.deepEqual(visits().sort(), [...paths].sort());
    },
  };

  /** @type {Awaited<ReturnType<typeof startServer>> | undefined} */
  let server;
  let folder = '';

  /** @param {number} port 0 for any */
  async function startServerAt(port) {
    const byRest = [...['--munchkin-id', MUNCHKIN_ID, '--db', join(folder, 'queue.db')],
      ...['--rest-url', world.simulator?.url, '--webevents-url', world.simulator?.url]];
    const env = { MARKETO_CLIENT_ID: REST_CLIENT.id, MARKETO_CLIENT_SECRET: REST_CLIENT.secret };
    /** @type {Record<string, string>} */
    const tokens = tokenSecret ? { MUNCHKIN_TOKEN_SECRET: tokenSecret } : {};
    server = await startServer({
      args: ['--listen', `127.0.0.1:${port}`, '--allow-origin', world.siteUrl, '--rate-limit', '0', '--rate-limit-email', '0', ...(credentials === 'rest' ? byRest : [])],
      env: { ...tokens, ...(credentials === 'rest' ? { ...env, ...world.clock.env } : { MARKETO_API_PRIVATE_KEY: PRIVATE_KEY }) },
    });
    world.serverUrl = server.url;
  }

  /** A server of its own for each Marketo, since it has to know where that is. */
  async function restartForRest() {
    await endForRest();
    folder = mkdtempSync(join(tmpdir(), 'munchkin-customer-'));
    world.clock = createTestClock(world.simulator);
    await startServerAt(0);
  }

  async function endForRest() {
    await server?.stop();
    world.clock?.close();
    if (folder) rmSync(folder, { recursive: true });
    folder = '';
  }

  before(async () => {
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (site.address());
    world.siteAddress = `http://127.0.0.1:${port}`;
    world.siteUrl = origin || world.siteAddress;
    if (credentials === 'private key') await startServerAt(0);
    world.browser = await launchChromium();
  });

  after(async () => {
    await world.browser?.close();
    if (credentials === 'rest') await endForRest();
    else await server?.stop();
    await world.simulator?.close();
    site.closeAllConnections();
    site.close();
  });

  // A Marketo for each test: what the page of an earlier one still sends finds nobody there.
  beforeEach(async () => {
    pages.clear();
    await world.simulator?.close();
    if (credentials === 'rest') {
      // As Marketo is today: its tracker does not take associateLead any more.
      world.simulator = await startSimulator({ restClient: REST_CLIENT, associateLead: 'withdrawn', fields: FIELDS });
      await restartForRest();
    } else {
      world.simulator = await startSimulator({ privateKey: PRIVATE_KEY });
    }
  });

  return world;
}

/**
 * Runs calls on the page, in order, and gives their results.
 * @param {import('playwright-core').Page} page
 * @param {[method: string, ...args: any[]][]} calls
 * @param {string} [global]
 * @returns {Promise<any[]>}
 */
export function call(page, calls, global = 'analytics') {
  return page.evaluate(
    ([name, list]) =>
      Promise.all(list.map(([method, ...args]) => /** @type {any} */ (window)[name][method](...args))),
    /** @type {const} */ ([global, calls]),
  );
}
