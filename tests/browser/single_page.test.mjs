/** autoPage: a visit for each route of a single-page app. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, customer } from './customer.mjs';

const world = customer();

/** @typedef {import('playwright-core').Page} Page */

/**
 * Waits until Munchkin has recorded the page that was opened, and the extras are there, which follow the routes.
 * @param {Page} page
 * @param {string} first
 */
async function following(page, first) {
  await world.arrival(first);
  await page.evaluate(() => /** @type {any} */ (window).analytics.trackLink(null, 'x'));
}

/** @param {Page} page @param {string} code that changes the URL */
const go = (page, code) => page.evaluate(code);

/** As browsers are that have the Navigation API, and as older ones. */
for (const [kind, prepare] of /** @type {[string, ((page: Page) => Promise<void>) | undefined][]} */ ([
  ['with the Navigation API', undefined],
  ['without it', (page) => page.addInitScript("Object.defineProperty(window, 'navigation', { value: undefined })")],
])) {
  test(`${kind}: pushState, replaceState, back and forth are one visit each`, async (t) => {
    const { page, errors } = await world.open(t, { head: world.tag({ 'data-auto-page': '' }), path: '/app', prepare });
    await following(page, '/app');
    await go(page, "history.pushState({}, '', '/app/first?tab=1')");
    assert.equal((await world.arrival('/app/first')).params, 'tab=1');
    await go(page, "history.replaceState({}, '', '/app/second')");
    await world.arrival('/app/second');
    await go(page, "history.pushState({}, '', '/app/third')");
    await world.arrival('/app/third');
    await go(page, 'history.back()');
    await world.visited(['/app', '/app/first', '/app/second', '/app/third', '/app/second']);
    assert.equal(await page.evaluate('location.pathname'), '/app/second');
    assert.deepEqual(errors, []);
  });

  test(`${kind}: what is no other page is no visit: the same URL, its fragment, a route that leads on at once`, async (t) => {
    const { page } = await world.open(t, { head: world.tag({ 'data-auto-page': 'true' }), path: '/app', prepare });
    await following(page, '/app');
    await go(page, "history.replaceState({scroll: 1}, '', '/app'); history.pushState({}, '', '#part'); location.hash = 'other'");
    await go(page, "history.pushState({}, '', '/login'); history.replaceState({}, '', '/home')");
    await world.arrival('/home');
    await call(page, [['track', 'the end']]);
    await world.arrival('/event/the-end');
    await world.visited(['/app', '/home', '/event/the-end']);
  });

  test(`${kind}: with hash routing the fragment's routes are visits, anchors are not`, async (t) => {
    const { page } = await world.open(t, {
      head: world.tag({ 'data-auto-page': '', 'data-hash-routing': '' }),
      path: '/app#/start',
      prepare,
    });
    await following(page, '/app');
    await go(page, "location.hash = '#/list?page=2'");
    assert.equal((await world.arrival('/list')).params, 'page=2');
    await go(page, "location.hash = '#/list/7'");
    await world.arrival('/list/7');
    await go(page, 'history.back()');
    await world.visited(['/app', '/list', '/list/7', '/list']);
  });

  test(`${kind}: the page's own use of history goes on as it was`, async (t) => {
    const { page } = await world.open(t, { head: world.tag({ 'data-auto-page': '' }), path: '/app', prepare });
    await following(page, '/app');
    const state = await page.evaluate(() => {
      const result = history.pushState({ mine: 1 }, '', '/app/state');
      let thrown = '';
      try {
        history.pushState({}, '', 'https://elsewhere.example/');
      } catch (reason) {
        thrown = /** @type {Error} */ (reason).name;
      }
      return [result, history.state, thrown];
    });
    assert.deepEqual(state, [undefined, { mine: 1 }, 'SecurityError']);
    await world.visited(['/app', '/app/state']);
  });
}

for (const [what, visit] of /** @type {[string, Partial<import('./customer.mjs').Visit>][]} */ ([
  ['an element, in a browser without the Navigation API', { body: '<nav id="navigation"></nav>', prepare: (page) => page.addInitScript('delete window.navigation') }],
  ['a variable of the page', { head: '<script>var navigation = { items: [] };</script>' }],
])) {
  test(`where window.navigation is ${what}, routes are visits all the same`, async (t) => {
    const { page, errors } = await world.open(t, { ...visit, head: (visit.head || '') + world.tag({ 'data-auto-page': '' }), path: '/app' });
    await following(page, '/app');
    await go(page, "history.pushState({}, '', '/app/first')");
    await world.visited(['/app', '/app/first']);
    await go(page, 'history.back()');
    await world.visited(['/app', '/app/first', '/app']);
    assert.deepEqual(errors, []);
  });
}

test('the snippet: its own page() is the first visit, routes are the others', async (t) => {
  const { page } = await world.open(t, {
    head: `${world.snippet({ autoPage: true })}<script>analytics.page();</script>`,
    path: '/first',
  });
  await following(page, '/first');
  await go(page, "history.pushState({}, '', '/second')");
  await world.visited(['/first', '/second']);
});

test('a route that is taken while the extras are loading is a visit too; they are fetched once for all', async (t) => {
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  let fetched = 0;
  const { page } = await world.open(t, {
    head: world.tag({ 'data-auto-page': '' }),
    path: '/app',
    prepare: (page) =>
      page.route('**/munchkin-shim.extras.js', async (route) => {
        fetched++;
        await held;
        await route.continue();
      }),
  });
  await world.arrival('/app');
  await go(page, "history.replaceState({}, '', '/early'); window.linked = [1, 2].map(() => analytics.trackLink(null, 'x'))");
  release();
  await go(page, 'Promise.all(window.linked)');
  await world.visited(['/app', '/early']);
  assert.equal(fetched, 1);
});

test('extras that are slow to come: trackLink ends, the next one uses them, and the routes are followed once they are there', async (t) => {
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  let fetched = 0;
  const { page, errors } = await world.open(t, {
    head: world.tag({ 'data-auto-page': '' }),
    path: '/app',
    prepare: async (page) => {
      await page.clock.install();
      await page.route('**/munchkin-shim.extras.js', async (route) => {
        fetched++;
        await held;
        await route.continue();
      });
    },
  });
  await world.arrival('/app');
  const ended = call(page, [['trackLink', null, 'x']]);
  await page.clock.runFor(11_000);
  assert.equal((await ended)[0].error, 'extras_blocked');
  release();
  await page.waitForFunction(() => 'munchkinShimExtras' in window);
  assert.equal((await call(page, [['trackLink', null, 'x']]))[0], undefined);
  assert.equal(fetched, 1);
  await page.evaluate(() => history.pushState({}, '', '/next'));
  await page.clock.runFor(100);
  await world.visited(['/app', '/next']);
  assert.deepEqual(errors, []);
});

test('without autoPage routes are the page\'s own business, and the extras are not fetched', async (t) => {
  /** @type {string[]} */
  const requests = [];
  const { page } = await world.open(t, {
    head: world.tag(),
    path: '/app',
    prepare: async (page) => void page.on('request', (request) => requests.push(request.url())),
  });
  await world.arrival('/app');
  await go(page, "history.pushState({}, '', '/silent')");
  await call(page, [['track', 'x']]);
  await world.visited(['/app', '/event/x']);
  assert.equal(requests.some((url) => url.includes('extras')), false);
});

test('autoPage without the extras: an error with a code, and the calls arrive', async (t) => {
  const { page, errors } = await world.open(t, {
    head: `${world.snippet({ autoPage: true })}<script>analytics.on('error', (result) => (window.told = result));</script>`,
    path: '/app',
    prepare: (page) => page.route('**/munchkin-shim.extras.js', (route) => route.abort()),
  });
  await page.waitForFunction(() => /** @type {any} */ (window).told);
  assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).told.error), 'extras_blocked');
  await call(page, [['track', 'x']]);
  await world.visited(['/app', '/event/x']);
  assert.deepEqual(errors, []);
});
