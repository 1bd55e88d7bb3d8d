/** Nothing before the visitor's yes, nothing after a no. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, customer, MUNCHKIN_ID } from './customer.mjs';

const world = customer();

/** @typedef {import('playwright-core').Page} Page */

/** What the page has stored, and the cookies of its site. @param {Page} page */
const stored = (page) => page.evaluate(() => ({ storage: { ...localStorage }, cookie: document.cookie }));

const NOTHING = { storage: {}, cookie: '' };

/** Notes every request of a page but those for the page itself. @param {string[]} requests */
const noting = (requests) => async (/** @type {Page} */ page) => {
  page.on('request', (request) => {
    if (!request.isNavigationRequest()) requests.push(request.url());
  });
};

/** Begins calls of each kind, and keeps their promises. @param {Page} page */
const begin = (page) =>
  page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    /** @type {any} */ (window).begun = [
      analytics.page(),
      analytics.track('before'),
      analytics.identify('u1', { email: 'u1@example.com' }),
    ];
  });

/** @param {Page} page @returns {Promise<any[]>} */
const begun = (page) => page.evaluate(() => Promise.all(/** @type {any} */ (window).begun));

/** @param {Page} page @param {boolean} given */
const consent = (page, given) => page.evaluate((yes) => void (/** @type {any} */ (window).analytics.consent(yes)), given);

const leads = () => world.simulator.events.filter(({ type }) => type === 'associateLead').map(({ leadFields }) => leadFields.Email);

/** Ways to put it on a page that waits, and what of the customer's own is on it from the start. */
const WAITING = /** @type {[string, () => string, RegExp][]} */ ([
  ['script tag', () => world.tag({ 'data-consent': 'pending' }), /munchkin-shim\.js$/],
  ['snippet that loads nothing', () => world.snippet({ consent: 'pending' }), /^$/],
  [
    'snippet with the shim beside it',
    () => world.snippet().replace(/<link[^>]*>/, '').replace('"server":', '"consent":"pending","server":'),
    /munchkin-shim\.js$/,
  ],
  // The page has been told to wait for an answer, and has none.
  ['snippet with null for an answer', () => world.snippet().replace(/<link[^>]*>/, '').replace('"server":', '"consent":null,"server":'), /munchkin-shim\.js$/],
  [
    'load with undefined for an answer',
    () => `${world.tag({ 'data-munchkin-id': undefined })}<script>
      analytics.load('${MUNCHKIN_ID}', { server: '${world.serverUrl}', munchkinUrl: '${world.simulator.url}/munchkin.js', consent: undefined });
    </script>`,
    /munchkin-shim\.js$/,
  ],
]);

for (const [kind, head, own] of WAITING) {
  test(`${kind}: while pending nothing is loaded, stored or sent; a yes sends what has waited`, async (t) => {
    /** @type {string[]} */
    const requests = [];
    const { page, errors } = await world.open(t, { head: head(), path: '/asked?x=1', prepare: noting(requests) });
    await page.waitForLoadState('load');
    await begin(page);
    await page.evaluate(() => void /** @type {any} */ (window).analytics.on('track', () => {}));
    assert.deepEqual(requests.filter((url) => !own.test(url)), []);
    assert.deepEqual(await stored(page), NOTHING);

    await consent(page, true);
    const [, track, lead] = await begun(page);
    assert.deepEqual([track.sent, lead.sent], [true, true]);
    await world.simulator.waitFor(({ type }) => type === 'associateLead');
    await world.visited(['/asked', '/event/before']);
    assert.equal((await stored(page)).storage.ajs_user_id, '"u1"');
    assert.deepEqual(errors, []);
  });

  test(`${kind}: a no ends what has waited, and sends nothing from then on; a later yes holds for later calls`, async (t) => {
    /** @type {string[]} */
    const requests = [];
    const { page, errors } = await world.open(t, { head: head(), path: '/refused', prepare: noting(requests) });
    await page.waitForLoadState('load');
    await begin(page);
    await consent(page, false);
    const refused = [...(await begun(page)), ...(await call(page, [['track', 'after'], ['identify', 'u2', { email: 'u2@example.com' }]]))];
    assert.deepEqual(refused.map(({ ok, sent, skipped }) => [ok, sent, skipped]), Array(5).fill([true, false, 'no_consent']));
    assert.deepEqual(refused.map(({ type }) => type), ['page', 'track', 'identify', 'track', 'identify']);
    assert.deepEqual(requests.filter((url) => !/munchkin-shim\.(extras\.)?js$/.test(url)), []);
    assert.deepEqual(await stored(page), NOTHING);

    await consent(page, true);
    const [later] = await call(page, [['track', 'later']]);
    assert.equal(later.sent, true);
    assert.deepEqual((await stored(page)).storage, {}, 'nobody who was identified against their will');
    await world.visited(['/refused', '/event/later']);
    assert.deepEqual(leads(), []);
    assert.deepEqual(errors, []);
  });

  test(`${kind}: callbacks are told of a no too, after the call and before its promise`, async (t) => {
    const { page, errors } = await world.open(t, { head: head(), path: '/told' });
    await page.waitForLoadState('load');
    const told = await page.evaluate(async () => {
      const { analytics } = /** @type {any} */ (window);
      /** @type {any[]} */
      const order = [];
      const note = (/** @type {any} */ { type, skipped }) => order.push(`${type}: ${skipped}`);
      const waiting = analytics.track('before', { a: 1 }, note).then(() => order.push('promise'));
      analytics.consent(false);
      order.push('no');
      await waiting;
      const refused = analytics.identify('u1', { email: 'u1@example.com' }, {}, note);
      order.push('called');
      await refused;
      await analytics.page(() => {
        throw new Error("the page's own");
      });
      return order;
    });
    assert.deepEqual(told, ['no', 'track: no_consent', 'promise', 'called', 'identify: no_consent']);
    assert.deepEqual(errors, []);
  });

  test(`${kind}: a no removes what an earlier page has stored`, async (t) => {
    const first = await world.open(t, { head: world.tag(), path: '/first' });
    await call(first.page, [['identify', 'u1', { email: 'u1@example.com' }]]);
    await world.simulator.waitFor(({ type }) => type === 'associateLead');
    const before = await stored(first.page);
    assert.deepEqual(Object.keys(before.storage).sort(), ['ajs_user_id', 'ajs_user_traits', 'munchkin_shim_lead']);
    assert.match(before.cookie, /_mkto_trk=/);

    const { page } = await world.open(t, { head: head(), path: '/second', context: first.context });
    await page.waitForLoadState('load');
    await consent(page, false);
    await page.waitForFunction(() => document.cookie === '' && localStorage.length === 0);
  });
}

test('the snippet heeds a no where the page has frozen the prototypes that all share', async (t) => {
  const { page, errors } = await world.open(t, {
    head: `<script>Object.freeze(Array.prototype); Object.freeze(Object.prototype);</script>${world.snippet({ consent: 'pending' })}`,
    path: '/frozen',
  });
  const after = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    analytics.consent(false);
    const ended = analytics.track('after no');
    /** @type {any} */ (window).waiting = analytics.length;
    return /** @type {any} */ (window).waiting ? undefined : ended;
  });
  assert.deepEqual(after, { ok: true, type: 'track', sent: false, skipped: 'no_consent' });
  await consent(page, true);
  await page.waitForFunction(() => /** @type {any} */ (window).analytics.munchkinShim === true);
  await call(page, [['track', 'after yes']]);
  await world.visited(['/frozen', '/event/after-yes']);
  assert.deepEqual(errors, []);
});

test('the snippet heeds a no though others have put into it what is no call', async (t) => {
  const { page, errors } = await world.open(t, {
    head: `<script>localStorage.ajs_user_id = '"u1"';</script>${world.snippet({ consent: 'pending' })}`,
    path: '/pushed',
  });
  const ended = await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    const begun = [analytics.track('before')];
    const others = [['track', 'x'], ['page'], [], 5, 'text', null, { event: 'x' }, ['identify', { email: 'x@example.com' }, () => {}], ['track', undefined, () => {}]];
    analytics.push(...others);
    begun.push(analytics.track('behind'));
    analytics.consent(false);
    for (const other of others) analytics.push(other);
    return Promise.all([...begun, analytics.track('after')]);
  });
  assert.deepEqual(ended.map(({ skipped }) => skipped), Array(3).fill('no_consent'));
  assert.deepEqual(await stored(page), NOTHING);
  await consent(page, true);
  await page.waitForFunction(() => /** @type {any} */ (window).analytics.munchkinShim === true);
  await call(page, [['track', 'after yes']]);
  await world.visited(['/pushed', '/event/after-yes']);
  assert.deepEqual(errors, []);
});

for (const [kind, head] of /** @type {[string, () => string][]} */ ([
  ['script tag', () => world.tag({ src: `${world.siteUrl}/dist/munchkin-shim.js`, 'data-munchkin-url': '/none.js' })],
  ['snippet that loads nothing', () => world.snippet({ src: `${world.siteUrl}/dist/munchkin-shim.js`, consent: 'pending' })],
])) {
  test(`${kind}: in a frame that may have neither cookies nor storage a no is heeded, and nothing is thrown`, async (t) => {
    const script = `<script>
      const told = [];
      addEventListener('error', ({ message }) => told.push(message));
      addEventListener('unhandledrejection', ({ reason }) => told.push(String(reason)));
      addEventListener('load', async () => {
        analytics.on('error', ({ type, error }) => told.push(type + ' ' + error));
        try {
          analytics.consent(false);
        } catch (reason) {
          told.push(String(reason));
        }
        // With the extras, which carry it out, if the shim is there.
        if (analytics.munchkinShim === true) await analytics.trackLink(null, 'x');
        told.push((await analytics.track('x')).skipped);
        parent.postMessage(told, '*');
      });
    </script>`;
    const { page } = await world.open(t, { path: '/framing' });
    const told = await page.evaluate((html) => {
      const frame = document.createElement('iframe');
      frame.setAttribute('sandbox', 'allow-scripts');
      frame.srcdoc = html;
      document.body.append(frame);
      return new Promise((resolve) => addEventListener('message', ({ data }) => resolve(data), { once: true }));
    }, head() + script);
    assert.deepEqual(told, ['no_consent']);
  });
}

test('a yes that is given before load counts, and so does one among the calls of the snippet', async (t) => {
  const early = await world.open(t, {
    path: '/early',
    head: `${world.snippet().replace('"server":', '"consent":"pending","server":')}<script>analytics.track('waits'); window.heeded = analytics.consent(true);</script>`,
  });
  await world.arrival('/event/waits');
  await early.page.evaluate(() => /** @type {any} */ (window).heeded);
  await early.page.close();

  const { page } = await world.open(t, { head: world.tag({ 'data-munchkin-id': undefined }), path: '/loaded' });
  await page.evaluate(
    ([munchkinUrl]) => {
      const { analytics } = /** @type {any} */ (window);
      analytics.consent(true);
      analytics.load('561-HYG-937', { munchkinUrl, consent: 'pending' });
    },
    [`${world.simulator.url}/munchkin.js`],
  );
  assert.equal((await call(page, [['track', 'at once']]))[0].sent, true);
});

test('consent: false loads nothing; calls end at once', async (t) => {
  for (const [i, head] of [world.tag({ 'data-consent': 'false' }), world.snippet({ consent: false })].entries()) {
    /** @type {string[]} */
    const requests = [];
    const { page } = await world.open(t, { head, path: `/none${i}`, prepare: noting(requests) });
    await page.waitForLoadState('load');
    assert.equal((await call(page, [['track', 'x']]))[0].skipped, 'no_consent');
    assert.deepEqual(requests.filter((url) => !/munchkin-shim\.(extras\.)?js$/.test(url)), []);
  }
});

test('a yes that is taken back stops calls that are under way, and Munchkin too, until the page is left', async (t) => {
  const { page, context } = await world.open(t, {
    head: world.tag({ 'data-consent': 'pending' }),
    body: '<a href="#somewhere">a link</a>',
    path: '/withdrawn',
  });
  await consent(page, true);
  await call(page, [['identify', 'u1', { email: 'u1@example.com' }]]);
  await world.simulator.waitFor(({ type }) => type === 'associateLead');
  const before = world.simulator.events.length;

  // The hash is still on its way when consent is withdrawn.
  await page.route('**/v1/lead', async (route) => {
    await consent(page, false);
    await route.continue();
  });
  const [lead] = await call(page, [['identify', 'u2', { email: 'u2@example.com' }]]);
  assert.equal(lead.skipped, 'no_consent');
  await page.waitForFunction(() => document.cookie === 'mkto_opt_out=true');
  await page.click('a');
  assert.deepEqual((await stored(page)).storage, {});

  // The opt-out was the page's, not the visitor's: on the next one, where they agree, they are tracked.
  await page.goto('about:blank');
  const next = await world.open(t, { head: world.tag(), path: '/next', context });
  await world.arrival('/next');
  assert.deepEqual(world.simulator.events.slice(before).map(({ path }) => path), ['/next']);
  await next.page.waitForFunction(() => !document.cookie.includes('mkto_opt_out'));
});

test('a no and then a yes on one page: Munchkin may track again', async (t) => {
  const { page } = await world.open(t, { head: world.tag(), path: '/back-and-forth' });
  await world.arrival('/back-and-forth');
  await consent(page, false);
  await page.waitForFunction(() => document.cookie === 'mkto_opt_out=true');
  await consent(page, true);
  await page.waitForFunction(() => !document.cookie.includes('mkto_opt_out'));
  assert.equal((await call(page, [['track', 'again']]))[0].sent, true);
  await world.arrival('/event/again');
});

for (const [kind, file] of [['and is there before the shim', 'munchkin.js'], ['and comes after the shim, by another name', 'tracker.js']]) {
  test(`a no that is said before the shim arrives, where the snippet starts Munchkin, ${kind}: it keeps quiet`, async (t) => {
    /** @type {Record<string, (value?: unknown) => void>} */
    const release = {};
    /** @param {Page} page @param {string} name */
    const hold = async (page, name) => {
      const held = new Promise((resolve) => {
        release[name] = resolve;
      });
      await page.route(`**/${name}`, async (route) => {
        await held;
        await route.continue({ url: route.request().url().replace('tracker', 'munchkin') });
      });
    };
    const { page, errors } = await world.open(t, {
      head: world.snippet({ munchkinUrl: `${world.simulator.url}/${file}` }),
      body: '<a href="#somewhere">a link</a>',
      path: '/early-no',
      async prepare(page) {
        await hold(page, 'munchkin-shim.js');
        await hold(page, 'tracker.js');
      },
    });
    const isLoaded = () => page.waitForFunction(() => 'MunchkinTracker' in window);
    if (file === 'munchkin.js') await isLoaded();
    await consent(page, false);
    release['munchkin-shim.js']();
    await page.waitForFunction(() => document.cookie === 'mkto_opt_out=true');
    release['tracker.js']();
    await isLoaded();
    await page.click('a');
    await consent(page, true);
    assert.equal((await call(page, [['track', 'agreed']]))[0].sent, true);
    await world.arrival('/event/agreed');
    assert.deepEqual(world.simulator.events.filter(({ type }) => type !== 'visitWebPage'), []);
    assert.deepEqual(errors, []);
  });
}

test('a no that is said twice is still a no, and holds when the page is come back to', async (t) => {
  const { page } = await world.open(t, { head: world.tag(), body: '<a href="#somewhere">a link</a>', path: '/twice' });
  await world.arrival('/twice');
  const isQuiet = () => page.waitForFunction(() => document.cookie === 'mkto_opt_out=true');
  await consent(page, false);
  await isQuiet();
  await consent(page, false);
  await call(page, [['trackLink', null, 'x']]); // later than what the second no asked for
  await page.click('a');
  assert.equal((await stored(page)).cookie, 'mkto_opt_out=true');

  const transition = (/** @type {string} */ type) =>
    page.evaluate((name) => void dispatchEvent(new PageTransitionEvent(name, { persisted: true })), type);
  await transition('pagehide');
  assert.equal((await stored(page)).cookie, '');
  await transition('pageshow');
  await isQuiet();
  await page.click('a');

  await consent(page, true);
  await transition('pageshow');
  assert.equal((await stored(page)).cookie.includes('mkto_opt_out'), false);
  assert.equal((await call(page, [['track', 'agreed']]))[0].sent, true);
  await world.arrival('/event/agreed');
  assert.deepEqual(world.simulator.events.map(({ type }) => type), ['visitWebPage', 'visitWebPage'], 'no click');
});

test('of two tabs that are told no, the one that stays keeps quiet when the other is left', async (t) => {
  const head = world.tag();
  const body = '<a href="#somewhere">a link</a>';
  const { page: left, context } = await world.open(t, { head, body, path: '/left' });
  const { page: stays } = await world.open(t, { head, body, path: '/stays', context });
  await world.visited(['/left', '/stays']);
  for (const page of [left, stays]) {
    await consent(page, false);
    await call(page, [['trackLink', null, 'x']]); // later than what the no asked for
  }
  await left.goto('about:blank');
  await stays.waitForFunction(() => document.cookie === '');
  await stays.click('a');
  await stays.waitForFunction(() => document.cookie === 'mkto_opt_out=true');
  await stays.click('a');

  // It was of the first tab; now it is of this one, which takes it back.
  await consent(stays, true);
  assert.equal((await call(stays, [['track', 'agreed']]))[0].sent, true);
  await world.arrival('/event/agreed');
  assert.deepEqual(world.simulator.events.filter(({ type }) => type !== 'visitWebPage'), []);
});

test('a yes holds for the calls right after it, however short before there was a no', async (t) => {
  const { page } = await world.open(t, { head: world.tag(), path: '/at-once' });
  await world.arrival('/at-once');
  await consent(page, false);
  await page.waitForFunction(() => document.cookie === 'mkto_opt_out=true');
  const again = await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    analytics.consent(true);
    return analytics.track('again');
  });
  assert.equal(again.sent, true, again.skipped);
});

test('a no that is taken back while the extras are loading removes nothing that came after it', async (t) => {
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const { page } = await world.open(t, {
    head: world.tag(),
    path: '/changed-mind',
    prepare: (page) =>
      page.route('**/munchkin-shim.extras.js', async (route) => {
        await held;
        await route.continue();
      }),
  });
  await world.arrival('/changed-mind');
  const lead = await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    analytics.consent(false);
    analytics.consent(true);
    return analytics.identify('u1', { email: 'u1@example.com' });
  });
  assert.equal(lead.sent, true);
  const before = await stored(page);
  assert.equal(before.storage.ajs_user_id, '"u1"');
  release();
  await call(page, [['trackLink', null, 'x']]);
  assert.deepEqual(await stored(page), before);
});

test('a no is carried out however late the extras come', async (t) => {
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const { page } = await world.open(t, {
    head: world.tag(),
    path: '/slow',
    prepare: async (page) => {
      await page.clock.install();
      await page.route('**/munchkin-shim.extras.js', async (route) => {
        await held;
        await route.continue();
      });
    },
  });
  await world.arrival('/slow');
  await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    analytics.on('error', (/** @type {any} */ result) => (/** @type {any} */ (window).told = result));
    analytics.consent(false);
  });
  await page.clock.runFor(11_000);
  release();
  await page.waitForFunction(() => document.cookie === 'mkto_opt_out=true');
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).told), undefined);
});

test('a no right after an identify: the server is not asked for a hash any more', async (t) => {
  /** @type {string[]} */
  const requests = [];
  const { page } = await world.open(t, {
    head: `${world.tag()}<script>
      window.lead = analytics.identify('u1', { email: 'u1@example.com' });
      analytics.consent(false);
    </script>`,
    prepare: noting(requests),
  });
  assert.equal((await page.evaluate(() => /** @type {any} */ (window).lead)).skipped, 'no_consent');
  await call(page, [['trackLink', null, 'x']]);
  assert.deepEqual(requests.filter((url) => url.includes('/v1/lead')), []);
});

test('a no while Munchkin is loading: it is not initialised before the next yes', async (t) => {
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const { page, errors } = await world.open(t, {
    head: world.tag({ 'data-consent': 'pending' }),
    path: '/too-late',
    async prepare(page) {
      await page.route('**/munchkin-shim.extras.js', (route) => route.abort());
      await page.route('**/munchkin.js', async (route) => {
        await held;
        await route.continue();
      });
    },
  });
  await consent(page, true);
  await consent(page, false);
  release();
  await page.waitForFunction(() => 'Munchkin' in window);
  await page.evaluate("history.replaceState({}, '', '/elsewhere')");
  assert.deepEqual(await stored(page), NOTHING);
  await page.evaluate("analytics.off('consent')"); // no listener of ours is the page's to take away
  await consent(page, true);
  assert.equal((await call(page, [['track', 'agreed']]))[0].sent, true);
  await world.visited(['/elsewhere', '/event/agreed']);
  assert.deepEqual(errors, []);
});

test("a visitor's own opt-out outlives the page that is told no", async (t) => {
  const { page, context } = await world.open(t, {
    head: world.tag(),
    path: '/own',
    prepare: (page) => page.context().addCookies([{ name: 'mkto_opt_out', value: 'true', url: world.siteUrl }]),
  });
  await consent(page, false);
  await call(page, [['trackLink', null, 'x']]); // the extras are there
  await page.goto('about:blank');
  assert.equal((await context.cookies()).some(({ name }) => name === 'mkto_opt_out'), true);
});

test('so does one that is said in another tab meanwhile', async (t) => {
  const { siteUrl } = world;
  world.siteUrl = siteUrl.replace('127.0.0.1', 'shop.localhost'); // which has a domain
  t.after(() => {
    world.siteUrl = siteUrl;
  });
  const { page, context } = await world.open(t, { head: world.tag(), path: '/first' });
  await call(page, [['page']]);
  await consent(page, false);
  await page.waitForFunction(() => document.cookie.includes('mkto_opt_out=true'));
  const { page: other } = await world.open(t, { head: world.tag(), path: '/second?marketo_opt_out=true', context });
  assert.equal((await call(other, [['track', 'x']]))[0].skipped, 'opted_out');
  await page.goto('about:blank');
  const left = (await context.cookies()).filter(({ name }) => name === 'mkto_opt_out');
  // Munchkin may have set one of its own; that of the first tab is gone.
  assert.ok(left.length > 0 && left.every(({ value, expires }) => value === 'true' && expires > 0), JSON.stringify(left));
});

for (const [kind, head] of /** @type {[string, () => string][]} */ ([
  ['script tag', () => world.tag({ 'data-honour-gpc': '' })],
  ['snippet', () => world.snippet({ honourGpc: true })],
  ['snippet that waits', () => world.snippet({ honourGpc: true, consent: 'pending' })],
])) {
  test(`${kind}: Global Privacy Control counts as a no, whatever the page says`, async (t) => {
    /** @type {string[]} */
    const requests = [];
    const { page } = await world.open(t, {
      head: head(),
      prepare: async (page) => {
        await noting(requests)(page);
        await page.addInitScript("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })");
      },
    });
    await page.waitForLoadState('load');
    await consent(page, true);
    assert.equal((await call(page, [['track', 'x']]))[0].skipped, 'no_consent');
    assert.deepEqual(requests.filter((url) => !/munchkin-shim\.(extras\.)?js$/.test(url)), []);
    assert.deepEqual(await stored(page), NOTHING);
  });

  test(`${kind}: without the signal honourGpc changes nothing`, async (t) => {
    const { page } = await world.open(t, { head: head(), path: '/no-signal' });
    await consent(page, true);
    assert.equal((await call(page, [['track', 'x']]))[0].sent, true);
    await world.visited(['/no-signal', '/event/x']);
  });
}

test('what is chosen while pending is kept: setAnonymousId, reset, links to track', async (t) => {
  const { page } = await world.open(t, {
    head: world.tag({ 'data-consent': 'pending' }),
    body: '<a href="#x">link</a>',
    path: '/kept',
  });
  await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    analytics.setAnonymousId('chosen');
    /** @type {any} */ (window).attached = analytics.trackLink(document.querySelector('a'), 'Followed');
    analytics.identify('gone', { email: 'gone@example.com' });
    analytics.reset();
    analytics.setAnonymousId('second');
  });
  assert.deepEqual(await stored(page), NOTHING);
  await consent(page, true);
  await page.evaluate(() => /** @type {any} */ (window).attached);
  await page.click('a');
  await world.arrival('/event/Followed');
  const user = await page.evaluate(() => {
    const user = /** @type {any} */ (window).analytics.user();
    return [user.id(), user.anonymousId(), user.traits()];
  });
  assert.deepEqual(user, [null, 'second', {}]);
});

test('a returning visitor is still the same after a yes', async (t) => {
  const { page } = await world.open(t, {
    head: `<script>localStorage.ajs_anonymous_id = '"before"'; localStorage.ajs_user_id = '"u1"';</script>${world.tag({ 'data-consent': 'pending' })}`,
  });
  const ids = await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    const pending = analytics.user().anonymousId();
    analytics.consent(true);
    return [pending === 'before', analytics.user().anonymousId(), analytics.user().id()];
  });
  assert.deepEqual(ids, [false, 'before', 'u1']);
});

test('what is said of the visitor while pending is newer than what an earlier page has stored', async (t) => {
  const stored = `<script>localStorage.ajs_user_id = '"ann"'; localStorage.ajs_user_traits = '{"email":"ann@example.com"}'</script>`;
  const { page } = await world.open(t, { head: `${stored}${world.tag({ 'data-consent': 'pending' })}` });
  const bob = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    analytics.user().id('bob');
    analytics.user().traits({ email: 'bob@example.com' });
    analytics.consent(true);
    const { call } = await analytics.identify({ plan: 'pro' });
    return [analytics.user().id(), call[1]];
  });
  assert.deepEqual(bob, ['bob', { Email: 'bob@example.com', Plan: 'pro', UserId: 'bob' }]);
  await page.reload();
  const nobody = await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    analytics.user().id(null);
    analytics.user().traits(null);
    analytics.consent(true);
    return [analytics.user().id(), analytics.user().traits()];
  });
  assert.deepEqual(nobody, [null, {}]);
});

test('without the extras a no still forgets the visitor, and says what it could not do', async (t) => {
  const { page } = await world.open(t, {
    head: `<script>localStorage.ajs_user_id = '"u1"';</script>${world.tag({ 'data-consent': 'pending' })}`,
    prepare: (page) => page.route('**/munchkin-shim.extras.js', (route) => route.abort()),
  });
  const error = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const { analytics } = /** @type {any} */ (window);
        analytics.on('error', resolve);
        analytics.consent(false);
      }),
  );
  assert.deepEqual([error.type, error.error], ['consent', 'extras_blocked']);
  assert.deepEqual((await stored(page)).storage, {});
});
