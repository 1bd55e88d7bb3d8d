/** How the shim and Munchkin come onto a page, and what happens when they do not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, customer, MUNCHKIN_ID } from './customer.mjs';

const world = customer();

test('the snippet keeps calls until the shim is there, in order, with their promises and callbacks', async (t) => {
  const { page, errors } = await world.open(t, {
    head: `${world.snippet()}<script>
      window.seen = [];
      analytics.on('result', function (r) { seen.push(r.type); });
      analytics.page();
      window.promise = analytics.track('first', {n: 1}, function (r) { window.calledBack = r; });
      analytics.identify('9', {email: 'early@example.com'});
      analytics.track('second');
    </script>`,
    path: '/early',
  });
  const lead = await world.simulator.waitFor(({ type }) => type === 'associateLead');
  await world.arrival('/event/second');
  assert.equal(lead.signature, 'valid');
  await world.visited(['/early', '/event/first', '/event/second']);
  const state = await page.evaluate(async () => {
    const { promise, calledBack, seen } = /** @type {any} */ (window);
    return { result: await promise, calledBack, seen };
  });
  assert.deepEqual([state.result.sent, state.calledBack.sent], [true, true]);
  assert.deepEqual(state.seen.slice(0, 3), ['page', 'track', 'track']);
  assert.deepEqual(errors, []);
});

test('the server may be a URL, as an object', async (t) => {
  const { page } = await world.open(t, {
    head: `${world.tag({ 'data-munchkin-id': undefined })}<script>
      analytics.load('${MUNCHKIN_ID}', { server: new URL('${world.serverUrl}'), munchkinUrl: '${world.simulator.url}/munchkin.js' });
    </script>`,
  });
  assert.equal((await call(page, [['identify', '1', { email: 'a@b.co' }]]))[0].sent, true);
});

test('what others put into the stub is no call, and holds up none', async (t) => {
  const { page, errors } = await world.open(t, {
    head: world.snippet().replace(
      '</script>\n<script',
      ";analytics.track('first');analytics.push(['track', 'x'], ['page'], [], 5, 'text', null, { event: 'x' }, ['identify', { email: 'x@example.com' }, () => {}], ['track', undefined, () => {}], ['consent', null, () => {}]);analytics.track('last');</script>\n<script",
    ),
    path: '/pushed',
  });
  await world.visited(['/pushed', '/event/first', '/event/last']);
  await call(page, [['track', 'later']]);
  await world.arrival('/event/later');
  assert.deepEqual(errors, []);
});

test('a call before the shim is there is of the page where it was made', async (t) => {
  const { page } = await world.open(t, {
    head: `${world.snippet({ munchkin: { apiOnly: true } })}<script>
      analytics.page();
      history.pushState({}, '', '/second');
      analytics.page();
    </script>`,
    path: '/first',
  });
  await world.arrival('/second');
  await world.visited(['/first', '/second']);
  assert.equal(await page.evaluate(() => location.pathname), '/second');
});

test('references to the stub stay good once the shim is there', async (t) => {
  const { page } = await world.open(t, { head: `${world.snippet()}<script>window.kept = analytics;</script>` });
  await call(page, [['track', 'kept']], 'kept');
  await world.arrival('/event/kept');
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).kept === /** @type {any} */ (window).analytics), true);
});

test('analytics.load begins, once', async (t) => {
  const { page } = await world.open(t, { head: world.tag({ 'data-munchkin-id': undefined }) });
  assert.equal(await page.locator('script').count(), 1);
  const result = await page.evaluate(
    ([id, munchkinUrl, server]) => {
      const { analytics } = /** @type {any} */ (window);
      const early = analytics.track('before load');
      analytics.load(id, { munchkinUrl, server });
      analytics.load('999-ZZZ-999', { munchkinUrl });
      return early;
    },
    [MUNCHKIN_ID, `${world.simulator.url}/munchkin.js`, world.serverUrl],
  );
  assert.equal(result.sent, true);
  const visit = await world.arrival('/event/before-load');
  assert.equal(visit.munchkinId, MUNCHKIN_ID);
  assert.equal(await page.locator('script[src*="/munchkin.js"][async]').count() >= 1, true);
});

test('ready is called once Munchkin is there, also when it is asked late', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  const ready = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    await new Promise((resolve) => analytics.ready(resolve));
    const late = await new Promise((resolve) => analytics.ready(() => resolve('late')));
    return [typeof (/** @type {any} */ (window).Munchkin.munchkinFunction), late];
  });
  assert.deepEqual(ready, ['function', 'late']);
});

test('a Munchkin that the page has already is used, not loaded or initialised again', async (t) => {
  const { page } = await world.open(t, {
    head: `<script src="${world.simulator.url}/munchkin.js"></script>
      <script>Munchkin.init('${MUNCHKIN_ID}', {cookieLifeDays: 1});</script>
      ${world.tag({ 'data-munchkin-url': '/nowhere.js' })}`,
    path: '/own',
  });
  const [first] = await call(page, [['page'], ['track', 'through it']]);
  assert.equal(first.skipped, 'already_recorded');
  await world.arrival('/event/through-it');
  await world.visited(['/own', '/event/through-it']);
});

for (const [kind, head] of /** @type {[string, () => string][]} */ ([
  ['script tag', () => world.tag()],
  ['snippet', () => world.snippet()],
])) {
  test(`${kind}: Munchkin refused by a blocker: every call ends with munchkin_blocked, nothing is thrown`, async (t) => {
    const { page, errors } = await world.open(t, {
      head: head(),
      prepare: (page) => page.route('**/munchkin.js', (route) => route.abort('blockedbyclient')),
    });
    const results = await call(page, [['page'], ['track', 'x'], ['identify', '1', { email: 'a@b.co' }]]);
    assert.deepEqual(results.map(({ error }) => error), Array(3).fill('munchkin_blocked'));
    assert.deepEqual(errors, []);
    assert.deepEqual(world.simulator.events, []);
  });

  test(`${kind}: Munchkin that never answers: munchkin_blocked after 10 s; one that comes late is used`, async (t) => {
    /** @type {() => void} */
    let answer = () => {};
    const { page, errors } = await world.open(t, {
      head: head(),
      prepare: async (page) => {
        await page.clock.install();
        await page.route(`${world.simulator.url}/munchkin.js`, async (route) => {
          await new Promise((resolve) => {
            answer = () => resolve(undefined);
          });
          await route.continue();
        });
      },
    });
    await page.waitForFunction(() => /** @type {any} */ (window).analytics.munchkinShim === true);
    await page.evaluate(() => {
      const { analytics } = /** @type {any} */ (window);
      /** @type {any} */ (window).waiting = analytics.track('too early');
    });
    await page.clock.fastForward(10001);
    const early = await page.evaluate(() => /** @type {any} */ (window).waiting);
    assert.equal(early.error, 'munchkin_blocked');
    answer();
    await page.waitForFunction(() => /** @type {any} */ (window).MunchkinTracker);
    const [late] = await call(page, [['track', 'late']]);
    assert.equal(late.sent, true);
    await page.evaluate(() => new Promise((resolve) => /** @type {any} */ (window).analytics.ready(resolve)));
    await world.arrival('/event/late');
    assert.deepEqual(errors, []);
  });
}

for (const [kind, head] of /** @type {[string, () => string][]} */ ([
  ['script tag', () => world.tag()],
  ['snippet', () => world.snippet()],
])) {
  test(`${kind}: a munchkin.js that a blocker has emptied: munchkin_blocked, nothing is thrown`, async (t) => {
    const { page, errors } = await world.open(t, {
      head: head(),
      prepare: (page) => page.route('**/munchkin.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' })),
    });
    const [result] = await call(page, [['page']]);
    assert.equal(result.error, 'munchkin_blocked');
    assert.deepEqual(errors, []);
  });

  test(`${kind}: visitors who go on before a slow Munchkin is there lose no page, and double none`, async (t) => {
    /** @type {() => void} */
    let answer = () => {};
    const { page } = await world.open(t, {
      head: head(),
      path: '/first',
      prepare: (page) =>
        page.route(`${world.simulator.url}/munchkin.js`, async (route) => {
          await new Promise((resolve) => {
            answer = () => resolve(undefined);
          });
          await route.continue();
        }),
    });
    await page.waitForFunction(() => /** @type {any} */ (window).analytics.munchkinShim === true);
    const sent = page.evaluate(async () => {
      const { analytics } = /** @type {any} */ (window);
      const first = analytics.page();
      history.pushState({}, '', '/second');
      return Promise.all([first, analytics.page()]);
    });
    await page.waitForFunction(() => location.pathname === '/second');
    answer();
    const [first, second] = await sent;
    assert.deepEqual([first.sent, second.skipped], [true, 'already_recorded']);
    await world.visited(['/first', '/second']);
  });
}

test('with hash routes the first is a visit of its own: Munchkin has recorded the page without it', async (t) => {
  const { page } = await world.open(t, { head: world.tag({ 'data-hash-routing': '' }), path: '/app#/start' });
  const [first] = await call(page, [['page']]);
  assert.equal(first.sent, true);
  await world.visited(['/app', '/start']);
});

test('what makes no sense throws nothing, ends with arguments_invalid, and holds up no other call', async (t) => {
  const { page, errors } = await world.open(t, {
    head: `${world.snippet()}<script>
      const throwing = (name) => Object.defineProperty({}, name, { enumerable: true, get() { throw new Error('mine'); } });
      const circle = {};
      circle.self = circle;
      window.nonsense = (analytics) => Promise.all([
        analytics.identify('1', throwing('email')),
        analytics.page(throwing('url')),
        analytics.track('x', throwing('plan')),
        analytics.track('x', circle),
        analytics.track('x', { big: 10n }),
        analytics.identify('1', { email: 'a@b.co' }, throwing('integrations')),
        analytics.trackLink(5, 'x'),
        analytics.trackForm({}, 'x'),
        analytics.identify(1n, { email: 'a@b.co' }),
        analytics.track('good'),
      ]);
      window.early = nonsense(analytics);
    </script>`,
  });
  for (const results of [
    await page.evaluate(() => /** @type {any} */ (window).early),
    await page.evaluate(() => /** @type {any} */ (window).nonsense(/** @type {any} */ (window).analytics)),
  ]) {
    assert.deepEqual(results.map((/** @type {any} */ { error }) => error), [...Array(9).fill('arguments_invalid'), undefined]);
    assert.equal(results.at(-1).sent, true);
  }
  await world.visited(['/', '/event/good', '/event/good']);
  assert.deepEqual(errors, []);
});

test('before the shim is there, user() too is a promise', async (t) => {
  const { page } = await world.open(t, {
    head: `${world.snippet()}<script>analytics.identify('u1'); window.early = analytics.user().then((user) => user.id());</script>`,
  });
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).early), 'u1');
});

test('once() and on() of the same listener: it is called each time', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  const heard = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    let count = 0;
    const listener = () => count++;
    analytics.on('track', listener).once('track', listener);
    for (const event of ['a', 'b']) await analytics.track(event);
    return count;
  });
  assert.equal(heard, 3);
});

test('two copies of the shim do no harm', async (t) => {
  const { page, errors } = await world.open(t, { head: world.tag() + world.tag() + world.snippet(), path: '/twice' });
  await call(page, [['page'], ['track', 'once']]);
  await world.arrival('/event/once');
  await world.visited(['/twice', '/event/once']);
  assert.deepEqual(errors, []);
});

test('the snippet twice does no harm either', async (t) => {
  const { page } = await world.open(t, { head: world.snippet() + world.snippet(), path: '/twice' });
  await call(page, [['page'], ['track', 'once']]);
  await world.arrival('/event/once');
  await world.visited(['/twice', '/event/once']);
});

const SEGMENT = "<script>window.analytics = {initialize: true, track: function () { return 'segment'; }};</script>";

test("window.analytics of Segment's stays theirs; data-global names ours", async (t) => {
  const { page } = await world.open(t, { head: SEGMENT + world.tag({ 'data-global': 'marketo' }) });
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).analytics.track()), 'segment');
  await call(page, [['track', 'ours']], 'marketo');
  await world.arrival('/event/ours');
});

for (const [kind, head] of /** @type {[string, () => string][]} */ ([
  ['script tag', () => world.tag()],
  ['snippet', () => world.snippet()],
])) {
  test(`${kind}: without data-global it moves to window.munchkinAnalytics`, async (t) => {
    const { page } = await world.open(t, { head: SEGMENT + head() });
    assert.equal(await page.evaluate(() => /** @type {any} */ (window).analytics.track()), 'segment');
    await call(page, [['track', 'aside']], 'munchkinAnalytics');
    await world.arrival('/event/aside');
  });
}

for (const [kind, consent] of /** @type {const} */ ([['snippet', undefined], ['snippet that waits', 'pending']])) {
  test(`${kind}: beside another library its page() is ours, and the library is not called`, async (t) => {
    const head = world.wholeSnippet({ munchkin: { apiOnly: true }, ...(consent && { consent }) });
    for (const [i, library] of ['{ page() { theirs++; } }', '{ logEvent() {} }'].entries()) {
      const { page, errors } = await world.open(t, {
        head: `<script>window.theirs = 0; window.analytics = ${library};</script>${head}<script>munchkinAnalytics.consent(true);</script>`,
        path: `/beside/${i}`,
      });
      await world.arrival(`/beside/${i}`); // by page() alone
      assert.equal(await page.evaluate(() => /** @type {any} */ (window).theirs), 0);
      assert.deepEqual(errors, []);
    }
  });
}

test('an element with the id "analytics" is no library', async (t) => {
  const { page } = await world.open(t, { body: `<p id="analytics"></p>${world.tag()}` });
  await call(page, [['track', 'beside an element']]);
  await world.arrival('/event/beside-an-element');
});

for (const kind of /** @type {const} */ (['tag', 'snippet'])) {
  test(`${kind}: a frame called "analytics" is none either, of whatever origin`, async (t) => {
    for (const origin of ['', world.siteUrl.replace('127.0.0.1', 'localhost')]) {
      const { page, errors } = await world.open(t, {
        head: '<script>framed = new Promise((resolve) => addEventListener("load", resolve))</script>',
        body: `<iframe name="analytics" src="${origin}/frame"></iframe>`,
      });
      await page.evaluate('framed');
      await page.evaluate((html) => document.body.append(document.createRange().createContextualFragment(html)), world[kind]());
      await page.waitForFunction(() => /** @type {any} */ (window).analytics.munchkinShim === true);
      assert.equal(await page.evaluate('typeof analytics.page'), 'function');
      assert.deepEqual(errors, []);
    }
  });
}

test('an image called "currentScript" is not the script: nothing is loaded from beside it', async (t) => {
  /** @type {string[]} */
  const asked = [];
  const { page, errors } = await world.open(t, {
    body: `<img name="currentScript" src="http://images.example/x.png">${world.snippet()}`,
    prepare: (page) =>
      page.route('http://images.example/**', (route) => {
        asked.push(route.request().url());
        return route.abort();
      }),
  });
  const [visit, links] = await call(page, [['track', 'beside an image'], ['trackLink', null, 'x']]);
  assert.deepEqual([visit.sent, links.error], [true, 'extras_blocked']);
  assert.deepEqual(asked.filter((url) => url.includes('munchkin-shim')), []);
  assert.deepEqual(errors, []);
});

for (const scheme of ['blob', 'data']) {
  test(`a script from a ${scheme}: URL has no files beside it, and does without`, async (t) => {
    const { page, errors } = await world.open(t, { head: world.snippet().replace(/<script async.*/, '') });
    await page.evaluate(async (kind) => {
      const code = await (await fetch('/dist/munchkin-shim.js')).text();
      const script = document.createElement('script');
      const blob = new Blob([code], { type: 'text/javascript' });
      script.src = kind === 'blob' ? URL.createObjectURL(blob) : `data:text/javascript;charset=utf-8,${encodeURIComponent(code)}`;
      document.head.append(script);
    }, scheme);
    const [visit, links] = await call(page, [['track', scheme], ['trackLink', null, 'x']]);
    assert.deepEqual([visit.sent, links.error], [true, 'extras_blocked']);
    await world.arrival(`/event/${scheme}`);
    assert.deepEqual(errors, []);
  });
}

test('elements with the id "munchkinShimExtras" are no extras', async (t) => {
  const { page, errors } = await world.open(t, {
    head: world.tag(),
    body: '<a id="munchkinShimExtras"></a><a id="munchkinShimExtras"></a>',
    prepare: (page) => page.route('**/v1/lead', (route) => route.fulfill({ status: 503, json: { error: 'queue_full' } })),
  });
  const [lead, links] = await call(page, [['identify', '1', { email: 'a@b.co' }], ['trackLink', null, 'x']]);
  assert.equal(lead.kept, true);
  assert.equal(links, undefined);
  assert.deepEqual(errors, []);
});

test('a Munchkin ID of the wrong shape is an error with a code, and loads nothing', async (t) => {
  const { page, errors } = await world.open(t, { head: world.tag({ 'data-munchkin-id': '561HYG937' }) });
  const [result] = await call(page, [['track', 'x']]);
  assert.equal(result.error, 'munchkin_id_invalid');
  assert.equal(await page.locator('script').count(), 1);
  assert.deepEqual(errors, []);
});

test('without WebAssembly the JavaScript fallback is fetched and gives the same', async (t) => {
  const { page } = await world.open(t, {
    head: world.tag(),
    prepare: (page) => page.addInitScript('delete window.WebAssembly'),
  });
  const [track, lead] = await call(page, [['track', 'a b', { x: 1.5 }], ['identify', '1', { email: 'a@b.co', createdAt: 1e9 }]]);
  assert.deepEqual(track.call[1], { url: '/event/a-b', params: 'x=1.5' });
  assert.deepEqual(lead.call[1], { Email: 'a@b.co', CreatedAt: '2001-09-09T01:46:40.000Z', UserId: '1' });
  await world.arrival('/event/a-b');
});

test('where the Content-Security-Policy refuses WebAssembly, the fallback serves', async (t) => {
  const { page, errors } = await world.open(t, {
    head: world.tag(),
    headers: { 'Content-Security-Policy': `script-src 'self' ${world.simulator.url}` },
  });
  const [track] = await call(page, [['track', 'under a policy']]);
  assert.equal(track.sent, true);
  await world.arrival('/event/under-a-policy');
  assert.deepEqual(errors, []);
});

test('a browser of 2021: what came to JavaScript later is not needed', async (t) => {
  const { page, errors } = await world.open(t, {
    head: world.tag(),
    prepare: (page) => page.addInitScript(`
      for (const of of [Array, String, Object.getPrototypeOf(Int8Array)]) delete of.prototype.at;
      for (const name of ['findLast', 'findLastIndex', 'toReversed', 'toSorted', 'toSpliced', 'with']) delete Array.prototype[name];
      for (const name of ['hasOwn', 'groupBy']) delete Object[name];
      delete Array.fromAsync;
      delete Promise.withResolvers;
      delete window.structuredClone;
    `),
  });
  // Of a lead that was sent last something is left to say.
  await page.evaluate((now) => {
    localStorage.setItem('ajs_user_traits', '{}');
    localStorage.setItem('munchkin_shim_lead', JSON.stringify({ fields: '[["Email","a@example.com"]]', time: now }));
    localStorage.setItem('munchkin_shim_kept', JSON.stringify([{ request: '{"traits":{"email":"a@example.com","plan":"x"}}', time: now - 40_000 }]));
    dispatchEvent(new Event('online'));
  }, Date.now());
  await page.waitForFunction(() => !localStorage.getItem('munchkin_shim_kept'));
  assert.match(await page.evaluate(() => String(localStorage.getItem('munchkin_shim_lead'))), /Plan/);
  const results = await call(page, [['page', 'Category', 'Name', { url: '/seen' }], ['track', 'x'], ['identify', '1', { email: 'b@example.com' }]]);
  assert.deepEqual(results.map(({ error, sent }) => error || sent), [true, true, true]);
  assert.deepEqual(errors, []);
});

for (const [what, answer] of /** @type {[string, (route: import('playwright-core').Route) => unknown][]} */ ([
  ['without', (route) => route.abort()],
  ['with nothing in place of', (route) => route.fulfill({ body: '' })],
])) {
  test(`without WebAssembly and ${what} the fallback, calls end with core_blocked`, async (t) => {
    const { page, errors } = await world.open(t, {
      head: world.tag(),
      prepare: async (page) => {
        await page.addInitScript('delete window.WebAssembly');
        await page.route('**/munchkin-shim.asm.js', answer);
      },
    });
    const [result] = await call(page, [['track', 'x']]);
    assert.equal(result.error, 'core_blocked');
    assert.deepEqual(errors, []);
  });
}

test('without WebAssembly, and with a fallback that is slow to come, calls wait for it and are carried out', async (t) => {
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const { page, errors } = await world.open(t, {
    head: world.tag(),
    prepare: async (page) => {
      await page.clock.install();
      await page.addInitScript('delete window.WebAssembly');
      await page.route('**/munchkin-shim.asm.js', async (route) => {
        await held;
        await route.continue();
      });
    },
  });
  const ended = call(page, [['identify', 'u1', { email: 'u1@example.com' }], ['track', 'early']]);
  await page.clock.runFor(11_000);
  release();
  assert.deepEqual((await ended).map(({ sent, error }) => error || sent), [true, true]);
  assert.equal((await call(page, [['track', 'late']]))[0].sent, true);
  await world.visited(['/', '/event/early', '/event/late']);
  assert.deepEqual(errors, []);
});

test('the module for bundlers works on a page', async (t) => {
  const { page } = await world.open(t, {});
  const result = await page.evaluate(
    async ([id, munchkinUrl, server]) => {
      const path = '/dist/munchkin-shim.mjs';
      const { analytics } = await import(path);
      analytics.load(id, { munchkinUrl, server });
      return analytics.identify('m', { email: 'module@example.com' });
    },
    [MUNCHKIN_ID, `${world.simulator.url}/munchkin.js`, world.serverUrl],
  );
  assert.equal(result.sent, true);
  assert.equal((await world.simulator.waitFor(({ type }) => type === 'associateLead')).signature, 'valid');
});

test('the module for bundlers has the extras in it: forms, links, routes', async (t) => {
  /** @type {string[]} */
  const scripts = [];
  const { page } = await world.open(t, {
    path: '/module',
    body: '<a href="#x">link</a>',
    prepare: async (page) => void page.on('request', (request) => scripts.push(new URL(request.url()).pathname)),
  });
  const result = await page.evaluate(
    async ([id, munchkinUrl, formsUrl]) => {
      const path = '/dist/munchkin-shim.mjs';
      const { analytics } = await import(path);
      analytics.load(id, { munchkinUrl, identify: 'form', formsUrl, formId: 1001, autoPage: true });
      await analytics.trackLink(document.querySelector('a'), 'Clicked');
      return analytics.identify('m', { email: 'module@example.com' });
    },
    [MUNCHKIN_ID, `${world.simulator.url}/munchkin.js`, world.simulator.url],
  );
  assert.equal(result.sent, true);
  await page.click('a');
  await world.arrival('/event/Clicked');
  await page.evaluate(() => history.pushState({}, '', '/module/next'));
  await world.arrival('/module/next');
  assert.equal(scripts.some((path) => path.includes('extras')), false);
});
