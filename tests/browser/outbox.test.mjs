/** Leads that cannot be sent: kept, sent once when that works again, and forgotten when they are not to be sent any more. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { call, customer, PRIVATE_KEY } from './customer.mjs';
import { startLeadServer } from './lead_server.mjs';

const world = customer();

/** @typedef {import('playwright-core').Page} Page */

/** @param {string} email @param {object} [traits] @returns {[string, ...any[]]} */
const identify = (email, traits) => ['identify', email, { email, ...traits }];

/** As a server that signs gives it. @param {string} email */
const hashOf = (email) => createHash('sha1').update(PRIVATE_KEY + email).digest('hex');

/** What the page keeps: a list of leads. @param {Page} page @returns {Promise<any[]>} */
const kept = (page) => page.evaluate(() => JSON.parse(localStorage.getItem('munchkin_shim_kept') || '[]').filter((/** @type {any} */ lead) => lead.request));

/** Resolves once nothing is kept any more. @param {Page} page */
const allSent = (page) => page.waitForFunction(() => !localStorage.getItem('munchkin_shim_kept'));

/** Resolves once Munchkin has named the visitor: a lead without its cookie is sent again with it. @param {Page} page */
const visitorNamed = (page) => page.waitForFunction(() => document.cookie.includes('_mkto_trk'));

/** Makes what is kept longer ago than a request takes. @param {Page} page */
const age = (page) =>
  page.evaluate(() => {
    const list = JSON.parse(String(localStorage.getItem('munchkin_shim_kept')));
    list.forEach((/** @type {any} */ lead) => (lead.time -= 40_000));
    localStorage.setItem('munchkin_shim_kept', JSON.stringify(list));
  });

/** As an earlier page has left it. @param {Page} page @param {import('../../js-glue/kept.js').Kept[]} list */
const keepThere = (page, list) => page.evaluate((text) => localStorage.setItem('munchkin_shim_kept', text), JSON.stringify(list));

/** Notes the results that come later than the calls. @param {Page} page */
const listen = (page) =>
  page.evaluate(() => {
    const heard = (/** @type {any} */ (window).heard = /** @type {any[]} */ ([]));
    /** @type {any} */ (window).analytics.on('result', (/** @type {any} */ result) => heard.push(result));
  });

/** @param {Page} page @returns {Promise<any[]>} */
const heard = (page) => page.evaluate(() => /** @type {any} */ (window).heard);

/** Resolves once identify has been called with the address. @param {Page} page @param {string} email */
const calledFor = (page, email) => page.waitForFunction((text) => localStorage.getItem('munchkin_shim_kept')?.includes(text), email);

/** Something to wait for until it is released. */
function hold() {
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  return { held, release };
}

const DAY_MS = 24 * 3600 * 1000;

const UNAVAILABLE = { status: 503, body: { error: 'queue_full', message: 'm' } };

/** Lets time go by until a lead that the server never takes is given up. @param {Page} page @param {{leads: any[]}} server */
async function goOnUntilGivenUp(page, server) {
  for (let hours = 0; hours < 30 && (await kept(page)).length; hours++) {
    const tries = server.leads.length;
    await page.clock.fastForward('01:00:10');
    await page.waitForFunction((count) => {
      const text = localStorage.getItem('munchkin_shim_kept');
      return !text || JSON.parse(text)[0].tries > count;
    }, tries);
  }
}

for (const [kind, isStored] of /** @type {[string, boolean][]} */ ([['with the extras there', false], ['with the extras as far away as the server', true]])) {
  test(`off line at identify, ${kind}: kept; sent once when back on line`, async (t) => {
    const server = await startLeadServer(t);
    const { page, context, errors } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
    if (!isStored) await call(page, [['trackLink', null, 'x']]);
    await listen(page);
    await visitorNamed(page);
    await context.setOffline(true);
    const [result] = await call(page, [identify('a@example.com', { plan: 'pro' })]);
    assert.deepEqual([result.ok, result.sent, result.error, result.kept], [false, false, 'server_unreachable', true]);
    assert.deepEqual((await kept(page)).map(({ request }) => JSON.parse(request).traits), [{ email: 'a@example.com', plan: 'pro' }]);
    assert.equal(server.leads.length, 0);

    if (isStored) await age(page);
    await context.setOffline(false);
    await server.received(1);
    await allSent(page);
    assert.equal(server.leads[0].traits.plan, 'pro');
    const last = (await heard(page)).at(-1);
    assert.deepEqual([last.type, last.ok, last.sent], ['identify', true, true]);

    // It is known to be sent: the same lead on the next page goes nowhere, nor does what is kept go again.
    const next = await world.open(t, { head: world.tag({ 'data-server': server.url }), path: '/next', context });
    await context.setOffline(true);
    await context.setOffline(false);
    assert.equal((await call(next.page, [identify('a@example.com', { plan: 'pro' })]))[0].skipped, 'unchanged');
    assert.equal(server.leads.length, 1);
    assert.deepEqual(errors, []);
  });
}

test('the same lead said twice at once: once it is sent, none is kept', async (t) => {
  const server = await startLeadServer(t, () => ({ body: { queued: true } }));
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
  await visitorNamed(page);
  const [first, second] = await call(page, [identify('a@example.com'), identify('a@example.com')]);
  assert.deepEqual([first.sent, second.skipped], [true, 'unchanged']);
  assert.deepEqual(await kept(page), []);
});

test('sent from the next page, the earlier first, each with its age', async (t) => {
  const server = await startLeadServer(t, () => ({ cut: true }));
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await call(page, [identify('a@example.com', { PLAN: 'free', 'of seats': 1, name: 'Ada Byron' })]);
  await call(page, [identify('b@example.com', { plan: 'x' })]);
  await call(page, [identify('a@example.com', { plan: 'pro', lastName: 'Lovelace' })]);
  await page.close();
  const before = server.leads.length;
  server.answer = () => ({ body: { queued: true } });
  const next = await world.open(t, { head, path: '/next', context });
  await server.received(before + 3);
  await allSent(next.page);
  const sent = server.leads.slice(before);
  assert.deepEqual(sent.map(({ traits }) => traits), [
    { email: 'a@example.com', PLAN: 'free', 'of seats': 1, name: 'Ada Byron' },
    { email: 'b@example.com', plan: 'x' },
    { email: 'a@example.com', plan: 'pro', lastName: 'Lovelace' },
  ]);
  assert.ok(sent.every(({ age }) => Number.isInteger(age) && age > 0 && age < 60_000), JSON.stringify(sent));
});

test('a lead that its page left behind and one that was kept since: the server is told which one is older, whichever goes first', async (t) => {
  let isHeld = true;
  /** @type {{status?: number, body?: object}} */
  let answer = UNAVAILABLE;
  const server = await startLeadServer(t, async () => {
    if (isHeld) await new Promise(() => {});
    return answer;
  });
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await visitorNamed(page);
  await page.evaluate(() => void (/** @type {any} */ (window).analytics.identify('a', { email: 'a@example.com', plan: 'old' })));
  await server.received(1);
  await page.close();
  isHeld = false;
  const next = await world.open(t, { head, path: '/next', context });
  for (const plan of ['middle', 'new']) await call(next.page, [identify('a@example.com', { plan })]);
  const times = Object.fromEntries((await kept(next.page)).map(({ request, time }) => [JSON.parse(request).traits.plan, time]));
  answer = { body: { queued: true } };
  const before = server.leads.length;
  const from = Date.now();
  await next.page.evaluate(() => void dispatchEvent(new Event('online')));
  await allSent(next.page);
  const sent = server.leads.slice(before);
  assert.deepEqual(new Set(sent.map(({ traits }) => traits.plan ?? traits.Plan)), new Set(['middle', 'new']));
  for (const { traits, age } of sent) assert.ok(age >= from - times[traits.plan ?? traits.Plan] - 1000, JSON.stringify(sent));
});

test('the next identify takes what is kept along, and nothing older overwrites it', async (t) => {
  const server = await startLeadServer(t, () => ({ cut: true }));
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
  await call(page, [identify('b@example.com', { plan: 'x' }), identify('a@example.com', { plan: 'free' })]);
  await page.waitForFunction(() => JSON.parse(String(localStorage.getItem('munchkin_shim_kept')))[0].due);
  const before = server.leads.length;
  server.answer = () => ({ body: { queued: true } });
  const [result] = await call(page, [identify('a@example.com', { plan: 'pro' })]);
  assert.equal(result.sent, true);
  await allSent(page);
  // Of the first visitor the visitor of now has the cookie.
  assert.deepEqual(server.leads.slice(before).map(({ traits }) => [traits.email, traits.plan]), [['a@example.com', 'pro'], ['b@example.com', 'x']]);
  assert.equal(server.leads.at(-1).cookie, '');
});

test('two people kept while the server was away: the second is the visitor of now, and has the cookie', async (t) => {
  const server = await startLeadServer(t, () => ({ cut: true }));
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
  await visitorNamed(page);
  await call(page, [identify('typo@example.com')]);
  await call(page, [identify('right@example.com')]);
  const before = server.leads.length;
  server.answer = () => ({ body: { queued: true } });
  await page.evaluate(() => void dispatchEvent(new Event('online')));
  await server.received(before + 2);
  await allSent(page);
  const [typo, right] = server.leads.slice(before);
  assert.deepEqual([typo.traits.email, right.traits.email], ['typo@example.com', 'right@example.com']);
  assert.match(right.cookie, /^id:/);
  assert.equal((await call(page, [identify('right@example.com')]))[0].skipped, 'unchanged');
});

test('two people kept, and a new cookie: it is told for the first one, and the second, who fails meanwhile, has it all the same', async (t) => {
  const server = await startLeadServer(t, () => ({ cut: true }));
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await visitorNamed(page);
  await call(page, [identify('typo@example.com')]);
  await call(page, [identify('right@example.com')]);
  await age(page);
  await page.close();
  await context.clearCookies();
  const before = server.leads.length;
  server.answer = ({ cookie, traits }) => (traits.email === 'right@example.com' && !cookie ? { cut: true } : { body: { queued: true } });
  let release = () => {};
  const next = await world.open(t, {
    head,
    path: '/next',
    context,
    prepare: (page) => page.route('**/163/munchkin.js', async (route) => {
      await new Promise((resolve) => (release = () => resolve(undefined)));
      await route.continue();
    }),
  });
  await server.received(before + 2);
  release();
  await server.received(before + 3);
  await next.page.evaluate(() => void dispatchEvent(new Event('online')));
  await allSent(next.page);
  assert.deepEqual(server.leads.slice(before).map(({ cookie, traits }) => [traits.email, cookie.slice(0, 3)]), [
    ['typo@example.com', ''],
    ['right@example.com', ''],
    ['typo@example.com', 'id:'],
    ['right@example.com', 'id:'],
  ]);
});

test('a cookie that comes once somebody else is identified is told for them alone', async (t) => {
  const server = await startLeadServer(t);
  /** @type {() => void} */
  let release = () => {};
  /** @type {Promise<void>} */
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const { page } = await world.open(t, {
    head: world.tag({ 'data-server': server.url }),
    prepare: (page) =>
      page.route(/munchkin(-shim\.extras)?\.js/, async (route) => {
        await held;
        await route.continue();
      }),
  });
  await call(page, [identify('a@example.com'), ['reset']]);
  await call(page, [identify('b@example.com')]);
  release();
  await server.received(3);
  assert.deepEqual(server.leads.map(({ traits, cookie }) => [traits.email, cookie.slice(0, 3)]), [
    ['a@example.com', ''], ['b@example.com', ''], ['b@example.com', 'id:'],
  ]);
});

test('where the server signs, two people who were kept are both associated, the visitor of now last', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag() });
  await visitorNamed(page);
  await listen(page);
  await context.setOffline(true);
  await call(page, [identify('typo@example.com')]);
  await call(page, [identify('right@example.com')]);
  await age(page);
  await context.setOffline(false);
  await world.simulator.waitFor(({ leadFields }) => leadFields?.Email === 'right@example.com');
  await allSent(page);
  const associated = world.simulator.events.filter(({ type }) => type === 'associateLead').map(({ leadFields }) => leadFields.Email);
  assert.deepEqual(associated, ['typo@example.com', 'right@example.com']);
  assert.deepEqual((await heard(page)).filter(({ error }) => error === 'given_up'), []);
});

test('of a kept lead goes what a newer one has not said: neither user id nor names go back', async (t) => {
  const server = await startLeadServer(t);
  const head = world.tag({ 'data-server': server.url });
  const email = 'a@example.com';
  for (const [kept, newer, left] of /** @type {[object, object, object][]} */ ([
    [{ userId: 'old', traits: { x: 1 } }, { UserId: 'new', Y: 2 }, { traits: { email, X: 1 } }],
    [{ userId: 'old', traits: { x: 1 } }, { Y: 2 }, { userId: 'old', traits: { email, X: 1 } }],
    [{ userId: 'old', traits: { title: 'old', x: 1 } }, { TITLE: 'new', userID: 'new' }, { traits: { email, X: 1 } }],
    [{ traits: { name: 'Ada Byron', x: 1 } }, { FirstName: 'Ada', LastName: 'Lovelace' }, { traits: { email, X: 1 } }],
    [{ traits: { name: 'Ada Byron' } }, { LastName: 'Lovelace' }, { traits: { email, FirstName: 'Ada' } }],
    [{ traits: { address: { city: 'Bath', street: 'High Street' } } }, { City: 'London' }, { traits: { email, Address: 'High Street' } }],
  ])) {
    const { page, context } = await world.open(t, { head });
    await visitorNamed(page);
    const { traits, ...more } = /** @type {any} */ (kept);
    await keepThere(page, [{ request: JSON.stringify({ ...more, traits: { email, ...traits } }), time: Date.now() - 40_000 }]);
    const fields = JSON.stringify(Object.entries({ Email: email, ...newer }));
    await page.evaluate((last) => localStorage.setItem('munchkin_shim_lead', last), JSON.stringify({ fields, time: Date.now() - 10_000 }));
    await page.close();
    const before = server.leads.length;
    const next = await world.open(t, { head, path: '/next', context });
    await server.received(before + 1);
    await allSent(next.page);
    const { cookie, age, ...sent } = server.leads[before];
    assert.deepEqual(sent, left);
    assert.ok(age >= 20_000);
    assert.match(cookie, /^id:/);
    await context.close();
  }
});

test('a kept lead that is answered after a newer one is called for is not the last: those kept after it are of former visitors, too', async (t) => {
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const server = await startLeadServer(t, async ({ traits }) => {
    if (traits.email === 'a@example.com') await held;
    return { body: { queued: true } };
  });
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await visitorNamed(page);
  const [a, c] = ['a@example.com', 'c@example.com'].map((email) => JSON.stringify({ traits: { email } }));
  await keepThere(page, [{ request: a, time: Date.now() - 40_000 }, { request: c, time: Date.now() - 30_000 }]);
  await page.close();
  const next = await world.open(t, { head, path: '/next', context });
  await server.received(1);
  const b = call(next.page, [identify('b@example.com')]);
  await calledFor(next.page, 'b@example.com');
  release();
  assert.equal((await b)[0].sent, true);
  await server.received(3);
  await allSent(next.page);
  assert.deepEqual(server.leads.map(({ traits, cookie }) => [traits.email, cookie.slice(0, 3)]), [
    ['a@example.com', 'id:'],
    ['b@example.com', 'id:'],
    ['c@example.com', ''],
  ]);
  assert.equal((await call(next.page, [identify('b@example.com')]))[0].skipped, 'unchanged');
});

for (const [kind, a, b, forgets] of /** @type {[string, any, any, boolean][]} */ ([
  ['of another visitor', { email: 'a@example.com' }, { email: 'b@example.com' }, false],
  ['of another visitor, after reset()', { email: 'a@example.com' }, { email: 'b@example.com' }, true],
  ['of the same visitor with another value', { email: 'a@example.com', plan: 'free' }, { email: 'a@example.com', plan: 'pro' }, false],
])) {
  test(`where the server signs, a kept lead that it is slow to answer is associated before the next one, ${kind}`, async (t) => {
    const { held, release } = hold();
    const server = await startLeadServer(t, async ({ traits }) => {
      if (traits.email === a.email && traits.plan === a.plan) await held;
      return { status: 200, body: { hash: hashOf(traits.email) } };
    });
    const head = world.tag({ 'data-server': server.url });
    const { page, context } = await world.open(t, { head });
    await visitorNamed(page);
    await keepThere(page, [{ request: JSON.stringify({ userId: a.email, traits: a }), time: Date.now() - 40_000 }]);
    await page.close();
    const next = await world.open(t, { head, path: '/next', context });
    await server.received(1);
    if (forgets) await next.page.evaluate('analytics.reset()');
    const ended = call(next.page, [['identify', b.email, b]]);
    await calledFor(next.page, JSON.stringify(JSON.stringify(b)).slice(1, -1));
    release();
    assert.equal((await ended)[0].sent, true);
    await allSent(next.page);
    await world.simulator.waitFor(({ leadFields }) => leadFields?.Email === b.email && leadFields.Plan === b.plan);
    await call(next.page, [['track', 'End']]);
    await world.arrival('/event/End');
    const { Email: email, Plan: plan } = world.simulator.events.filter(({ type }) => type === 'associateLead').at(-1)?.leadFields ?? {};
    assert.deepEqual([email, plan], [b.email, b.plan]);
  });
}

test('where the server signs, a kept lead that one tab sends and that is answered after the identify of another is given up', async (t) => {
  const { held, release } = hold();
  const server = await startLeadServer(t, async ({ traits }) => {
    if (traits.email === 'a@example.com') await held;
    return { status: 200, body: { hash: hashOf(traits.email) } };
  });
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await visitorNamed(page);
  await keepThere(page, [{ request: JSON.stringify({ traits: { email: 'a@example.com' } }), time: Date.now() - 40_000 }]);
  await page.close();
  const one = await world.open(t, { head, path: '/one', context });
  await listen(one.page);
  await server.received(1);
  const two = await world.open(t, { head, path: '/two', context });
  assert.equal((await call(two.page, [identify('b@example.com')]))[0].sent, true);
  release();
  await one.page.waitForFunction(() => /** @type {any} */ (window).heard.length);
  assert.deepEqual((await heard(one.page)).map(({ error }) => error), ['given_up']);
  await call(one.page, [['track', 'End']]);
  await world.arrival('/event/End');
  const associated = world.simulator.events.filter(({ type }) => type === 'associateLead').map(({ leadFields }) => leadFields.Email);
  assert.deepEqual(associated, ['b@example.com']);
});

test('a kept lead of a former visitor is on the line when reset() is called: the next one does not overtake it, and has the cookie last', async (t) => {
  const server = await startLeadServer(t);
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await visitorNamed(page);
  await keepThere(page, [{ request: JSON.stringify({ traits: { email: 'a@example.com' } }), time: Date.now() - 40_000 }]);
  await page.close();
  const [line, begun] = [hold(), hold()];
  const next = await world.open(t, {
    head,
    path: '/next',
    context,
    prepare: (page) =>
      page.route('**/v1/lead', async (route) => {
        begun.release();
        if (route.request().postData()?.includes('a@example.com')) await line.held;
        await route.continue();
      }),
  });
  await begun.held;
  await next.page.evaluate('analytics.reset()');
  const ended = call(next.page, [identify('b@example.com')]);
  await calledFor(next.page, 'b@example.com');
  line.release();
  assert.equal((await ended)[0].sent, true);
  await server.received(2);
  assert.deepEqual(server.leads.map(({ traits, cookie }) => [traits.email, cookie.slice(0, 3)]), [['a@example.com', 'id:'], ['b@example.com', 'id:']]);
});

test("a new visitor's cookie that is on the line when reset() is called does not come after the next visitor", async (t) => {
  world.simulator.faults.loaderDelayMs = 700;
  const server = await startLeadServer(t);
  const [line, begun] = [hold(), hold()];
  const { page } = await world.open(t, {
    head: world.tag({ 'data-server': server.url }),
    prepare: (page) =>
      page.route('**/v1/lead', async (route) => {
        const { traits, cookie } = JSON.parse(String(route.request().postData()));
        if (traits.email === 'a@example.com' && cookie) {
          begun.release();
          await line.held;
        }
        await route.continue();
      }),
  });
  await call(page, [identify('a@example.com')]);
  await begun.held;
  await page.evaluate('analytics.reset()');
  const ended = call(page, [identify('b@example.com')]);
  await calledFor(page, 'b@example.com');
  line.release();
  assert.equal((await ended)[0].sent, true);
  await server.received(3);
  assert.deepEqual(server.leads.map(({ traits, cookie }) => [traits.email, cookie.slice(0, 3)]), [
    ['a@example.com', ''],
    ['a@example.com', 'id:'],
    ['b@example.com', 'id:'],
  ]);
});

test('of two tabs the one whose lead is answered late does not make it the last one', async (t) => {
  const { held, release } = hold();
  const server = await startLeadServer(t, async ({ traits }) => {
    if (traits.plan === 'pro') await held;
    return { body: { queued: true } };
  });
  const head = world.tag({ 'data-server': server.url });
  const { page: one, context } = await world.open(t, { head });
  await visitorNamed(one);
  const { page: two } = await world.open(t, { head, path: '/two', context });
  await visitorNamed(two);
  const slow = call(one, [identify('a@example.com', { plan: 'pro' })]);
  await server.received(1);
  assert.equal((await call(two, [identify('a@example.com', { plan: 'free' })]))[0].sent, true);
  release();
  assert.equal((await slow)[0].sent, true);
  assert.equal((await call(two, [identify('a@example.com', { plan: 'pro' })]))[0].sent, true);
  assert.deepEqual(server.leads.map(({ traits }) => traits.plan), ['pro', 'free', 'pro']);
});

/** Counts the turns in which the outbox has looked at what is kept. @param {Page} page */
const countTurns = (page) =>
  page.addInitScript(() => {
    const { request } = LockManager.prototype;
    LockManager.prototype.request = /** @param {...any} args */ function (...args) {
      const turn = request.apply(this, /** @type {any} */ (args));
      turn.then(() => (/** @type {any} */ (window).turns = 1));
      return turn;
    };
  });

/** Resolves once the outbox has begun with what is kept, or has left it for later. @param {Page} page */
const lookedAt = (page) =>
  page.waitForFunction(() => /** @type {any} */ (window).turns || JSON.parse(localStorage.munchkin_shim_kept).some((/** @type {any} */ { by }) => by));

for (const [kind, kept, called, sent] of /** @type {[string, [string, ...any[]], [string, ...any[]], string[][]][]} */ ([
  ['of a former visitor goes after it, without the cookie', identify('a@example.com'), identify('b@example.com'), [['b@example.com', 'id:'], ['a@example.com', '']]],
  ['of the same visitor does not go back to an older value', identify('a@example.com', { plan: 'free' }), identify('a@example.com', { plan: 'pro' }), [['pro', 'id:']]],
])) {
  test(`a kept lead does not overtake what the next page has called for at once and the server is slow to answer: one ${kind}`, async (t) => {
    /** @type {(value?: unknown) => void} */
    let release = () => {};
    const held = new Promise((resolve) => {
      release = resolve;
    });
    const newest = called[2];
    const server = await startLeadServer(t, async ({ traits: { email, plan } }) => {
      if (email === newest.email && plan === newest.plan) await held;
      return { body: { queued: true } };
    });
    const head = world.tag({ 'data-server': server.url });
    const { page, context } = await world.open(t, { head });
    await visitorNamed(page);
    const [, userId, traits] = kept;
    await keepThere(page, [{ request: JSON.stringify({ userId, traits }), time: Date.now() - 60_000 }]);
    await page.close();
    const next = await world.open(t, {
      head: `${head}<script>analytics.identify(...${JSON.stringify(called.slice(1))})</script>`,
      path: '/next',
      context,
      prepare: countTurns,
    });
    await server.received(1);
    await lookedAt(next.page);
    release();
    await allSent(next.page);
    assert.deepEqual(server.leads.map(({ traits, cookie }) => [traits.plan ?? traits.email, cookie.slice(0, 3)]), sent);
    assert.equal((await call(next.page, [/** @type {any} */ (called)]))[0].skipped, 'unchanged');
  });
}

test('of two identifies at once the second leaves once the first is answered, and is kept from the start', async (t) => {
  /** @type {(answer: object) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const server = await startLeadServer(t, ({ traits }) => (traits.plan === 'free' ? held : { body: { queued: true } }));
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
  await visitorNamed(page);
  const both = call(page, [identify('a@example.com', { plan: 'free' }), identify('a@example.com', { plan: 'pro' })]);
  await server.received(1);
  await page.waitForFunction(() => JSON.parse(String(localStorage.getItem('munchkin_shim_kept'))).length === 2);
  assert.equal(server.leads.length, 1);
  release({ body: { queued: true } });
  assert.deepEqual((await both).map(({ sent }) => sent), [true, true]);
  assert.deepEqual(server.leads.map(({ traits }) => traits.plan), ['free', 'pro']);
  assert.deepEqual(await kept(page), []);
});

test('an answer that stops after its headers is none: the lead is kept', async (t) => {
  const server = await startLeadServer(t, () => ({ stall: true }));
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
  await visitorNamed(page);
  const [{ error, kept: isKept }] = await call(page, [identify('a@example.com')]);
  assert.deepEqual([error, isKept], ['server_unreachable', true]);
  assert.equal((await kept(page)).length, 1);
});

test('a lead that is said again while it is under way, and is refused then, is kept: the answer to the first one does not count for it', async (t) => {
  /** @type {(answer: object) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const server = await startLeadServer(t, () => held);
  const { page, context } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
  await visitorNamed(page);
  const all = call(page, ['free', 'pro', 'free'].map((plan) => identify('a@example.com', { plan })));
  await server.received(1);
  server.answer = () => (server.leads.length < 3 ? { body: { queued: true } } : UNAVAILABLE);
  release({ body: { queued: true } });
  assert.deepEqual((await all).map(({ sent, kept }) => [sent, kept]), [[true, undefined], [true, undefined], [false, true]]);
  assert.deepEqual((await kept(page)).map(({ request }) => JSON.parse(request).traits.plan), ['free']);
  server.answer = () => ({ body: { queued: true } });
  await context.setOffline(true);
  await context.setOffline(false);
  await server.received(4);
  await allSent(page);
  assert.equal(server.leads[3].traits.plan, 'free');
});

for (const pages of [1, 3]) {
  test(`what is changed while the server is away, and changed back, is sent, on ${pages} page(s)`, async (t) => {
    const server = await startLeadServer(t);
    const head = world.tag({ 'data-server': server.url });
    const { context, ...first } = await world.open(t, { head });
    let { page } = first;
    await visitorNamed(page);
    /** @param {string} newsletter */
    const say = async (newsletter) => (await call(page, [identify('a@example.com', { newsletter })]))[0];
    assert.equal((await say('no')).sent, true);
    for (const [newsletter, answer] of /** @type {const} */ ([['yes', UNAVAILABLE], ['no', { body: { queued: true } }]])) {
      server.answer = () => answer;
      if (pages > 1) {
        if (newsletter === 'no') await page.waitForFunction(() => JSON.parse(localStorage.munchkin_shim_kept)[0].due);
        await page.close();
        ({ page } = await world.open(t, { head, path: `/${newsletter}`, context }));
      }
      const { sent, skipped } = await say(newsletter);
      assert.deepEqual([sent, skipped], [newsletter === 'no', undefined]);
    }
    await page.evaluate(() => void dispatchEvent(new Event('online')));
    await allSent(page);
    assert.equal(server.leads.filter(({ traits }) => traits.newsletter).at(-1).traits.newsletter, 'no');
  });
}

/** A page that is sending a kept lead of a former visitor's, until it is released. @param {import('node:test').TestContext} t */
async function sendFormerVisitor(t) {
  /** @type {(answer: object) => void} */
  let release = () => {};
  const held = new Promise((resolve) => {
    release = resolve;
  });
  const server = await startLeadServer(t, ({ cookie }) => (cookie ? { body: { queued: true } } : held));
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await visitorNamed(page);
  await call(page, [identify('b@example.com')]);
  await keepThere(page, [{ request: '{"userId":"a@example.com","traits":{"email":"a@example.com"}}', time: Date.now() - 60_000 }]);
  await page.close();
  const next = await world.open(t, { head, path: '/next', context });
  await server.received(2);
  return { server, page: next.page, release };
}

test('a former visitor who is back while their lead goes out without a cookie: identify sends the cookie', async (t) => {
  const { server, page, release } = await sendFormerVisitor(t);
  assert.equal(server.leads[1].cookie, '');
  const back = call(page, [identify('a@example.com')]);
  release({ body: { queued: true } });
  assert.equal((await back)[0].sent, true);
  await allSent(page);
  assert.deepEqual([server.leads.at(-1).traits.email, server.leads.at(-1).cookie.slice(0, 3)], ['a@example.com', 'id:']);
});

test('a former visitor who is back and refused while their kept lead goes out: what they say now is kept', async (t) => {
  const { server, page, release } = await sendFormerVisitor(t);
  const back = call(page, [identify('a@example.com')]);
  await page.waitForFunction(() => JSON.parse(localStorage.munchkin_shim_kept).every((/** @type {any} */ { request, time }) => !request || time > Date.now() - 50_000));
  server.answer = () => UNAVAILABLE;
  release({ body: { queued: true } });
  assert.equal((await back)[0].kept, true);
  assert.equal((await kept(page)).length, 1);
  server.answer = () => ({ body: { queued: true } });
  await page.evaluate(() => void dispatchEvent(new Event('online')));
  await allSent(page);
  assert.deepEqual([server.leads.at(-1).traits.email, server.leads.at(-1).cookie.slice(0, 3)], ['a@example.com', 'id:']);
});

test('of two kept leads that the last one does not repeat, the newer value is the last', async (t) => {
  const server = await startLeadServer(t);
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await visitorNamed(page);
  const now = Date.now();
  const email = 'a@example.com';
  await keepThere(page, [1, 2].map((seats) => ({ request: JSON.stringify({ traits: { email, seats } }), time: now - 60_000 + seats })));
  const last = JSON.stringify({ fields: JSON.stringify([['Email', email], ['UserId', 'u1']]), time: now - 1000 });
  await page.evaluate((text) => localStorage.setItem('munchkin_shim_lead', text), last);
  await page.close();
  const next = await world.open(t, { head, path: '/next', context });
  await allSent(next.page);
  assert.deepEqual(server.leads.map(({ traits }) => traits), [{ email, Seats: 2 }]);
});

test('what is sent of a kept lead does not make the newer one forgotten', async (t) => {
  const server = await startLeadServer(t);
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await visitorNamed(page);
  const now = Date.now();
  const email = 'a@example.com';
  await keepThere(page, [
    { request: JSON.stringify({ traits: { email, plan: 'old' } }), time: now - 40_000, busy: now + 5000 },
    { request: JSON.stringify({ traits: { email, plan: 'middle', seats: 1 } }), time: now - 30_000 },
  ]);
  const last = JSON.stringify({ fields: JSON.stringify([['Email', email], ['Plan', 'new']]), time: now - 1000 });
  await page.evaluate((text) => localStorage.setItem('munchkin_shim_lead', text), last);
  await page.close();
  const next = await world.open(t, { head, path: '/next', context });
  await allSent(next.page);
  assert.deepEqual(server.leads.map(({ traits }) => traits), [{ email, Seats: 1 }]);
  assert.deepEqual(JSON.parse(await next.page.evaluate(() => JSON.parse(String(localStorage.munchkin_shim_lead)).fields)), [['Email', email], ['Plan', 'new'], ['Seats', 1]]);
});

for (const attributes of [{ 'data-token': 'abc' }, {}]) {
  test(`reset() while a second identify waits for the first one${'data-token' in attributes ? ', with a token' : ''}: nothing is kept of either`, async (t) => {
    /** @type {(answer: object) => void} */
    let release = () => {};
    const server = await startLeadServer(t, () => new Promise((resolve) => {
      release = resolve;
    }));
    const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url, ...attributes }) });
    await visitorNamed(page);
    const both = call(page, [identify('a@example.com', { phone: '1' }), identify('a@example.com', { phone: '2' })]);
    await server.received(1);
    await page.evaluate(() => /** @type {any} */ (window).analytics.reset());
    server.answer = () => UNAVAILABLE;
    release(UNAVAILABLE);
    assert.deepEqual((await both).map(({ sent }) => sent), [false, false]);
    const stored = await page.evaluate(() => [localStorage.munchkin_shim_kept, localStorage.munchkin_shim_lead, localStorage.ajs_user_traits]);
    assert.deepEqual(stored, [undefined, undefined, undefined]);
  });
}

test('where the server signs, the answer leads to associateLead when it comes at last', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag() });
  await visitorNamed(page);
  await context.setOffline(true);
  const [result] = await call(page, [identify('a@example.com')]);
  assert.equal(result.kept, true);
  await age(page);
  await page.close();
  await context.setOffline(false);
  const next = await world.open(t, { head: world.tag(), path: '/next', context });
  const lead = await world.simulator.waitFor(({ type }) => type === 'associateLead');
  assert.deepEqual([lead.signature, lead.leadFields.Email], ['valid', 'a@example.com']);
  await allSent(next.page);
  assert.equal(world.simulator.events.filter(({ type }) => type === 'associateLead').length, 1);
});

test('where the server signs, and Munchkin is blocked on the page that has the answer: the lead is kept for one where it is not', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag() });
  await visitorNamed(page);
  await context.setOffline(true);
  await call(page, [identify('a@example.com')]);
  await age(page);
  await page.close();
  await context.setOffline(false);
  const blocked = await world.open(t, {
    head: world.tag(),
    path: '/blocked',
    context,
    prepare: (page) => page.route('**/munchkin.js', (route) => route.abort('blockedbyclient')),
  });
  await blocked.page.waitForFunction(() => {
    const list = JSON.parse(localStorage.getItem('munchkin_shim_kept') || '[]');
    return !list.length || list[0].error === 'munchkin_blocked';
  });
  assert.equal((await kept(blocked.page)).length, 1);
  await blocked.page.close();
  const next = await world.open(t, { head: world.tag(), path: '/next', context });
  await call(next.page, [['trackLink', null, 'x']]);
  await next.page.evaluate(() => void dispatchEvent(new Event('online')));
  await world.simulator.waitFor(({ leadFields }) => leadFields?.Email === 'a@example.com');
  await allSent(next.page);
});

test('a page that is closed while the server has its lead: the next page sends it again, once nobody can be at it', async (t) => {
  /** @type {(answer: any) => void} */
  let release = () => {};
  const server = await startLeadServer(t, () => new Promise((resolve) => {
    release = resolve;
  }));
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await page.evaluate(() => void /** @type {any} */ (window).analytics.identify('u', { email: 'a@example.com' }));
  await server.received(1);
  await page.close();
  release({ body: { queued: true } });
  server.answer = () => ({ body: { queued: true } });
  const next = await world.open(t, {
    head,
    path: '/next',
    context,
    prepare: (page) => page.clock.install({ time: Date.now() }),
  });
  // Somebody may be at it still.
  assert.equal((await kept(next.page)).length, 1);
  await next.page.waitForLoadState('networkidle');
  assert.equal(server.leads.length, 1);
  await next.page.clock.fastForward(26_000);
  await server.received(2);
  await allSent(next.page);
  assert.deepEqual(server.leads[1].traits, server.leads[0].traits);
});

test('what the server has answered for is not kept, whatever the answer', async (t) => {
  const server = await startLeadServer(t, () => ({ status: 403, body: { error: 'not_authorized', message: 'm' } }));
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
  for (const status of [400, 401, 403, 404, 413]) {
    server.answer = () => ({ status, body: { error: 'not_authorized', message: 'm' } });
    const [result] = await call(page, [identify(`${status}@example.com`)]);
    assert.deepEqual([result.error, result.kept], ['not_authorized', false]);
    assert.deepEqual(await kept(page), []);
  }
  assert.equal(server.leads.length, 5);
});

for (const status of [500, 502, 503, 429, 408]) {
  test(`${status}: pauses that grow, then nothing more once it is taken`, async (t) => {
    const server = await startLeadServer(t, () => ({ status, body: {} }));
    const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }), prepare: (page) => page.clock.install() });
    const [result] = await call(page, [identify('a@example.com')]);
    assert.deepEqual([result.error, result.kept], ['server_error', true]);
    const waits = /** @type {number[]} */ ([]);
    for (let tries = 1; tries < 5; tries++) {
      const wait = await waitOf(page, tries);
      waits.push(wait);
      await page.clock.fastForward(wait / 2);
      assert.equal(server.leads.length, tries, 'not before its time');
      await page.clock.fastForward(wait);
      await server.received(tries + 1);
    }
    waits.forEach((wait, i) => assert.ok(wait >= 2500 * 2 ** i && wait <= 5000 * 2 ** i, `${waits}`));
    await waitOf(page, 5);
    server.answer = () => ({ body: { queued: true } });
    await page.clock.fastForward('01:00:00');
    await server.received(6);
    await allSent(page);
    await page.clock.fastForward('24:00:00');
    assert.equal(server.leads.length, 6);
  });
}

/** The length of the pause after as many failures. @param {Page} page @param {number} tries @returns {Promise<number>} */
async function waitOf(page, tries) {
  const list = await page.waitForFunction((count) => {
    const [pause] = JSON.parse(localStorage.getItem('munchkin_shim_kept') || '[]');
    return pause?.tries === count && pause;
  }, tries);
  return (await list.jsonValue()).wait;
}

for (const [what, retryAfter] of /** @type {[string, () => string][]} */ ([
  ['seconds', () => '7200'],
  ['a date', () => new Date(Date.now() + 7200_000).toUTCString()],
])) {
  test(`Retry-After in ${what} is honoured: by time, by the next page, by identify and when back on line`, async (t) => {
    const server = await startLeadServer(t, () => ({ ...UNAVAILABLE, headers: { 'Retry-After': retryAfter() } }));
    const head = world.tag({ 'data-server': server.url });
    const { page, context } = await world.open(t, { head, prepare: (page) => page.clock.install() });
    await call(page, [identify('a@example.com')]);
    const wait = await waitOf(page, 1);
    assert.ok(wait > 7190_000 && wait < 7200_000 * 1.1 + 1000, `${wait}`);
    const [again] = await call(page, [identify('b@example.com')]);
    assert.deepEqual([again.error, again.kept], ['queue_full', true]);
    await page.evaluate(() => void dispatchEvent(new Event('online')));
    await page.clock.fastForward('01:50:00');
    const next = await world.open(t, { head, path: '/next', context });
    await next.page.waitForLoadState('networkidle');
    await next.page.close();
    assert.equal(server.leads.length, 1);
    server.answer = () => ({ body: { queued: true } });
    await page.clock.fastForward('00:25:00');
    await server.received(3);
    await allSent(page);
  });
}

test('a gateway in the place of the server whose error is no text: server_error, kept, and left alone for as long as it asks', async (t) => {
  for (const error of [{ code: 502, status: 'UNAVAILABLE' }, ['a'], 502, true, '', null]) {
    const server = await startLeadServer(t, () => ({ status: 502, body: { error }, headers: { 'Retry-After': '7200' } }));
    const { page, context } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
    const [result] = await call(page, [identify('a@example.com')]);
    assert.deepEqual([result.error, result.kept], ['server_error', true], JSON.stringify(error));
    assert.ok((await waitOf(page, 1)) > 7190_000);
    await context.close();
  }
});

test('a pause that the server has asked for holds however many leads are kept, of which there are ten at most', async (t) => {
  const server = await startLeadServer(t, () => ({ ...UNAVAILABLE, headers: { 'Retry-After': '7200' } }));
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
  await call(page, [identify('a@example.com')]);
  await waitOf(page, 1);
  for (let step = 0; step < 15; step++) {
    const [result] = await call(page, [identify('a@example.com', { step })]);
    assert.deepEqual([result.error, result.kept], ['queue_full', true]);
  }
  assert.ok((await waitOf(page, 1)) > 7190_000);
  assert.equal(server.leads.length, 1);
  const leads = await kept(page);
  assert.equal(leads.length, 10);
  assert.equal(JSON.parse(leads[9].request).traits.step, 14);
});

test('a day of failures: given up, with an error that is told', async (t) => {
  const server = await startLeadServer(t, () => UNAVAILABLE);
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }), prepare: (page) => page.clock.install() });
  await page.evaluate(() => {
    const told = (/** @type {any} */ (window).told = /** @type {any[]} */ ([]));
    /** @type {any} */ (window).analytics.on('error', (/** @type {any} */ { type, error, message }) => told.push([type, error, message]));
  });
  await call(page, [identify('a@example.com')]);
  await waitOf(page, 1);
  await goOnUntilGivenUp(page, server);
  const told = await page.evaluate(() => /** @type {any} */ (window).told);
  assert.deepEqual(told.map((/** @type {string[]} */ [type, error]) => [type, error]), [['identify', 'queue_full'], ['identify', 'given_up']]);
  assert.match(told[1][2], /\w .*\.$/);
  // One an hour, and none after a day.
  assert.ok(server.leads.length >= 23 && server.leads.length <= 24, `${server.leads.length}`);
});

test('a lead of ten days ago is given up, with an error that is told, before the next page sends anything', async (t) => {
  const server = await startLeadServer(t);
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await keepThere(page, [
    { request: '{"userId":"a","traits":{"email":"a@example.com","plan":"free","seats":1}}', time: Date.now() - 10 * DAY_MS },
    { request: '{"userId":"b","traits":{"email":"b@example.com","plan":"x"}}', time: Date.now() - 40_000 },
    { request: '{"userId":"a","traits":{"email":"a@example.com","plan":"pro"}}', time: Date.now() - 40_000 },
  ]);
  await page.close();
  const told = /** @type {any[]} */ ([]);
  const next = await world.open(t, {
    head,
    path: '/next',
    context,
    prepare: async (page) => {
      await page.exposeFunction('told', (/** @type {any} */ error) => told.push(error));
      await page.addInitScript("addEventListener('DOMContentLoaded', () => analytics.on('error', ({ type, error }) => told([type, error])))");
    },
  });
  await server.received(2);
  await allSent(next.page);
  assert.deepEqual(server.leads.map(({ traits }) => traits), [{ email: 'b@example.com', plan: 'x' }, { email: 'a@example.com', plan: 'pro' }]);
  assert.deepEqual(told, [['identify', 'given_up']]);
});

test('a lead of ten days ago is not sent even if it is all there is, nor while the server is left alone', async (t) => {
  for (const wait of [0, 3600_000]) {
    const server = await startLeadServer(t);
    const head = world.tag({ 'data-server': server.url });
    const { page, context } = await world.open(t, { head });
    const end = Date.now() + wait;
    const old = { request: '{"userId":"a","traits":{"email":"a@example.com"}}', time: Date.now() - 10 * DAY_MS };
    await keepThere(page, [{ request: '', due: end, wait, asked: end, tries: 1, error: 'server_error' }, old]);
    await page.close();
    const next = await world.open(t, { head, path: '/next', context });
    await next.page.waitForFunction(() => !localStorage.getItem('munchkin_shim_kept')?.includes('example'));
    await next.page.waitForLoadState('networkidle');
    assert.equal(server.leads.length, 0);
  }
});

test('what is stored and cannot be read counts as not there', async (t) => {
  for (const text of ['{}', '{', 'a text', '"a text"', '5', 'true', '[]', '[null]', '[5,"a",{},{"request":1},[]]', '[{"request":"{"}]', '[{"request":""}]']) {
    const server = await startLeadServer(t);
    const { page, errors, context } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
    await visitorNamed(page);
    await page.evaluate((text) => localStorage.setItem('munchkin_shim_kept', text), text);
    const [result] = await call(page, [identify('a@example.com')]);
    assert.deepEqual([result.error, result.sent], [undefined, true], text);
    assert.deepEqual([server.leads.length, errors], [1, []], text);
    await context.close();
  }
});

test('of a lead that was sent last and cannot be read, nothing counts as said', async (t) => {
  for (const fields of [undefined, null, 5, '', '{', '5', 'null', '{}', '["ab"]']) {
    const server = await startLeadServer(t);
    const head = world.tag({ 'data-server': server.url });
    const { page, context } = await world.open(t, { head });
    await keepThere(page, [{ request: '{"userId":"a","traits":{"email":"a@example.com"}}', time: Date.now() - 40_000 }]);
    await page.evaluate((last) => localStorage.setItem('munchkin_shim_lead', last), JSON.stringify({ fields, time: Date.now() }));
    await page.close();
    const next = await world.open(t, { head, path: '/next', context });
    await server.received(1);
    await allSent(next.page);
    await context.close();
  }
});

test('a pause that cannot be read begins anew: no storm of requests', async (t) => {
  const server = await startLeadServer(t, () => UNAVAILABLE);
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
  await keepThere(page, /** @type {any[]} */ ([{ request: '', due: 'x', wait: {}, asked: [], tries: 'x' }]));
  await call(page, [identify('a@example.com')]);
  assert.ok((await waitOf(page, 1)) >= 2500);
  assert.equal(server.leads.length, 1);
});

test('of two tabs one sends', async (t) => {
  for (const prepare of [undefined, (/** @type {Page} */ page) => page.addInitScript("Object.defineProperty(navigator, 'locks', { value: undefined })")]) {
    const server = await startLeadServer(t, () => ({ cut: true }));
    const head = world.tag({ 'data-server': server.url });
    const { page, context } = await world.open(t, { head, prepare });
    const other = await world.open(t, { head, prepare, path: '/other', context });
    await call(page, [identify('a@example.com')]);
    await call(other.page, [['trackLink', null, 'x']]);
    const before = server.leads.length;
    server.answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { body: { queued: true } };
    };
    await context.setOffline(true);
    await context.setOffline(false);
    await server.received(before + 1);
    await allSent(page);
    await allSent(other.page);
    await page.close();
    await other.page.waitForLoadState('networkidle');
    assert.equal(server.leads.length, before + 1);
  }
});

test('localStorage that is forbidden or full: kept while the page lives', async (t) => {
  for (const script of [
    "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden'); }})",
    "Storage.prototype.setItem = function () { throw new Error('full'); }",
  ]) {
    const server = await startLeadServer(t, () => ({ cut: true }));
    const { page, context, errors } = await world.open(t, { head: world.tag({ 'data-server': server.url }), prepare: (page) => page.addInitScript(script) });
    assert.equal((await call(page, [identify('a@example.com')]))[0].kept, true);
    const before = server.leads.length;
    server.answer = () => ({ body: { queued: true } });
    await listen(page);
    await context.setOffline(true);
    await context.setOffline(false);
    await server.received(before + 1);
    await page.waitForFunction(() => /** @type {any} */ (window).heard.length);
    assert.deepEqual([(await heard(page))[0].sent, errors], [true, []]);
  }
});

test('localStorage without room for one more lead: those that are in it stay', async (t) => {
  const server = await startLeadServer(t, () => ({ cut: true }));
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }) });
  await visitorNamed(page);
  assert.equal((await call(page, [identify('a@example.com')]))[0].kept, true);
  // What the site itself stores takes all the room there is.
  await page.evaluate(() => {
    for (let size = 1 << 22, i = 0; size >= 1; size >>= 1) {
      try {
        for (;;) localStorage.setItem(`site${i++}`, 'x'.repeat(size));
      } catch (reason) {
        // Half of that may fit.
      }
    }
  });
  assert.equal((await call(page, [identify('b@example.com', { note: 'x'.repeat(300) })]))[0].kept, true);
  assert.deepEqual((await kept(page)).map(({ request }) => JSON.parse(request).traits.email), ['a@example.com']);
});

test("with storage: 'memory' nothing is stored, and the next page sends nothing", async (t) => {
  const server = await startLeadServer(t, () => ({ cut: true }));
  const head = world.tag({ 'data-server': server.url, 'data-storage': 'memory' });
  const { page, context } = await world.open(t, { head });
  await call(page, [identify('a@example.com')]);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  await page.close();
  const before = server.leads.length;
  const next = await world.open(t, { head, path: '/next', context });
  await next.page.waitForLoadState('networkidle');
  assert.equal(server.leads.length, before);
});

for (const [what, forget] of /** @type {[string, string][]} */ ([
  ['reset()', 'analytics.reset()'],
  ['a consent that is withdrawn', 'analytics.consent(false)'],
  ['an opt-out', "document.cookie = 'mkto_opt_out=true;path=/'"],
])) {
  test(`${what}: what is kept is removed, and not sent`, async (t) => {
    const server = await startLeadServer(t, () => ({ cut: true }));
    const head = world.tag({ 'data-server': server.url });
    const { page, context } = await world.open(t, { head });
    await call(page, [identify('a@example.com')]);
    const before = server.leads.length;
    server.answer = () => ({ body: { queued: true } });
    await page.evaluate((code) => void new Function(code)(), forget);
    await context.setOffline(true);
    await context.setOffline(false);
    await allSent(page);
    const next = await world.open(t, { head, path: '/next', context });
    await next.page.waitForLoadState('networkidle');
    assert.equal(server.leads.length, before);
  });
}

test('the clock set forth or back: no storm of requests, and the lead goes', async (t) => {
  for (const jump of [-400, -1, 1, 400]) {
    const server = await startLeadServer(t, () => UNAVAILABLE);
    const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }), prepare: (page) => page.clock.install() });
    await call(page, [identify('a@example.com')]);
    await waitOf(page, 1);
    await page.evaluate((days) => {
      const { now } = Date;
      Date.now = () => now() + days * 24 * 3600 * 1000;
    }, jump);
    await page.clock.runFor(20_000);
    assert.ok(server.leads.length <= 4, `${jump}: ${server.leads.length}`);
    if (!(await kept(page)).length) continue; // a day has gone by, as far as the page can know
    server.answer = () => ({ body: { queued: true } });
    await page.clock.fastForward('02:00:00');
    await allSent(page);
    await page.close();
  }
});

test('what was kept by a clock that was ahead is sent in the next minute all the same, and given up after a day of this one', async (t) => {
  const server = await startLeadServer(t, () => UNAVAILABLE);
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head });
  await call(page, [identify('a@example.com')]);
  await waitOf(page, 1);
  await page.evaluate(() => {
    const ahead = 400 * 24 * 3600 * 1000;
    const [pause, lead] = JSON.parse(String(localStorage.getItem('munchkin_shim_kept')));
    // As a page leaves it that is closed while it sends.
    const list = [{ ...pause, due: pause.due + ahead, asked: pause.asked + ahead }, { ...lead, time: lead.time + ahead, busy: Date.now() + ahead, by: 'it' }];
    localStorage.setItem('munchkin_shim_kept', JSON.stringify(list));
  });
  await page.close();
  const next = await world.open(t, { head, path: '/next', context, prepare: (page) => page.clock.install({ time: Date.now() }) });
  await listen(next.page);
  // By then the extras have come, and the list has been looked at: its times are of this clock.
  await next.page.waitForFunction(() => JSON.parse(String(localStorage.getItem('munchkin_shim_kept'))).at(-1).time <= Date.now());
  const sent = next.page.waitForRequest(`${server.url}/**`);
  for (let seconds = 0; seconds < 60 && server.leads.length < 2; seconds++) await next.page.clock.runFor(1000);
  await sent;
  await server.received(2);
  await waitOf(next.page, 2);
  await goOnUntilGivenUp(next.page, server);
  assert.deepEqual(await kept(next.page), []);
  assert.equal((await heard(next.page)).at(-1).error, 'given_up');
});

test('what was sent by a clock that was ahead is not newer than what is kept by one that is right', async (t) => {
  const server = await startLeadServer(t);
  const head = world.tag({ 'data-server': server.url });
  const { page, context } = await world.open(t, { head, path: '/first' });
  await visitorNamed(page);
  await call(page, [identify('a@example.com', { plan: 'free' })]);
  await page.evaluate(() => {
    const last = JSON.parse(localStorage.munchkin_shim_lead);
    localStorage.munchkin_shim_lead = JSON.stringify({ ...last, time: last.time + 365 * 24 * 3600 * 1000 });
  });
  await keepThere(page, [{ request: '{"userId":"a@example.com","traits":{"email":"a@example.com","plan":"pro"}}', time: Date.now() - 40_000 }]);
  const next = await world.open(t, { head, path: '/next', context });
  await server.received(2);
  await allSent(next.page);
  assert.deepEqual(server.leads.map(({ traits }) => traits.plan), ['free', 'pro']);
});

test('a clock that is set forth while the server has asked for half a day: the lead goes within the hour', async (t) => {
  const server = await startLeadServer(t, () => ({ ...UNAVAILABLE, headers: { 'Retry-After': '43200' } }));
  const { page } = await world.open(t, { head: world.tag({ 'data-server': server.url }), prepare: (page) => page.clock.install() });
  await call(page, [identify('a@example.com')]);
  await waitOf(page, 1);
  await page.clock.runFor(5000); // by then it waits
  server.answer = () => ({ body: { queued: true } });
  await page.evaluate(() => {
    const { now } = Date;
    Date.now = () => now() + 20 * 3600 * 1000;
  });
  await page.clock.fastForward('01:00:10');
  await server.received(2);
  await allSent(page);
});

test('no more than ten leads are kept; the oldest make room', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag({ 'data-server': 'http://127.0.0.1:9' }) });
  await context.setOffline(true);
  await call(page, Array.from({ length: 12 }, (_, i) => identify(`${i}@example.com`)));
  const leads = await kept(page);
  assert.equal(leads.length, 10);
  assert.equal(JSON.parse(leads[9].request).traits.email, '11@example.com');
});

test('a lead that is kept, at which Munchkin throws: it ends with munchkin_failed, and is not tried again', async (t) => {
  const server = await startLeadServer(t, () => UNAVAILABLE);
  const { page, errors } = await world.open(t, {
    head: `<script>window.Munchkin = { init() {}, munchkinFunction() { throw new Error('mine'); } };</script>${world.tag({ 'data-server': server.url })}`,
    prepare: (page) => page.clock.install(),
  });
  await listen(page);
  await call(page, [identify('a@example.com')]);
  await waitOf(page, 1);
  server.answer = () => ({ body: { hash: 'a'.repeat(40) } });
  await page.clock.runFor(10_000);
  await server.received(2);
  // Not before the answer is there: the page's clock would be past the time that a request may take.
  await page.waitForFunction(() => /** @type {any} */ (window).heard.at(-1).error === 'munchkin_failed');
  for (let seconds = 0; seconds < 120; seconds += 10) await page.clock.runFor(10_000);
  assert.deepEqual(await kept(page), []);
  const last = (await heard(page)).at(-1);
  assert.deepEqual([last.type, last.error, last.message], ['identify', 'munchkin_failed', 'Error: mine']);
  assert.equal(server.leads.length, 2);
  assert.deepEqual(errors, []);
});

test('so does a lead that is answered at once, at which Munchkin throws: nothing is kept of it for the next page', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  await visitorNamed(page);
  await page.evaluate("Munchkin.munchkinFunction = () => { throw new Error('mine'); }");
  const [result] = await call(page, [identify('a@example.com')]);
  assert.deepEqual([result.error, result.message], ['munchkin_failed', 'Error: mine']);
  assert.deepEqual(await kept(page), []);
});
