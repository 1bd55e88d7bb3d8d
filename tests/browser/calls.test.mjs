/** What the page calls, and what reaches Marketo. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, customer, MUNCHKIN_ID } from './customer.mjs';

const world = customer();

test('one script tag: page, track and identify reach Marketo, correctly signed', async (t) => {
  const { page, errors } = await world.open(t, { head: world.tag(), path: '/plans?utm_source=x' });
  const [visit, event, lead] = await call(page, [
    ['page'],
    ['track', 'some cool event', { plan: 'pro', seats: 3 }],
    ['identify', '1234', { email: 'friends@segment.com', name: 'Jake Peterson', company: 'Segment', favoriteColor__c: 'Blue' }],
  ]);

  const associated = await world.simulator.waitFor(({ type }) => type === 'associateLead');
  assert.equal(associated.signature, 'valid');
  assert.equal(associated.munchkinId, MUNCHKIN_ID);
  assert.deepEqual(associated.leadFields, {
    Email: 'friends@segment.com',
    Name: 'Jake Peterson',
    FirstName: 'Jake',
    LastName: 'Peterson',
    Company: 'Segment',
    FavoriteColor__c: 'Blue',
    UserId: '1234',
  });
  const tracked = await world.arrival('/event/some-cool-event');
  assert.equal(tracked.params, 'plan=pro&seats=3');
  assert.equal(tracked.token, associated.token);
  // Munchkin's own visit at init, which the first page() adds nothing to, is there once.
  await world.visited(['/event/some-cool-event', '/plans']);

  assert.equal(visit.skipped, 'already_recorded');
  assert.deepEqual([event.ok, event.sent, event.type, event.warnings], [true, true, 'track', []]);
  assert.deepEqual(event.call, ['visitWebPage', { url: '/event/some-cool-event', params: 'plan=pro&seats=3' }]);
  assert.equal(lead.call[2], associated.hash);
  assert.deepEqual(errors, []);
});

test('page() of another URL, and every page() of this one after the first, is sent', async (t) => {
  const { page } = await world.open(t, { head: world.tag(), path: '/home' });
  const [first, , own, again] = await call(page, [
    ['page', { url: '/pricing/../plans?utm_source=x&b=%20c#top' }],
    ['page', 'Docs', 'Start', { url: 'relative' }],
    ['page'],
    ['page'],
  ]);
  assert.equal(own.skipped, 'already_recorded');
  assert.deepEqual(first.call[1], { url: '/plans', params: 'utm_source=x&b=%20c' });
  assert.equal(again.sent, true);
  await world.visited(['/home', '/plans', '/relative', '/home']);
});

test('the URL of page() may be an object; what is no URL at all is left out', async (t) => {
  const { page } = await world.open(t, { head: world.tag({ 'data-munchkin': '{"apiOnly":true}' }), path: '/home' });
  const urls = await page.evaluate(async () => {
    const results = [];
    for (const url of [new URL('/plans', location.href), 1, null, '']) results.push(await /** @type {any} */ (window).analytics.page({ url }));
    return results.map(({ call }) => call[1].url);
  });
  assert.deepEqual(urls, ['/plans', '/home', '/home', '/home']);
});

test('with apiOnly, Munchkin records no visit and the first page() is sent', async (t) => {
  const { page } = await world.open(t, { head: world.tag({ 'data-munchkin': '{"apiOnly":true}' }), path: '/home?a=b' });
  const [result] = await call(page, [['page']]);
  assert.equal(result.sent, true);
  const visit = await world.arrival('/home');
  assert.equal(visit.params, 'a=b');
  await world.visited(['/home']);
});

test('identify without an e-mail sends nothing and tells by promise, callback and error event', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  const told = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    /** @type {any[]} */
    const codes = [];
    analytics.on('error', (/** @type {any} */ result) => codes.push(['event', result.error, result.type]));
    const result = await analytics.identify('1234', { firstName: 'x' }, (/** @type {any} */ given) => codes.push(['callback', given.error]));
    return { codes, result };
  });
  assert.deepEqual(told.codes, [['event', 'email_missing', 'identify'], ['callback', 'email_missing']]);
  assert.deepEqual([told.result.ok, told.result.sent, told.result.error], [false, false, 'email_missing']);
  assert.match(told.result.message, /email/);
  await call(page, [['track', 'afterwards']]);
  await world.arrival('/event/afterwards');
  assert.equal(world.simulator.events.some(({ type }) => type === 'associateLead'), false);
});

test('identify takes the user id for the e-mail, trims it, and refuses a bad one', async (t) => {
  const { page } = await world.open(t, { head: world.tag({ 'data-storage': 'memory' }) });
  const [byId] = await call(page, [['identify', 'a@b.co']]);
  assert.deepEqual(byId.call[1], { Email: 'a@b.co', UserId: 'a@b.co' });
  const [bad] = await call(page, [['identify', '2', { email: 'not an address' }]]);
  assert.equal(bad.error, 'email_invalid');
  const [trimmed] = await call(page, [['identify', '3', { email: '  c@d.co ' }]]);
  assert.equal(trimmed.call[1].Email, 'c@d.co');
  const lead = await world.simulator.waitFor(({ leadFields }) => leadFields?.Email === 'c@d.co');
  assert.equal(lead.signature, 'valid');
});

test('the same lead is not sent again, on this page or the next; a changed one is', async (t) => {
  const lead = ['identify', '7', { email: 'same@example.com', plan: 'pro' }];
  const { page, context } = await world.open(t, { head: world.tag() });
  const [first] = await call(page, [/** @type {any} */ (lead)]);
  const [second] = await call(page, [/** @type {any} */ (lead)]);
  assert.equal(first.sent, true);
  assert.equal(second.skipped, 'unchanged');

  const next = await world.open(t, { head: world.tag(), path: '/next', context });
  assert.equal((await call(next.page, [/** @type {any} */ (lead)]))[0].skipped, 'unchanged');
  const [changed] = await call(next.page, [['identify', { plan: 'team' }]]);
  assert.deepEqual(changed.call[1], { Email: 'same@example.com', Plan: 'team', UserId: '7' });
  await world.simulator.waitFor(({ leadFields }) => leadFields?.Plan === 'team');
  assert.equal(world.simulator.events.filter(({ type }) => type === 'associateLead').length, 2);

  // Another Munchkin cookie is another visitor for Marketo: it has to hear of the lead again.
  await context.clearCookies();
  const later = await world.open(t, { head: world.tag(), path: '/later', context });
  assert.equal((await call(later.page, [['identify', { plan: 'team' }]]))[0].sent, true);
  // What is still on its way would reach the next test.
  await world.arrival('/later');
});

test('integrations choose destinations', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  const [off, noMarketo, only, v2, all] = await call(page, [
    ['track', 'a', {}, { integrations: { All: false } }],
    ['track', 'b', {}, { integrations: { Marketo: false } }],
    ['track', 'c', {}, { integrations: { All: false, Marketo: true } }],
    ['track', 'd', {}, { integrations: { All: false, 'Marketo V2': true } }],
    ['track', 'e', {}, { integrations: { All: true } }],
  ]);
  assert.deepEqual([off.skipped, noMarketo.skipped], ['destination_off', 'destination_off']);
  assert.deepEqual([off.ok, only.sent, v2.sent, all.sent], [true, true, true, true]);
  await world.arrival('/event/e');
  await world.visited(['/', '/event/c', '/event/d', '/event/e']);
});

test('the options of load reach the rules and every call', async (t) => {
  const options = { urlLimit: 8, paramsLimit: 5, hashRouting: true, integrations: { All: false } };
  const { page } = await world.open(t, { head: world.snippet(options), path: '/app' });
  const marketo = { integrations: { Marketo: true } };
  const [off, cut, route] = await call(page, [
    ['track', 'a'],
    ['page', { url: '/a/very/long/path?one=1&two=2' }, marketo],
    ['page', { url: '#/b' }, marketo],
  ]);
  assert.equal(off.skipped, 'destination_off');
  assert.deepEqual(cut.call[1], { url: '/a/very/', params: 'one=1' });
  assert.equal(route.call[1].url, '/b');
});

test('identify calls made at once reach Munchkin in their order, each with the traits so far', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  // In the order in which they leave: that of their arrival is the network's.
  /** @type {(string | null)[]} */
  const left = [];
  page.on('request', (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname.endsWith('/associateLead')) left.push(searchParams.get('_mchAtStep'));
  });
  // The simulator may have a request before this process has heard of it.
  const allLeft = page.waitForRequest((request) => request.url().includes('_mchAtStep=3'));
  await call(page, [
    ['identify', '1', { email: 'first@example.com', step: 1 }],
    ['identify', { email: 'second@example.com', step: 2 }],
    ['identify', { step: 3 }],
  ]);
  const leads = () => world.simulator.events.filter(({ type }) => type === 'associateLead');
  await world.simulator.waitFor(() => leads().length === 3);
  await allLeft;
  assert.deepEqual(left, ['1', '2', '3']);
  assert.deepEqual(
    leads()
      .map(({ leadFields, signature }) => [leadFields?.Email, leadFields?.Step, signature])
      .sort((a, b) => Number(a[1]) - Number(b[1])),
    [
      ['first@example.com', '1', 'valid'],
      ['second@example.com', '2', 'valid'],
      ['second@example.com', '3', 'valid'],
    ],
  );
});

test('an identify that fails lets none behind it overtake those before it', async (t) => {
  /** @type {() => void} */
  let answer = () => {};
  /** @type {string[]} */
  const sent = [];
  const { page } = await world.open(t, {
    head: world.tag(),
    prepare: (page) =>
      page.route('**/v1/lead', async (route) => {
        sent.push(JSON.parse(String(route.request().postData())).traits.email);
        if (sent.at(-1) === 'first@example.com') {
          await new Promise((resolve) => {
            answer = () => resolve(undefined);
          });
        }
        await route.continue();
      }),
  });
  const first = page.waitForRequest('**/v1/lead');
  const ends = page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    /** @type {string[]} */
    const order = [];
    const note = (/** @type {any} */ { error, call }) => order.push(error || call[1].Email);
    await Promise.all([
      analytics.identify('1', { email: 'first@example.com' }, {}, note),
      analytics.identify('2', { email: 'none' }, {}, note),
      analytics.identify('3', { email: 'second@example.com' }, {}, note),
    ]);
    return order;
  });
  await first;
  await page.waitForFunction(() => JSON.parse(String(localStorage.getItem('munchkin_shim_kept'))).length === 2);
  assert.deepEqual(sent, ['first@example.com']);
  answer();
  assert.deepEqual(await ends, ['email_invalid', 'first@example.com', 'second@example.com']);
});

test('what cannot be written as JSON is refused; the calls around it arrive', async (t) => {
  const { page, errors } = await world.open(t, { head: world.tag() });
  const codes = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    /** @type {any} */
    const circular = {};
    circular.self = circular;
    const thrower = { get a() { throw new Error('mine'); } };
    const email = 'x@example.com';
    const results = await Promise.all([
      analytics.track('before'),
      analytics.track('circular', circular),
      analytics.track('bigint', { n: 1n }),
      analytics.track('thrower', thrower),
      analytics.identify('1', { email, circular }),
      analytics.identify('1', { email, n: 1n }),
      analytics.identify('1', { email, long: 'x'.repeat(1 << 20) }),
      analytics.identify('1', { email, half: '\ud800', fn() {}, node: document.body, symbol: Symbol('s') }),
      analytics.track(),
      analytics.track({ event: 'no' }),
      analytics.track('after', { half: '\udc00' }),
    ]);
    return results.map((/** @type {any} */ result) => result.error || 'sent');
  });
  assert.deepEqual(codes, [
    'sent', 'arguments_invalid', 'arguments_invalid', 'arguments_invalid', 'arguments_invalid',
    'arguments_invalid', 'too_large', 'sent', 'event_missing', 'event_missing', 'sent',
  ]);
  const after = await world.arrival('/event/after');
  assert.equal(after.params, 'half=\ufffd');
  const lead = await world.simulator.waitFor(({ type }) => type === 'associateLead');
  assert.deepEqual(lead.leadFields, { Email: 'x@example.com', Half: '\ufffd', UserId: '1' });
  assert.deepEqual(errors, []);
});

test('group and alias are no calls of Marketo: skipped, not failed', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  const [group, alias, legacy] = await call(page, [['group', 'g', {}], ['alias', 'new', 'old'], ['pageview', '/legacy']]);
  assert.deepEqual([group.skipped, alias.skipped, legacy.sent], ['not_supported', 'not_supported', true]);
  await world.arrival('/legacy');
});

test('a listener or callback that throws stops nothing', async (t) => {
  const { page, errors } = await world.open(t, { head: world.tag() });
  const sent = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    const fail = () => {
      throw new Error("the page's own");
    };
    analytics.on('track', fail).on('result', fail);
    return (await analytics.track('x', {}, {}, fail)).sent;
  });
  assert.equal(sent, true);
  await world.arrival('/event/x');
  assert.deepEqual(errors, []);
});
