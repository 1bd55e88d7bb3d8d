/** The hidden Marketo form: js-glue/form.js on a page, and what reaches Marketo through Forms 2.0. */

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { build } from 'esbuild';
import { startSimulator } from '../sim/simulator.mjs';
import { call, customer, MUNCHKIN_ID } from './customer.mjs';

const world = customer();

/** The sender, as a script that sets the global `form`. */
let script = '';

before(async () => {
  const { outputFiles } = await build({
    stdin: { contents: "export * from './form.js'; export { addScript } from './munchkin.js';", resolveDir: 'js-glue' },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'form',
    target: 'es2020',
  });
  script = outputFiles[0].text;
});

/** @typedef {import('playwright-core').Page} Page */

/**
 * Opens a page with a sender, and notes what it asks of Marketo.
 * @param {import('node:test').TestContext} t
 * @param {import('./customer.mjs').Visit & {formId?: number, formsUrl?: string, nonce?: string}} [visit]
 */
async function open(t, { formId = 1001, formsUrl = world.simulator.url, nonce, head = '', prepare, ...visit } = {}) {
  /** @type {string[]} paths, in order */
  const requests = [];
  const options = JSON.stringify({ formsUrl, formId, nonce });
  const attribute = nonce ? ` nonce="${nonce}"` : '';
  const opened = await world.open(t, {
    ...visit,
    head: `${head}<script${attribute}>${script}; window.sender = form.createFormSender(form.addScript, '${MUNCHKIN_ID}', ${options});</script>`,
    async prepare(page) {
      page.on('request', (request) => {
        if (request.url().startsWith(world.simulator.url)) requests.push(new URL(request.url()).pathname);
      });
      await prepare?.(page);
    },
  });
  return { ...opened, requests };
}

/**
 * Sends leads, all in the same turn of the page.
 * @param {Page} page
 * @param {...Record<string, string | number | boolean>} leads
 * @returns {Promise<any[]>}
 */
function send(page, ...leads) {
  return page.evaluate((list) => Promise.all(list.map((fields) => /** @type {any} */ (window).sender.send(fields))), leads);
}

/** Begins to send a lead; its outcome comes later. @param {Page} page @param {Record<string, string>} fields */
async function begin(page, fields) {
  await page.evaluate((lead) => {
    const { sender } = /** @type {any} */ (window);
    /** @type {any} */ (window).begun = sender.send(lead);
  }, fields);
  return () => page.evaluate(() => /** @type {any} */ (window).begun);
}

/**
 * Keeps the answers to a path back until told.
 * @param {Page} page
 * @param {string} path
 */
async function hold(page, path) {
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const released = new Promise((resolve) => {
    release = resolve;
  });
  /** @type {(value?: unknown) => void} */
  let arrive = () => {};
  const arrived = new Promise((resolve) => {
    arrive = resolve;
  });
  await page.route(`**${path}`, async (route) => {
    arrive();
    await released;
    await route.continue();
  });
  return { release, arrived };
}

const LIBRARY = '/js/forms2/js/forms2.min.js';
/** How a lead ends that Marketo has taken. @param {object} fields */
const taken = (fields) => ({
  ok: true,
  sent: true,
  call: ['submit', Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]))],
});

const LEAD = { Email: 'ada@example.com', FirstName: 'Ada' };

/** E-mails, in the order in which they arrived. */
function submitted() {
  return world.simulator.events.filter(({ type }) => type === 'formSubmit').map(({ leadFields }) => leadFields.Email);
}

test('a lead goes out with the cookie of its visitor and the page, and Marketo knows who that is', async (t) => {
  const { page, errors, requests } = await open(t, {
    path: '/signup?plan=pro',
    head: `<script src="${world.simulator.url}/munchkin.js"></script><script>Munchkin.init('${MUNCHKIN_ID}');</script>`,
  });
  const visit = await world.simulator.waitFor(({ type }) => type === 'visitWebPage');
  assert.equal(requests.includes(LIBRARY), false, 'nothing of the forms is loaded before the first lead');

  assert.deepEqual(await send(page, { ...LEAD, NumberOfEmployees: 0, Unsubscribed: false }), [taken({ ...LEAD, NumberOfEmployees: 0, Unsubscribed: false })]);
  const event = await world.simulator.waitFor(({ type }) => type === 'formSubmit');
  assert.deepEqual(event.leadFields, { ...LEAD, NumberOfEmployees: '0', Unsubscribed: 'false' });
  assert.deepEqual([event.query.formid, event.munchkinId, event.token], ['1001', MUNCHKIN_ID, visit.token]);
  assert.deepEqual([event.host, event.path, event.params], ['127.0.0.1', '/signup', 'plan=pro']);
  assert.deepEqual(world.simulator.leads.get('ada@example.com')?.tokens, [visit.token]);
  assert.deepEqual(errors, []);
});

test('the page stays where it is and as it is', async (t) => {
  const { page } = await open(t, { body: '<h1>Shop</h1>', path: '/shop' });
  const before = await page.evaluate(() => {
    /** @type {any} */ (window).isSamePage = true;
    return document.body.innerHTML;
  });
  const visible = () => page.evaluate(() => document.documentElement.innerText);
  const seen = await visible();
  const held = await hold(page, '/index.php/leadCapture/save2');
  const outcome = await begin(page, LEAD);
  await held.arrived;
  assert.equal(await visible(), seen, 'while the form is on its way');
  held.release();
  assert.deepEqual(await outcome(), taken(LEAD));
  // A navigation that the library had begun would have come before the second lead's outcome.
  assert.deepEqual(await send(page, LEAD), [taken(LEAD)]);
  const after = await page.evaluate(() => {
    const { isSamePage } = /** @type {any} */ (window);
    return { isSamePage, body: document.body.innerHTML, forms: document.forms.length, path: location.pathname + location.search };
  });
  assert.deepEqual(after, { isSamePage: true, body: before, forms: 0, path: '/shop' });
});

test('leads go out one after another, in order, and none has a field of another', async (t) => {
  let underWay = 0;
  let most = 0;
  const { page, requests } = await open(t, {
    formsUrl: `${world.simulator.url}/`,
    prepare: (page) =>
      page.route('**/index.php/**', async (route) => {
        most = Math.max(most, ++underWay);
        // The answer to each is slower than the request after it would be.
        const response = await route.fetch();
        underWay--;
        await route.fulfill({ response });
      }),
  });
  world.simulator.faults.submissionDelayMs = 30;
  /** @type {Record<string, string>[]} */
  const leads = [
    { Email: '1@example.com', Company: 'One' },
    { Email: '2@example.com' },
    { Email: '3@example.com', City: 'Three' },
  ];
  assert.deepEqual(await send(page, ...leads), leads.map(taken));
  assert.deepEqual(world.simulator.events.map(({ leadFields }) => leadFields), leads);
  assert.equal(most, 1);
  assert.equal(requests.filter((path) => path === LIBRARY).length, 1);
});

test('a lead is what it was when it was sent', async (t) => {
  const { page } = await open(t);
  await page.evaluate(() => {
    const fields = { Email: 'before@example.com' };
    const sent = /** @type {any} */ (window).sender.send(fields);
    fields.Email = 'after@example.com';
    return sent;
  });
  assert.deepEqual(submitted(), ['before@example.com']);
});

test('the library is given texts only, whatever it would make of false and 0', async (t) => {
  const library = '{ loadForm(b, m, f, done) { done({ addHiddenFields(given) { window.given = given; } }); } }';
  const { page } = await open(t, { head: `<script>window.MktoForms2 = ${library};</script>` });
  await send(page, { Email: 'a@b.example', Unsubscribed: false, NumberOfEmployees: 0 });
  const given = await page.evaluate(() => /** @type {any} */ (window).given);
  assert.deepEqual(given, { Email: 'a@b.example', Unsubscribed: 'false', NumberOfEmployees: '0' });
});

for (const [kind, prepare] of /** @type {[string, import('./customer.mjs').Visit['prepare']][]} */ ([
  ['refused by a blocker', (page) => page.route(`**${LIBRARY}`, (route) => route.abort('blockedbyclient'))],
  ['missing', async () => void (world.simulator.faults.formsStatus = 404)],
  ['something else', (page) => page.route(`**${LIBRARY}`, (route) => route.fulfill({ body: 'window.MktoForms2 = {};' }))],
])) {
  test(`a library that is ${kind}: form_blocked, at once; the next lead asks for it again, and goes out if it is there`, async (t) => {
    const { page, errors, requests } = await open(t, { prepare });
    const outcomes = await send(page, LEAD, LEAD);
    assert.deepEqual(outcomes.map(({ ok, error }) => [ok, error]), [[false, 'form_blocked'], [false, 'form_blocked']]);
    assert.deepEqual(requests, [LIBRARY, LIBRARY]);
    await page.unroute(`**${LIBRARY}`);
    world.simulator.faults.formsStatus = 200;
    assert.deepEqual(await send(page, LEAD), [taken(LEAD)]);
    assert.deepEqual(errors, []);
  });
}

test("a page's own library that cannot be loaded: form_blocked; for the next lead it is loaded from Marketo", async (t) => {
  const { page } = await open(t, {
    head: `<script async src="${world.simulator.url}/js/forms2/js/forms2.js"></script>`,
    prepare: (page) => page.route('**/forms2.js', async (route) => {
      await page.waitForFunction(() => 'begun' in window);
      await route.abort();
    }),
  });
  const outcome = await begin(page, LEAD);
  assert.equal((await outcome()).error, 'form_blocked');
  assert.deepEqual(await send(page, LEAD), [taken(LEAD)]);
});

test('a library that never answers: form_blocked after 10 s; one that comes late is used', async (t) => {
  const { page, errors } = await open(t, { prepare: (page) => page.clock.install() });
  const held = await hold(page, LIBRARY);
  const outcome = await begin(page, LEAD);
  await held.arrived;
  await page.clock.fastForward(10001);
  assert.equal((await outcome()).error, 'form_blocked');
  held.release();
  await page.waitForFunction(() => 'MktoForms2' in window);
  assert.deepEqual(await send(page, { Email: 'late@example.com' }), [taken({ Email: 'late@example.com' })]);
  assert.deepEqual(submitted(), ['late@example.com']);
  assert.deepEqual(errors, []);
});

test('a form that Marketo does not have: form_failed after 10 s', async (t) => {
  const { page, errors } = await open(t, { formId: 4711, prepare: (page) => page.clock.install() });
  const refused = page.waitForEvent('console', (message) => message.text().includes('form 4711 could not be loaded'));
  const outcome = await begin(page, LEAD);
  await refused;
  await page.clock.fastForward(10001);
  assert.equal((await outcome()).error, 'form_failed');
  assert.equal(await page.evaluate(() => document.forms.length), 0);
  assert.deepEqual(errors, []);
});

test('a form that comes late is not submitted: it would overtake a later lead', async (t) => {
  const { page } = await open(t, { prepare: (page) => page.clock.install() });
  const held = await hold(page, '/index.php/form/getForm*');
  const outcome = await begin(page, { Email: 'early@example.com' });
  await held.arrived;
  await page.clock.fastForward(10001);
  assert.equal((await outcome()).error, 'form_failed');
  held.release();
  await page.waitForFunction(() => /** @type {any} */ (window).MktoForms2.getForm(1001));
  assert.deepEqual(await send(page, { Email: 'later@example.com' }), [taken({ Email: 'later@example.com' })]);
  assert.deepEqual(submitted(), ['later@example.com']);
});

test('a submission that fails: form_failed after 10 s, and the next lead goes out', async (t) => {
  const { page, errors } = await open(t, { prepare: (page) => page.clock.install() });
  world.simulator.faults.submissionStatus = 500;
  const refused = page.waitForResponse((response) => response.url().endsWith('/save2') && response.status() === 500);
  const outcome = await begin(page, LEAD);
  await refused;
  world.simulator.faults.submissionStatus = 200;
  await page.clock.fastForward(10001);
  assert.equal((await outcome()).error, 'form_failed');
  assert.deepEqual(await send(page, { Email: 'next@example.com' }), [taken({ Email: 'next@example.com' })]);
  assert.deepEqual(submitted(), ['next@example.com']);
  assert.deepEqual(errors, []);
});

test('a submission that succeeds late does not take the visitor away either', async (t) => {
  const { page } = await open(t, { path: '/stay', prepare: (page) => page.clock.install() });
  const held = await hold(page, '/index.php/leadCapture/save2');
  const outcome = await begin(page, LEAD);
  await held.arrived;
  await page.clock.fastForward(10001);
  assert.equal((await outcome()).error, 'form_failed');
  held.release();
  await world.simulator.waitFor(({ type }) => type === 'formSubmit');
  assert.deepEqual(await send(page, LEAD), [taken(LEAD)]);
  assert.equal(await page.evaluate(() => location.pathname + location.search), '/stay');
});

test('a library that throws: form_failed, with what it threw', async (t) => {
  for (const [broken, message] of /** @type {const} */ ([
    ["{ loadForm() { throw new Error('no load'); } }", 'Error: no load'],
    ["{ loadForm(b, m, f, done) { done({ addHiddenFields() { throw new Error('no fields'); } }); } }", 'Error: no fields'],
  ])) {
    const { page, errors } = await open(t, { head: `<script>window.MktoForms2 = ${broken};</script>` });
    assert.deepEqual(await send(page, LEAD), [{ ok: false, error: 'form_failed', message }]);
    assert.deepEqual(errors, []);
  }
});

test('the Forms 2.0 that the page has is used, and its own form, of the same id even, is left alone', async (t) => {
  const { page, requests } = await open(t, {
    head: `<script src="${world.simulator.url}${LIBRARY}"></script>`,
    body: '<form id="mktoForm_1001"><b>Own</b></form>',
  });
  assert.deepEqual(await send(page, LEAD), [taken(LEAD)]);
  assert.equal(requests.filter((path) => path === LIBRARY).length, 1);
  assert.equal(await page.evaluate(() => document.forms[0].outerHTML), '<form id="mktoForm_1001"><b>Own</b></form>');
});

test('a Forms 2.0 that the page is still loading is awaited', async (t) => {
  /** @type {Awaited<ReturnType<typeof hold>> | undefined} */
  let held;
  const { page, requests } = await open(t, {
    head: `<script async src="${world.simulator.url}/js/forms2/js/forms2.js"></script>`,
    prepare: async (page) => {
      held = await hold(page, '/forms2.js');
    },
  });
  const outcome = await begin(page, LEAD);
  held?.release();
  assert.deepEqual(await outcome(), taken(LEAD));
  assert.equal(requests.includes(LIBRARY), false);
});

test('under a Content-Security-Policy the nonce lets the library in', async (t) => {
  const policy = `script-src 'nonce-abc' ${world.simulator.url}/index.php/`;
  const visit = { nonce: 'abc', headers: { 'Content-Security-Policy': policy } };
  const { page } = await open(t, visit);
  assert.deepEqual(await send(page, LEAD), [taken(LEAD)]);
  assert.deepEqual(submitted(), ['ada@example.com']);
});

/** The attributes by which a page identifies with a form, and no server. */
const byForm = () => ({
  'data-server': undefined,
  'data-identify': 'form',
  'data-forms-url': world.simulator.url,
  'data-form-id': '1001',
});

for (const [what, code, skipped] of [
  ['a no', 'analytics.consent(false)', 'no_consent'],
  ['an opt-out', "document.cookie = 'mkto_opt_out=true;path=/'", 'opted_out'],
]) {
  test(`identify: 'form': ${what} while Marketo's library is loading stops the lead`, async (t) => {
    /** @type {Awaited<ReturnType<typeof hold>> | undefined} */
    let held;
    const { page } = await world.open(t, {
      head: world.tag(byForm()),
      path: '/withdrawn',
      prepare: async (page) => {
        held = await hold(page, LIBRARY);
      },
    });
    await page.evaluate(() => {
      const { analytics } = /** @type {any} */ (window);
      /** @type {any} */ (window).lead = analytics.identify('u1', { email: 'u1@example.com' });
    });
    await held?.arrived;
    await page.evaluate((code) => void new Function(code)(), code);
    held?.release();
    assert.equal((await page.evaluate(() => /** @type {any} */ (window).lead)).skipped, skipped);
    assert.deepEqual(submitted(), []);
  });
}

test("identify: 'form' needs no server: the lead is known, with its cookie, and sent once", async (t) => {
  /** @type {string[]} */
  const requests = [];
  const { page, errors } = await world.open(t, {
    head: world.tag(byForm()),
    path: '/plans',
    prepare: async (page) => void page.on('request', (request) => requests.push(new URL(request.url()).pathname)),
  });
  const visit = await world.arrival('/plans');
  assert.equal(requests.some((path) => path === LIBRARY || path.includes('extras')), false, 'nothing before the first identify');

  const traits = { email: 'ada@example.com', name: 'Ada Lovelace', 'a field': true };
  const fields = { Email: 'ada@example.com', Name: 'Ada Lovelace', FirstName: 'Ada', LastName: 'Lovelace', AField: 'true', UserId: '1234' };
  const [first, again, changed, bad] = await call(page, [
    ['identify', '1234', traits],
    ['identify', '1234', traits],
    ['identify', '1234', { plan: 'pro' }],
    ['identify', 'x', { email: 'none' }],
  ]);
  assert.deepEqual(first, { ...taken(fields), type: 'identify', warnings: [] });
  assert.deepEqual([again.skipped, changed.sent, bad.error], ['unchanged', true, 'email_invalid']);
  await world.simulator.waitFor(({ leadFields }) => leadFields.Plan === 'pro');
  assert.deepEqual(submitted(), ['ada@example.com', 'ada@example.com']);
  const lead = world.simulator.leads.get('ada@example.com');
  assert.deepEqual([lead?.tokens, lead?.fields], [[visit.token], { ...fields, Plan: 'pro' }]);
  assert.equal(world.simulator.events.some(({ type }) => type === 'associateLead'), false);
  assert.equal(page.url(), `${world.siteUrl}/plans`);
  assert.deepEqual(errors, []);
});

test("identify: 'form' with a current Munchkin, for which associateLead is withdrawn", async (t) => {
  await world.simulator.close();
  world.simulator = await startSimulator({ associateLead: 'withdrawn' });
  const { page } = await world.open(t, { head: world.snippet({ server: undefined, identify: 'form', formsUrl: world.simulator.url, formId: 1001 }) });
  await call(page, [['identify', { email: 'now@example.com' }]]);
  await world.simulator.waitFor(({ type }) => type === 'formSubmit');
  assert.equal(world.simulator.leads.get('now@example.com')?.tokens.length, 1);
});

test("identify: 'form' beside a blocked Munchkin: the lead arrives, without a cookie", async (t) => {
  const { page } = await world.open(t, {
    head: world.tag(byForm()),
    prepare: (page) => page.route('**/munchkin.js', (route) => route.abort('blockedbyclient')),
  });
  const [lead, visit] = await call(page, [['identify', { email: 'a@b.co' }], ['track', 'x']]);
  assert.deepEqual([lead.sent, visit.error], [true, 'munchkin_blocked']);
  assert.deepEqual(submitted(), ['a@b.co']);
});

for (const [code, attributes, blocked] of /** @type {[string, object, string?][]} */ ([
  ['form_missing', { 'data-form-id': undefined }],
  ['form_missing', { 'data-forms-url': undefined }],
  ['form_blocked', {}, `**${LIBRARY}`],
  ['extras_blocked', {}, '**/munchkin-shim.extras.js'],
])) {
  test(`identify: 'form' ends with ${code} ${JSON.stringify(attributes)}; the calls around it arrive`, async (t) => {
    const { page, errors } = await world.open(t, {
      head: world.tag({ ...byForm(), ...attributes }),
      prepare: async (page) => {
        if (blocked) await page.route(blocked, (route) => route.abort());
      },
    });
    const told = await page.evaluate(async () => {
      const { analytics } = /** @type {any} */ (window);
      /** @type {any[]} */
      const heard = [];
      analytics.on('error', (/** @type {any} */ { error }) => heard.push(error));
      const results = await Promise.all([
        analytics.track('before'),
        analytics.identify('1', { email: 'a@b.co' }, {}, (/** @type {any} */ { error }) => heard.push(error)),
        analytics.track('after'),
      ]);
      return { heard, results, message: results[1].message };
    });
    assert.deepEqual(told.heard, [code, code]);
    assert.deepEqual(told.results.map((/** @type {any} */ { error }) => error), [undefined, code, undefined]);
    assert.match(told.message, /\w+ .*\.$/);
    await world.visited(['/', '/event/before', '/event/after']);
    assert.deepEqual(errors, []);
  });
}

test("identify: 'form': a lead that its page left behind is given up once the visitor is somebody else, whose cookie would go along", async (t) => {
  const first = await world.open(t, {
    head: world.tag(byForm()),
    path: '/first',
    prepare: (page) => page.route(`**${LIBRARY}`, () => {}), // hangs
  });
  await first.page.waitForFunction(() => document.cookie.includes('_mkto_trk'));
  await first.page.evaluate(() => void (/** @type {any} */ (window).analytics.identify('A', { email: 'a@example.com' })));
  await first.page.waitForFunction(() => localStorage.getItem('munchkin_shim_kept')?.includes('"busy"'));
  await first.page.close();

  const { page } = await world.open(t, { head: world.tag(byForm()), path: '/next', context: first.context, prepare: (page) => page.clock.install() });
  await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    /** @type {any} */ (window).ended = new Promise((resolve) => analytics.on('error', resolve));
  });
  assert.equal((await call(page, [['identify', 'B', { email: 'b@example.com' }]]))[0].sent, true);
  // Until then the page that is gone might have been at it.
  for (let seconds = 0; seconds < 60; seconds += 5) await page.clock.runFor(5000);
  await page.waitForFunction(() => !localStorage.getItem('munchkin_shim_kept'));
  assert.deepEqual(submitted(), ['b@example.com']);
  const { type, error } = await page.evaluate(() => /** @type {any} */ (window).ended);
  assert.deepEqual([type, error], ['identify', 'given_up']);
});

test("identify: 'form': what is kept of one visitor is one submission: the later over the earlier, and the last user id", async (t) => {
  const first = await world.open(t, { head: world.tag(byForm()), path: '/first' });
  await first.page.waitForFunction(() => document.cookie.includes('_mkto_trk'));
  const email = 'a@example.com';
  const kept = [
    { userId: null, traits: { email, plan: 'pro', lastName: 'Lovelace' } },
    { userId: 'u7', traits: { email, PLAN: 'free', 'of seats': 1, name: 'Ada Byron' } },
  ].map((request, i) => ({ request: JSON.stringify(request), time: Date.now() - 40_000 - i * 10_000 }));
  await first.page.evaluate((text) => localStorage.setItem('munchkin_shim_kept', text), JSON.stringify(kept));
  await first.page.close();
  const { page } = await world.open(t, { head: world.tag(byForm()), path: '/next', context: first.context });
  await page.waitForFunction(() => !localStorage.getItem('munchkin_shim_kept'));
  assert.deepEqual(submitted(), [email]);
  const { fields } = /** @type {any} */ (world.simulator.leads.get(email));
  assert.deepEqual(fields, { Email: email, UserId: 'u7', Plan: 'pro', OfSeats: '1', FirstName: 'Ada', LastName: 'Lovelace' });
});

test("identify: 'form': nor does it go behind the lead of somebody else that is under way already", async (t) => {
  const first = await world.open(t, { head: world.tag(byForm()), path: '/first' });
  await first.page.waitForFunction(() => document.cookie.includes('_mkto_trk'));
  const kept = JSON.stringify([{ request: '{"userId":"A","traits":{"email":"a@example.com"}}', time: Date.now() - 60_000 }]);
  await first.page.evaluate((text) => localStorage.setItem('munchkin_shim_kept', text), kept);
  await first.page.close();

  /** @type {Awaited<ReturnType<typeof hold>> | undefined} */
  let held;
  const { page } = await world.open(t, {
    head: `${world.tag(byForm())}<script>
      let over;
      const ended = new Promise((resolve) => analytics.on('error', resolve));
      const sent = analytics.identify('B', { email: 'b@example.com' });
      const { request } = LockManager.prototype;
      LockManager.prototype.request = function (...args) {
        const turn = request.apply(this, args);
        turn.then(() => (over = true));
        return turn;
      };
    </script>`,
    path: '/next',
    context: first.context,
    prepare: async (page) => {
      held = await hold(page, LIBRARY);
    },
  });
  await held?.arrived;
  // The outbox has looked at what is kept: it has begun with it, or left it for later.
  await page.waitForFunction('over || JSON.parse(localStorage.munchkin_shim_kept).find(({ request }) => request.includes(`"A"`)).by');
  held?.release();
  assert.equal((await page.evaluate('sent')).sent, true);
  await page.waitForFunction(() => !localStorage.getItem('munchkin_shim_kept'));
  assert.deepEqual(submitted(), ['b@example.com']);
  assert.equal((await page.evaluate('ended')).error, 'given_up');
});
