/**
 * The adapters, each in the library that it is for, as published, in Chromium: what Marketo receives of the library's
 * calls, and what the library's other destinations notice.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marketo as forAnalytics } from '../../js-glue/adapters/analytics.js';
import { marketo as forRudderStack } from '../../js-glue/adapters/rudderstack.js';
import { marketo as forSegment } from '../../js-glue/adapters/segment.js';
import { customer, MUNCHKIN_ID } from '../browser/customer.mjs';
import { BACK_ENDS, bundle, rudderstackSource } from './libraries.mjs';

const world = customer();

/**
 * Each page's script finds the adapter's arguments as id and options. It leaves the library as window.library, with one
 * more destination in it, which notes in window.others what it sees. The library's own addresses get one answer.
 */
const LIBRARIES = [
  {
    name: '@segment/analytics-next',
    source: `
      import { AnalyticsBrowser } from '@segment/analytics-next';
      import { marketo } from '../../js-glue/adapters/segment.js';
      const library = AnalyticsBrowser.load({ writeKey: 'w', cdnURL: location.origin + '/segment' });
      library.register(marketo(id, options), {
        name: 'Other', type: 'destination', isLoaded: () => true, load: async () => {},
        track: (ctx) => (others.push(ctx.event.event), ctx),
      });
      library.ready(() => others.push('ready'));
      window.library = library;`,
    ...BACK_ENDS.segment,
    without: { integrations: { Marketo: false } },
    only: [{ integrations: { All: false, Marketo: true } }, { integrations: { All: false, 'Marketo V2': true } }],
    notAtAll: { integrations: { All: false } },
  },
  {
    name: 'analytics',
    source: `
      import Analytics from 'analytics';
      import { marketo } from '../../js-glue/adapters/analytics.js';
      const library = Analytics({
        plugins: [
          marketo(id, options),
          { name: 'other', track: ({ payload }) => void others.push(payload.event) },
        ],
      });
      library.ready(() => others.push('ready'));
      window.library = library;`,
    ...BACK_ENDS.analytics,
    without: { plugins: { marketo: false } },
    only: [{ plugins: { all: false, marketo: true } }],
    notAtAll: { plugins: { all: false } },
  },
  {
    name: '@rudderstack/analytics-js',
    source: `
      import { RudderAnalytics } from '@rudderstack/analytics-js/bundled';
      import { marketo } from '../../js-glue/adapters/rudderstack.js';
      const library = new RudderAnalytics();
      library.addCustomIntegration('marketo', marketo(id, options));
      library.addCustomIntegration('other', { isReady: () => true, track: (a, b, { message }) => others.push(message.event) });
      library.load('w', location.origin + '/rudder', {
        getSourceConfig: () => (${JSON.stringify(rudderstackSource('marketo', 'other'))}),
      });
      library.ready(() => others.push('ready'));
      window.library = library;`,
    ...BACK_ENDS.rudderstack,
    without: { integrations: { Marketo: false } },
    only: [{ integrations: { All: false, 'Custom Device Mode': true } }],
    notAtAll: { integrations: { All: false } },
  },
];

const leads = () => world.simulator.events.filter(({ type }) => type === 'associateLead').map(({ leadFields }) => leadFields);

/** Waits for the lead with this e-mail, the only one. @param {string} email */
async function leadOf(email) {
  const lead = await world.simulator.waitFor(({ leadFields }) => leadFields.Email === email);
  assert.deepEqual(leads().map(({ Email }) => Email), [email]);
  return lead;
}

for (const library of LIBRARIES) {
  const bundled = bundle(library.source, new URL('.', import.meta.url));

  /**
   * Opens a page with the library on it.
   * @param {import('node:test').TestContext} t
   * @param {import('playwright-core').BrowserContext} [visitor] one who has been here
   */
  const open = async (t, visitor) => {
    const settings = { server: world.serverUrl, munchkinUrl: `${world.simulator.url}/munchkin.js` };
    const script = `const id = '${MUNCHKIN_ID}', options = ${JSON.stringify(settings)}, others = window.others = [];`;
    /** @type {string[]} */
    const strays = [];
    const opened = await world.open(t, {
      path: '/first?x=1',
      context: visitor,
      body: '<script src="/page.js"></script>',
      prepare: (page) =>
        page.route('**/*', async (route) => {
          const url = route.request().url();
          if (url.endsWith('/page.js')) {
            return route.fulfill({ body: script + (await bundled), contentType: 'text/javascript' });
          }
          if (library.own.test(url)) return route.fulfill({ json: library.answer });
          if (/^(http:\/\/127\.0\.0\.1:|data:)/.test(url)) return route.continue();
          strays.push(url);
          return route.abort();
        }),
    });
    t.after(() => assert.deepEqual([...opened.errors, ...strays], []));
    return {
      ...opened,
      /**
       * Makes the library's calls, one after another.
       * @param {[method: string, ...args: any[]][]} calls
       */
      call: (...calls) =>
        opened.page.evaluate(async (list) => {
          const { library } = /** @type {any} */ (globalThis);
          for (const [method, ...args] of list) await library[method](...args);
        }, calls),
    };
  };

  test(`${library.name}: visits, events and leads arrive`, async (t) => {
    const { page, call } = await open(t);
    await call(
      ['page'],
      ['track', 'Signed up', { plan: 'pro' }],
      ['identify', 'u1', { email: 'u1@example.com', name: 'Ada Lovelace' }],
    );
    assert.equal((await world.arrival('/event/Signed-up')).params, 'plan=pro');
    const lead = await leadOf('u1@example.com');
    assert.equal(lead.signature, 'valid');
    assert.deepEqual(lead.leadFields, {
      Email: 'u1@example.com', FirstName: 'Ada', LastName: 'Lovelace', Name: 'Ada Lovelace', UserId: 'u1',
    });
    // The page has gone on when the destination gets the event; the URL is that of the call.
    await page.evaluate("history.pushState({}, '', '/second?y=2'); library.page(); history.pushState({}, '', '/third')");
    assert.equal((await world.arrival('/second')).params, 'y=2');
    await call(['page', { url: 'https://example.com/fourth?z=3' }]);
    assert.equal((await world.arrival('/fourth')).params, 'z=3');
    await world.visited(['/first', '/event/Signed-up', '/second', '/fourth']);
  });

  test(`${library.name}: a lead has the traits of earlier calls and pages, and never another person's`, async (t) => {
    const { call, context } = await open(t);
    const lead = async (/** @type {number} */ count) => {
      await world.simulator.waitFor(() => leads().length >= count);
      return leads()[count - 1];
    };
    await call(['identify', { email: 'u1@example.com' }]);
    assert.deepEqual(await lead(1), { Email: 'u1@example.com' });
    await call(['identify', 'u1', { plan: 'pro' }]);
    assert.deepEqual(await lead(2), { Email: 'u1@example.com', Plan: 'pro', UserId: 'u1' });

    const next = await open(t, context);
    await next.call(['identify', { step: 1 }]);
    assert.deepEqual(await lead(3), { Email: 'u1@example.com', Plan: 'pro', Step: '1', UserId: 'u1' });
    await next.call(['identify', 'u2', { email: 'u2@example.com' }]);
    assert.deepEqual(await lead(4), { Email: 'u2@example.com', UserId: 'u2' });
    await next.call(['reset'], ['identify', { email: 'u3@example.com' }]);
    assert.deepEqual(await lead(5), { Email: 'u3@example.com' });
    // The library's memory is enough, where it keeps it.
    assert.equal(await next.page.evaluate("'munchkin_shim_lead' in localStorage"), false);
  });

  test(`${library.name}: calls that leave Marketo out do not reach it, those for it alone do`, async (t) => {
    const { page, call } = await open(t);
    await call(
      ['track', 'without', {}, library.without],
      ['identify', 'u1', { email: 'without@example.com' }, library.without],
      ['page', { url: '/without' }, library.without],
      ['track', 'not at all', {}, library.notAtAll],
    );
    for (const [index, options] of library.only.entries()) await call(['track', `only ${index}`, {}, options]);
    await call(['track', 'last'], ['identify', 'u1', { email: 'last@example.com' }]);
    await world.visited(['/first', ...library.only.map((_, index) => `/event/only-${index}`), '/event/last']);
    await leadOf('last@example.com');
    assert.equal(await page.evaluate("others.includes('without')"), true);
  });

  test(`${library.name}: identify without an e-mail sends nothing, and disturbs nothing`, async (t) => {
    const { call } = await open(t);
    await call(
      ['track', 'before'],
      ['identify', 'u1', { plan: 'pro' }],
      ['identify', { email: 'not an address' }],
      ['track', 'between'],
      ['identify', 'u1', { email: 'good@example.com' }],
    );
    await world.visited(['/first', '/event/before', '/event/between']);
    await leadOf('good@example.com');
  });

  test(`${library.name}: goes on without Munchkin, and waits for nothing`, async (t) => {
    world.simulator.faults.hang = true;
    const { page, call } = await open(t);
    // In less time than the library, or munchkin-shim, gives up in.
    const [seen] = await Promise.all([
      page.waitForFunction('others.length > 2 && others', undefined, { timeout: 5000 }),
      call(['page'], ['track', 'one'], ['identify', 'u1', { email: 'u1@example.com' }], ['track', 'two']),
    ]);
    assert.deepEqual((await seen.jsonValue()).sort(), ['one', 'ready', 'two']);
    assert.deepEqual(world.simulator.events, []);
  });
}

test('on a server the adapters do nothing but say so, and harm nothing', async () => {
  const event = { userId: 'u1', traits: { email: 'u1@example.com' }, event: 'x', context: {} };
  const segment = forSegment(MUNCHKIN_ID);
  await segment.load();
  const context = { event };
  for (const type of /** @type {const} */ (['identify', 'track', 'page'])) assert.equal(segment[type](context), context);

  const rudderstack = forRudderStack(MUNCHKIN_ID);
  rudderstack.init();
  for (const type of /** @type {const} */ (['identify', 'track', 'page'])) rudderstack[type]({}, {}, { message: event });

  // This one runs on servers too.
  const { Analytics } = await import(/** @type {string} */ ('analytics'));
  const plugin = forAnalytics(MUNCHKIN_ID);
  const library = Analytics({ plugins: [plugin] });
  const results = /** @type {any[]} */ ([]);
  plugin.analytics.on('result', (result) => results.push(result));
  await library.identify('u1', event.traits);
  await library.track('x');
  await library.page();
  assert.equal(plugin.loaded(), true);
  for (const { error } of results) assert.equal(error, 'not_a_browser');
});
