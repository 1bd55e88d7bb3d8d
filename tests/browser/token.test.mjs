/** options.token: what the site's back end says of the visitor goes along with each lead. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, customer, MUNCHKIN_ID } from './customer.mjs';
import { startLeadServer } from './lead_server.mjs';

const world = customer();

/** @typedef {import('playwright-core').Page} Page */

/**
 * Opens a page whose option is `token`, an expression; what it asks for is counted as `asked`.
 * @param {import('node:test').TestContext} t
 * @param {string} server
 * @param {string} token
 * @param {Partial<import('./customer.mjs').Visit>} [visit]
 */
const open = (t, server, token, visit) =>
  world.open(t, {
    head: `${world.tag({ 'data-munchkin-id': undefined })}<script>
      window.asked = 0;
      analytics.load('${MUNCHKIN_ID}', { server: '${server}', munchkinUrl: '${world.simulator.url}/munchkin.js', token: ${token} });
    </script>`,
    ...visit,
  });

/** @type {[string, ...any[]]} */
const IDENTIFY = ['identify', '1', { email: 'a@example.com' }];

const numbered = '() => `token ${++asked}`';

for (const [what, token] of [
  ['a text', "'token 1'"],
  ['a function', numbered],
  ['a function that promises one', 'async () => `token ${++asked}`'],
]) {
  test(`${what}: it goes along in the body, without a preflight, and is stored nowhere`, async (t) => {
    const server = await startLeadServer(t);
    const { page, errors } = await open(t, server.url, token);
    const [result] = await call(page, [IDENTIFY]);
    assert.equal(result.sent, true);
    const { cookie, age, ...lead } = server.leads[0];
    assert.deepEqual(lead, { token: 'token 1', userId: '1', traits: { email: 'a@example.com' } });
    assert.deepEqual([typeof cookie, typeof age], ['string', 'number']);
    assert.equal(server.preflights, 0);
    assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage }).includes('token 1')), false);
    assert.deepEqual(errors, []);
  });
}

test('as an attribute', async (t) => {
  const server = await startLeadServer(t);
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url, 'data-token': 'eyJ.eyJ.x' }) });
  await call(page, [IDENTIFY]);
  assert.equal(server.leads[0].token, 'eyJ.eyJ.x');
});

test('it is asked for anew for each lead, in order', async (t) => {
  const server = await startLeadServer(t);
  const { page } = await open(t, server.url, numbered);
  await call(page, [IDENTIFY, ['identify', '1', { plan: 'pro' }], ['identify', '1', { plan: 'free' }]]);
  const own = server.leads.filter(({ cookie }, i) => cookie !== '' || i < 3);
  assert.deepEqual(own.slice(0, 3).map(({ token, traits }) => [token, traits.plan]), [['token 1', undefined], ['token 2', 'pro'], ['token 3', 'free']]);
});

for (const [what, token, message, isKept] of /** @type {[string, string, RegExp, boolean | undefined][]} */ ([
  ['throws', "() => { throw new Error('signed out'); }", /signed out/, true],
  ['rejects', "() => Promise.reject(new Error('signed out'))", /signed out/, true],
  ['rejects with nothing', '() => Promise.reject()', /\w .*\.$/, true],
  ['returns nothing', '() => {}', /\w .*\.$/, undefined],
  ['returns an empty text', "() => ''", /\w .*\.$/, undefined],
  ['returns an object', '() => ({})', /\w .*\.$/, undefined],
])) {
  test(`a function that ${what}: token_failed, and no request`, async (t) => {
    const server = await startLeadServer(t);
    const { page, errors } = await open(t, server.url, token);
    const [result] = await call(page, [IDENTIFY]);
    assert.deepEqual([result.ok, result.error, result.kept], [false, 'token_failed', isKept]);
    assert.match(result.message, message);
    await call(page, [['track', 'goes on']]);
    await world.arrival('/event/goes-on');
    assert.deepEqual([server.leads, errors], [[], []]);
  });
}

for (const [what, code, skipped] of [
  ['a no', 'analytics.consent(false)', 'no_consent'],
  ['an opt-out', "document.cookie = 'mkto_opt_out=true;path=/'", 'opted_out'],
]) {
  test(`${what} while it is asked for: no lead is sent, neither this one nor one that was kept`, async (t) => {
    const server = await startLeadServer(t);
    const waiting = '() => new Promise((resolve) => { window.give = resolve; })';
    const { page, context } = await open(t, server.url, waiting);
    await page.evaluate(([method, ...args]) => {
      /** @type {any} */ (window).lead = /** @type {any} */ (window).analytics[method](...args);
    }, IDENTIFY);
    await page.waitForFunction(() => /** @type {any} */ (window).give);
    const say = (/** @type {Page} */ page) =>
      page.evaluate((code) => {
        new Function(code)();
        /** @type {any} */ (window).give('token');
      }, code);
    await say(page);
    assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).lead), { ok: true, sent: false, skipped, type: 'identify', warnings: [] });
    await page.close();

    await context.clearCookies();
    const next = await open(t, server.url, waiting, {
      path: '/next',
      context,
      prepare: (page) =>
        page.addInitScript(() => {
          // Somebody who was kept, and somebody else since.
          localStorage.setItem('munchkin_shim_kept', JSON.stringify([{ request: '{"traits":{"email":"b@example.com"}}', time: Date.now() - 40_000 }]));
          localStorage.setItem('munchkin_shim_lead', JSON.stringify({ fields: '[["Email","a@example.com"]]', time: Date.now() }));
        }),
    });
    await next.page.waitForFunction(() => /** @type {any} */ (window).give);
    const told = next.page.evaluate(() => new Promise((resolve) => {
      /** @type {any} */ (window).analytics.on('result', resolve);
    }));
    await say(next.page);
    // Of a visitor who is forgotten nothing is told.
    if (skipped === 'opted_out') assert.deepEqual(await told, { ok: true, sent: false, skipped, type: 'identify' });
    await next.page.waitForFunction(() => !localStorage.getItem('munchkin_shim_kept'));
    await call(next.page, [['trackLink', null, 'x'], ['track', 'goes on']]);
    assert.deepEqual(server.leads, []);
    told.catch(() => {}); // the page is closed
  });
}

test('a token that has expired is asked for once more, and no more than once', async (t) => {
  const expired = { status: 401, body: { error: 'token_expired', message: 'm' } };
  const server = await startLeadServer(t, ({ token }) => (token === 'token 1' ? expired : { body: { queued: true } }));
  const { page } = await open(t, server.url, numbered);
  assert.equal((await call(page, [IDENTIFY]))[0].sent, true);
  assert.deepEqual(server.leads.slice(0, 2).map(({ token }) => token), ['token 1', 'token 2']);

  const before = server.leads.length;
  server.answer = () => expired;
  const [result] = await call(page, [['identify', '1', { plan: 'pro' }]]);
  assert.deepEqual([result.error, result.kept], ['token_expired', false]);
  assert.equal(server.leads.slice(before).filter(({ traits }) => traits.plan).length, 2);
});

test('a text that has expired is not sent twice', async (t) => {
  const server = await startLeadServer(t, () => ({ status: 401, body: { error: 'token_expired', message: 'm' } }));
  const { page } = await open(t, server.url, "'old'");
  assert.equal((await call(page, [IDENTIFY]))[0].error, 'token_expired');
  assert.equal(server.leads.length, 1);
});

test('a lead that is kept asks for a token anew when it goes', async (t) => {
  const server = await startLeadServer(t, () => ({ cut: true }));
  const { page, context } = await open(t, server.url, numbered);
  const [result] = await call(page, [IDENTIFY]);
  assert.equal(result.kept, true);
  const before = server.leads.length;
  assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage }).includes('token 1')), false);
  server.answer = () => ({ body: { queued: true } });
  await context.setOffline(true);
  await context.setOffline(false);
  await server.received(before + 1);
  const tokens = server.leads.map(({ token }) => token);
  assert.equal(new Set(tokens).size, tokens.length, `${tokens}`);
});

test('without the extras a lead is not sent without its token, but kept; the next page sends it', async (t) => {
  const server = await startLeadServer(t);
  const { page, context } = await open(t, server.url, numbered, {
    prepare: (page) => page.route('**/munchkin-shim.extras.js', (route) => route.abort()),
  });
  const [result] = await call(page, [IDENTIFY]);
  assert.deepEqual([result.error, result.kept], ['extras_blocked', true]);
  assert.equal(server.leads.length, 0);
  await page.evaluate(() => {
    const list = JSON.parse(String(localStorage.getItem('munchkin_shim_kept')));
    list[0].time -= 40_000;
    localStorage.setItem('munchkin_shim_kept', JSON.stringify(list));
  });
  await page.close();
  await open(t, server.url, numbered, { path: '/next', context });
  await server.received(1);
  assert.equal(server.leads[0].token, 'token 1');
});

for (const [what, answer, wait] of /** @type {[string, (route: import('playwright-core').Route) => unknown, number][]} */ ([
  ['a page in place of the extras', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Not found</title>' }), 0],
  ['nothing in place of the extras', (route) => route.fulfill({ body: '' }), 0],
  ['extras that never come', () => {}, 10_000],
])) {
  test(`${what}: the lead is kept, and goes once they can be had`, async (t) => {
    const server = await startLeadServer(t);
    let isMended = false;
    /** @type {import('playwright-core').Route[]} */
    const asked = [];
    const { page, context, errors } = await open(t, server.url, numbered, {
      prepare: async (page) => {
        await page.clock.install();
        await page.route('**/munchkin-shim.extras.js', (route) => {
          if (isMended) return route.continue();
          asked.push(route);
          return answer(route);
        });
      },
    });
    const request = page.waitForRequest('**/munchkin-shim.extras.js');
    const ended = call(page, [IDENTIFY, ['trackLink', null, 'x']]);
    await request;
    await page.clock.runFor(wait);
    const [lead, link] = await ended;
    assert.deepEqual([lead.error, lead.kept, link.error], ['extras_blocked', true, 'extras_blocked']);
    assert.equal(server.leads.length, 0);
    assert.deepEqual(errors.filter((error) => error !== "Unexpected token '<'"), []); // the browser's own
    isMended = true;
    if (wait > 0) for (const route of asked) await route.abort();
    await page.clock.runFor(40_000); // by then nobody can be at it
    // What takes care of a kept lead has asked for them, too, and may be told only now that they have not come.
    for (let tries = 0; tries < 50 && server.leads.length === 0; tries += 1) {
      await page.evaluate(() => void dispatchEvent(new Event('online')));
      await page.clock.runFor(1000);
    }
    await server.received(1);
    assert.equal(server.leads[0].token, 'token 1');
    await context.close();
  });
}
