/** munchkin-shim/slim on a page: the ways the WebAssembly module comes to it, and what happens when it does not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customer, MUNCHKIN_ID } from './customer.mjs';

const world = customer();

const WASM = '/dist/munchkin_shim.wasm';

/**
 * Opens a page that imports dist/slim.mjs, loads it with what `source`, an expression, is, and tracks.
 * @param {import('node:test').TestContext} t
 * @param {string} source
 * @param {{options?: object, prepare?: (page: import('playwright-core').Page) => Promise<unknown>}} [more]
 */
async function track(t, source, { options, prepare } = {}) {
  const all = { server: world.serverUrl, munchkinUrl: `${world.simulator.url}/munchkin.js`, ...options };
  const { page, errors } = await world.open(t, {
    prepare,
    body: `<script type="module">
      import { createAnalytics } from '/dist/slim.mjs';
      const { instantiateStreaming } = globalThis.WebAssembly || {};
      window.streamed = 0;
      if (instantiateStreaming) WebAssembly.instantiateStreaming = (...args) => (streamed++, instantiateStreaming(...args));
      const analytics = createAnalytics(${source});
      await new Promise((resolve) => setTimeout(resolve, 20)); // what fails meanwhile is not to be an unhandled rejection
      analytics.load('${MUNCHKIN_ID}', ${JSON.stringify(all)});
      window.result = analytics.track('slim');
    </script>`,
  });
  await page.waitForFunction('window.result');
  /** @type {import('../../js-glue/analytics.js').Result} */
  const result = await page.evaluate('window.result');
  return { result, streamed: await page.evaluate('window.streamed'), errors };
}

/** Serves the module as some other type. @param {string | undefined} contentType */
const servedAs = (contentType) => (/** @type {import('playwright-core').Page} */ page) =>
  page.route(`**${WASM}`, async (route) => {
    const response = await route.fetch();
    const { 'content-type': usual, ...headers } = response.headers();
    assert.equal(usual, 'application/wasm');
    await route.fulfill({ response, headers: contentType ? { ...headers, 'content-type': contentType } : headers });
  });

for (const [what, source, streams] of /** @type {[string, string, number][]} */ ([
  ['a URL', `new URL('${WASM}', location.href)`, 1],
  ['a URL as text', `'${WASM}'`, 1],
  ['the promise of a response', `fetch('${WASM}')`, 1],
  ['a response', `await fetch('${WASM}')`, 1],
  ['a compiled module', `await WebAssembly.compileStreaming(fetch('${WASM}'))`, 0],
])) {
  test(`from ${what}`, async (t) => {
    const { result, streamed, errors } = await track(t, source);
    assert.deepEqual([result.sent, streamed, errors], [true, streams, []]);
    await world.arrival('/event/slim');
  });
}

for (const contentType of ['application/octet-stream', 'application/wasm; charset=utf-8', undefined]) {
  test(`served as ${contentType}, it is compiled from its bytes`, async (t) => {
    const { result, streamed, errors } = await track(t, `'${WASM}'`, { prepare: servedAs(contentType) });
    assert.deepEqual([result.sent, streamed, errors], [true, 0, []]);
    await world.arrival('/event/slim');
  });
}

test('in browsers that compile nothing while they download it', async (t) => {
  const { result, errors } = await track(t, `'${WASM}'`, {
    prepare: (page) => page.addInitScript('delete WebAssembly.instantiateStreaming'),
  });
  assert.deepEqual([result.sent, errors], [true, []]);
});

for (const [what, source] of [
  ['is not there', "'/nowhere.wasm'"],
  ['is a page of HTML', "'/'"],
  ['comes from nowhere', "'http://127.0.0.1:1/munchkin_shim.wasm'"],
  ['could not be fetched, before load', "Promise.reject(new Error('offline'))"],
  ['was not given', ''],
]) {
  test(`a module that ${what}: calls end with core_blocked, nothing is thrown`, async (t) => {
    const { result, errors } = await track(t, source);
    assert.deepEqual([result.error, errors], ['core_blocked', []]);
  });

  test(`a module that ${what}: with fallbackUrl the same C as JavaScript serves`, async (t) => {
    const { result, errors } = await track(t, source, { options: { fallbackUrl: '/dist/munchkin-shim.asm.js' } });
    assert.deepEqual([result.sent, errors], [true, []]);
  });
}

test('without WebAssembly', async (t) => {
  const prepare = (/** @type {import('playwright-core').Page} */ page) => page.addInitScript('delete window.WebAssembly');
  assert.equal((await track(t, `'${WASM}'`, { prepare })).result.error, 'core_blocked');
  const options = { fallbackUrl: '/dist/munchkin-shim.asm.js' };
  assert.equal((await track(t, `'${WASM}'`, { prepare, options })).result.sent, true);
});
