/**
 * The tables of web/docs/migrating-from-segment.md, "What differs": the same calls on a page with Segment and its Marketo
 * destination, version 1, and on one with munchkin-shim. What they say of Marketo V2 is after its public code and
 * documentation, and not tried here.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleSite } from './example_site.mjs';
import { segmentHosts, segmentSnippet } from './segment_cdn.mjs';

const world = exampleSite();

/** Both start with a page(), of /plans?a=b. */
const segment = `<script>${segmentSnippet()}</script>`;
const ours = () => world.wholeSnippet({ server: 'https://events.example.com', munchkinUrl: undefined });

/** By calls: what arrives of Segment's, and of ours; nothing if it is empty. @type {[string, string, string][]} */
const VISITS = [
  ["page({ url: 'https://www.example.com/one?x=1#top' })", 'https://www.example.com/one?x=1#top?x=1', '/one?x=1'],
  ["page({ url: 'https://elsewhere.example/two' })", 'https://elsewhere.example/two?', '/two?'],
  ["page({ url: 'ftp://www.example.com/three' })", 'ftp://www.example.com/three?', ''],
  [`page({ url: '/${'l'.repeat(300)}' })`, `/${'l'.repeat(300)}?`, `/${'l'.repeat(254)}?`],
  ["track('four', { plan: 'pro' })", '/event/four?plan=pro&', '/event/four?plan=pro'],
  ["track('five_a b')", '/event/five-a-b?', '/event/five-a-b?'],
  ["track('/event/six_a b')", '/event/six-a-b?', '/event/six_a b?'],
  ["track('seven%20a')", '/event/seven a?', '/event/seven%20a?'],
  ["track('eight', { url: '/eight?x=1' })", '/event/eight?url=/eight?x=1&', '/eight?x=1'],
  ["track('nine', { o: { x: 1 } })", '/event/nine?o=[object Object]&', '/event/nine?o.x=1'],
  ["track('ten', { n: null, u: undefined, k: 1 })", '/event/ten?n=null&u=undefined&k=1&', '/event/ten?k=1'],
  [
    "track('eleven', { d: '2020-01-01T00:00:00.000Z' })",
    '/event/eleven?d=Wed Jan 01 2020 00:00:00 GMT+0000 (Coordinated Universal Time)&',
    '/event/eleven?d=2020-01-01T00:00:00.000Z',
  ],
  ["track('twelve', { l: [1, 2] })", '/event/twelve?l=1,2&', '/event/twelve?l=1,2'],
];

/** @type {[string, Record<string, string> | undefined, Record<string, string> | undefined][]} */
const LEADS = [
  [
    "'u1', { email: 'u1@example.com', favoriteColor: 'Blue', 'a field': 1, phone: '1', industry: 'IT' }",
    { Email: 'u1@example.com', favoriteColor: 'Blue', 'a field': '1', Phone: '1', Industry: 'IT', id: 'u1', userId: 'u1' },
    { Email: 'u1@example.com', FavoriteColor: 'Blue', AField: '1', Phone: '1', Industry: 'IT', UserId: 'u1' },
  ],
  [
    "'u2', { 'E-Mail': 'u2@example.com', EMAIL: 'u2@example.com', first_name: 'Ada', 'Last-Name': 'King' }",
    {
      Email: 'u2@example.com', 'E-Mail': 'u2@example.com', EMAIL: 'u2@example.com', id: 'u2', userId: 'u2',
      FirstName: 'Ada', first_name: 'Ada', LastName: 'King', 'Last-Name': 'King',
    },
    { Email: 'u2@example.com', 'E-Mail': 'u2@example.com', First_name: 'Ada', 'Last-Name': 'King', UserId: 'u2' },
  ],
  [
    "'u3', { email: 'u3@example.com', name: 'Ada Lovelace', firstName: 'Augusta' }",
    { Email: 'u3@example.com', FirstName: 'Augusta', LastName: 'Lovelace', name: 'Ada Lovelace', id: 'u3', userId: 'u3' },
    { Email: 'u3@example.com', FirstName: 'Augusta', LastName: 'Lovelace', Name: 'Ada Lovelace', UserId: 'u3' },
  ],
  [
    `'u4', { email: 'u4@example.com', company: { name: 'Engines', industry: 'IT', employee_count: 2, website: 'w', phone: '1', plan: 'pro' },
      address: { street: 'S', city: 'C', state: 'T', postalCode: 'P', country: 'L', floor: 2 } }`,
    {
      Email: 'u4@example.com', id: 'u4', userId: 'u4', Company: '[object Object]',
      City: 'C', Country: 'L', PostalCode: 'P', State: 'T',
    },
    {
      Email: 'u4@example.com', UserId: 'u4', Company: 'Engines', Industry: 'IT', NumberOfEmployees: '2', Website: 'w', MainPhone: '1',
      CompanyPlan: 'pro', Address: 'S', City: 'C', State: 'T', PostalCode: 'P', Country: 'L', AddressFloor: '2',
    },
  ],
  [
    "'u5', { email: 'u5@example.com', o: { x: 1 }, d: '2020-01-01T00:00:00.000Z', createdAt: 1e9, birthday: 1e9 }",
    {
      Email: 'u5@example.com', id: 'u5', userId: 'u5', o: '[object Object]', createdAt: '1000000000', birthday: '1000000000',
      d: 'Wed Jan 01 2020 00:00:00 GMT+0000 (Coordinated Universal Time)',
    },
    {
      Email: 'u5@example.com', UserId: 'u5', D: '2020-01-01T00:00:00.000Z',
      CreatedAt: '2001-09-09T01:46:40.000Z', Birthday: '2001-09-09T01:46:40.000Z',
    },
  ],
  [
    "'u6', { email: ' u6@example.com ', id: 'mine' }",
    { Email: ' u6@example.com ', id: 'u6', userId: 'u6' },
    { Email: 'u6@example.com', UserId: 'u6' },
  ],
  ["'u7', { email: 'no address' }", { Email: 'no address', id: 'u7', userId: 'u7' }, undefined],
  ["'u8', { plan: 'pro' }", undefined, undefined],
  ["'u9@example.com'", { Email: 'u9@example.com', id: 'u9@example.com', userId: 'u9@example.com' }, { Email: 'u9@example.com', UserId: 'u9@example.com' }],
  // A second time: nothing of ours.
  ["'u9@example.com'", { Email: 'u9@example.com', id: 'u9@example.com', userId: 'u9@example.com' }, undefined],
];

/**
 * What Marketo has received, once it is as many as are expected.
 * @template T
 * @param {() => T[]} received
 * @param {number} count
 */
async function whenThereAre(received, count) {
  // Segment's queue tries again after pauses of random length.
  await world.simulator.waitFor(() => received().length >= count, { timeout: 20_000 }).catch(() => {});
  return received();
}

const visits = () => world.simulator.events.filter(({ type }) => type === 'visitWebPage').map(({ path, params }) => `${path}?${params}`);

for (const [name, index] of /** @type {[string, 1 | 2][]} */ ([['Segment', 1], ['munchkin-shim', 2]])) {
  /** @param {import('node:test').TestContext} t @param {string} calls @param {string} [head] @param {string} [path] */
  const open = (t, calls, head = '', path = '/plans?a=b') =>
    world.visit(t, {
      path,
      head: `${head}${index === 1 ? segment : ours()}<script>${calls}</script>`,
      hosts: segmentHosts({ marketo: index === 1 }),
    });

  test(`${name}: visits and events`, async (t) => {
    await open(t, VISITS.map(([call]) => `analytics.${call};`).join('\n'));
    const expected = ['/plans?a=b', ...VISITS.map((row) => row[index]).filter(Boolean)];
    assert.deepEqual((await whenThereAre(visits, expected.length)).sort(), expected.sort());
  });

  test(`${name}: leads`, async (t) => {
    await open(t, LEADS.map(([call]) => `analytics.identify(${call});`).join('\n'));
    const expected = LEADS.map((row) => row[index]).filter((fields) => fields !== undefined);
    const byEmail = (/** @type {any} */ a, /** @type {any} */ b) => (a.Email < b.Email ? -1 : 1);
    assert.deepEqual((await whenThereAre(world.leads, expected.length)).sort(byEmail), expected.sort(byEmail));
  });

  test(`${name}: the first page(), and that of a canonical link`, async (t) => {
    const canonical = '<link rel="canonical" href="https://www.example.com/canonical">';
    await open(t, 'analytics.page(); analytics.page();', canonical);
    const expected = {
      1: ['/plans?a=b', 'https://www.example.com/canonical?a=b?a=b', 'https://www.example.com/canonical?a=b?a=b'],
      2: ['/plans?a=b', '/plans?a=b', '/plans?a=b'],
    }[index];
    assert.deepEqual((await whenThereAre(visits, 3)).sort(), expected);
  });

  test(`${name}: what is stored, what methods there are, when a callback comes`, async (t) => {
    const { page, context } = await open(t, '', '', '/plans?a=b&ajs_uid=u1');
    await page.waitForFunction(index === 1 ? 'analytics.initialized' : 'analytics.munchkinShim === true');
    const callback = await page.evaluate(async () => {
      const { analytics } = /** @type {any} */ (window);
      const start = performance.now();
      const given = await new Promise((resolve) => analytics.track('x', {}, resolve));
      return { waited: performance.now() - start, type: given.type };
    });
    if (index === 1) assert.ok(callback.waited >= 295, String(callback.waited));
    else assert.equal(callback.type, 'track');

    const methods = ['trackClick', 'trackSubmit', 'screen', 'register', 'addSourceMiddleware', 'addDestinationMiddleware'];
    const missing = await page.evaluate((names) => names.filter((name) => !(/** @type {any} */ (window).analytics[name])), methods);
    assert.deepEqual(missing, index === 1 ? [] : methods);

    const stored = await page.evaluate('Object.keys(localStorage)');
    const cookies = (await context.cookies()).map((cookie) => cookie.name);
    const has = (/** @type {string} */ key) => [stored.includes(key), cookies.includes(key)];
    assert.deepEqual(has('ajs_anonymous_id'), index === 1 ? [true, true] : [false, false]);
    assert.deepEqual(has('ajs_user_id'), index === 1 ? [true, true] : [false, false], 'from ?ajs_uid=');
  });
}
