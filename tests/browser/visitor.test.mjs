/** Who the visitor is, what is remembered of them, and what the server says of them. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { call, customer, PRIVATE_KEY } from './customer.mjs';
import { startLeadServer } from './lead_server.mjs';

const world = customer();

/** @param {import('playwright-core').Page} page @returns {Promise<Record<string, string>>} */
const stored = (page) => page.evaluate(() => ({ ...localStorage }));

test('user id, traits and anonymous id are remembered under the names analytics.js uses', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag() });
  await call(page, [['identify', 'u1', { email: 'u1@example.com', plan: 'pro' }]]);
  const memory = await stored(page);
  assert.equal(memory.ajs_user_id, '"u1"');
  assert.deepEqual(JSON.parse(memory.ajs_user_traits), { email: 'u1@example.com', plan: 'pro' });

  const next = await world.open(t, { head: world.tag(), path: '/next', context });
  const user = await next.page.evaluate(() => {
    const user = /** @type {any} */ (window).analytics.user();
    return [user.id(), user.traits(), user.anonymousId(), user.anonymousId()];
  });
  assert.deepEqual(user.slice(0, 2), ['u1', { email: 'u1@example.com', plan: 'pro' }]);
  assert.match(user[2], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(user[2], user[3]);
});

test("another user's traits are not mixed with the last one's; reset forgets", async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  await call(page, [['identify', 'u1', { email: 'u1@example.com', plan: 'pro' }]]);
  const [second] = await call(page, [['identify', 'u2', { email: 'u2@example.com' }]]);
  assert.deepEqual(second.call[1], { Email: 'u2@example.com', UserId: 'u2' });
  const after = await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    analytics.setAnonymousId('chosen');
    const chosen = analytics.user().anonymousId();
    analytics.reset();
    return [chosen, analytics.user().id(), analytics.user().traits(), { ...localStorage }];
  });
  assert.deepEqual(after, ['chosen', null, {}, {}]);
});

test('what another library wrote is understood', async (t) => {
  const { page } = await world.open(t, {
    head: `<script>
      localStorage.ajs_user_id = 'plain'; // without quotes, as some versions do
      localStorage.ajs_user_traits = '{"email":"plain@example.com"}';
    </script>${world.tag()}`,
  });
  const [result] = await call(page, [['identify', { step: 1 }]]);
  assert.deepEqual(result.call[1], { Email: 'plain@example.com', Step: 1, UserId: 'plain' });
});

test('with data-storage="memory" nothing is stored', async (t) => {
  const { page } = await world.open(t, { head: world.tag({ 'data-storage': 'memory' }) });
  await call(page, [['identify', 'u1', { email: 'u1@example.com' }]]);
  const [again] = await call(page, [['identify', { plan: 'x' }]]);
  assert.equal(again.call[1].Email, 'u1@example.com');
  assert.deepEqual(await stored(page), {});
});

for (const [name, script] of [
  ['forbidden', "Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden'); }})"],
  ['full', "Storage.prototype.setItem = function () { throw new Error('full'); }"],
]) {
  test(`localStorage that is ${name} does no harm`, async (t) => {
    const { page, errors } = await world.open(t, { head: world.tag(), prepare: (page) => page.addInitScript(script) });
    const [first] = await call(page, [['identify', 'u1', { email: 'u1@example.com' }]]);
    const [second] = await call(page, [['identify', { plan: 'x' }]]);
    assert.equal(first.sent, true);
    assert.deepEqual(second.call[1], { Email: 'u1@example.com', Plan: 'x', UserId: 'u1' });
    assert.deepEqual(errors, []);
  });
}

test('localStorage that is full once somebody else is identified: the next page does not take them for the one before', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag() });
  await call(page, [['identify', 'u1', { email: 'u1@example.com' }]]);
  await page.evaluate("Storage.prototype.setItem = function () { throw new Error('full'); }");
  const [second] = await call(page, [['identify', 'u2', { email: 'u2@example.com' }]]);
  assert.equal(second.call[1].Email, 'u2@example.com');
  assert.deepEqual(await stored(page), {});
  const next = await world.open(t, { head: world.tag(), path: '/next', context });
  assert.equal((await call(next.page, [['identify', { plan: 'x' }]]))[0].error, 'email_missing');
});

test('analytics.on gets the arguments, page() with its category and name', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  const seen = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    /** @type {any[]} */
    const seen = [];
    for (const event of ['page', 'track', 'identify']) {
      analytics.on(event, (/** @type {any[]} */ ...args) => seen.push([event, ...args]));
    }
    analytics.once('group', () => seen.push('group'));
    await analytics.page('Docs', 'Index', { url: '/docs' });
    await analytics.page('Only a name');
    await analytics.track('e', { a: 1 }, { integrations: { All: true } });
    await analytics.identify({ email: 'a@b.co' });
    analytics.group('g');
    analytics.group('g');
    analytics.off('track');
    await analytics.track('unheard');
    return seen.map((entry) => JSON.stringify(entry));
  });
  assert.deepEqual(seen, [
    '["page","Docs","Index",{"url":"/docs"},{}]',
    '["page",null,"Only a name",{},{}]',
    '["track","e",{"a":1},{"integrations":{"All":true}}]',
    '["identify",null,{"email":"a@b.co"},{}]',
    '"group"',
  ]);
});

test('a visitor who has opted out causes no request of ours', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag(), path: '/out?marketo_opt_out=true' });
  /** @type {string[]} */
  const requests = [];
  context.on('request', (request) => requests.push(request.url()));
  const results = await call(page, [['track', 'x'], ['identify', '1', { email: 'a@b.co' }]]);
  assert.deepEqual(results.map(({ ok, skipped }) => [ok, skipped]), [[true, 'opted_out'], [true, 'opted_out']]);
  const next = await world.open(t, { head: world.tag(), path: '/next', context });
  assert.equal((await call(next.page, [['identify', '1', { email: 'a@b.co' }]]))[0].skipped, 'opted_out');
  assert.deepEqual(requests.filter((url) => url.startsWith(world.serverUrl)), []);
  assert.deepEqual(world.simulator.events, []);
});

/** Pages that the visitor opts out on, though Munchkin cannot be had to note it. */
const OPT_OUTS = /** @type {[string, () => string, string?][]} */ ([
  ['that is tracked', () => world.tag()],
  ['that waits for a yes', () => world.tag({ 'data-consent': 'pending' })],
  ['that loads nothing before a yes', () => world.snippet({ consent: 'pending' })],
  ['that is told no and then yes', () => world.tag(), 'analytics.consent(false); analytics.consent(true)'],
  ['whose route is another one by the first call', () => world.tag(), "history.replaceState({}, '', '/elsewhere')"],
]);
for (const [kind, head, code] of OPT_OUTS) {
  test(`an opt-out on a page ${kind}, without Munchkin, holds on the next one`, async (t) => {
    const prepare = (/** @type {import('playwright-core').Page} */ page) => page.route('**/munchkin.js', (route) => route.abort());
    const { page, context } = await world.open(t, { head: head(), path: '/out?x=1&marketo_opt_out=true', prepare });
    if (code) {
      await page.evaluate(code);
      assert.equal((await call(page, [['identify', '1', { email: 'a@b.co' }]]))[0].skipped, 'opted_out');
    }
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie?.name, cookie?.value, cookie?.path], ['mkto_opt_out', 'true', '/']);
    assert.ok(cookie.expires > Date.now() / 1000 + 300 * 24 * 3600, 'browsers make it 400 days');
    const next = await world.open(t, { head: world.tag(), path: '/next', context });
    assert.equal((await call(next.page, [['identify', '1', { email: 'a@b.co' }]]))[0].skipped, 'opted_out');
    assert.deepEqual(world.simulator.events, []);
  });
}

for (const [kind, property] of [['refused', 'get: () => "", set() {}'], ['forbidden', 'get() { throw new Error(); }, set() { throw new Error(); }']]) {
  test(`where cookies are ${kind} an opt-out holds as long as the URL has it, and nothing is thrown`, async (t) => {
    const { page, errors } = await world.open(t, {
      head: world.tag({ 'data-munchkin-url': '/none.js' }),
      path: '/out?marketo_opt_out=true',
      prepare: (page) => page.addInitScript(`Object.defineProperty(document, 'cookie', { ${property} })`),
    });
    const [lead] = await call(page, [['identify', '1', { email: 'a@b.co' }]]);
    assert.equal(lead.skipped, 'opted_out');
    assert.equal(await page.evaluate(() => /** @type {any} */ (window).analytics.user().id('2')), null);
    assert.deepEqual(errors, []);
  });
}

test('where cookies are forbidden, as in a sandboxed frame, identify reaches the server', async (t) => {
  const server = await startLeadServer(t);
  const script = world.tag({ src: `${world.siteUrl}/dist/munchkin-shim.js`, 'data-server': server.url });
  const calls = "<script>analytics.identify('1', { email: 'a@b.co' }).then((result) => parent.postMessage(result, '*'))</script>";
  const { page } = await world.open(t, {
    head: "<script>told = new Promise((resolve) => addEventListener('message', ({ data }) => resolve(data)))</script>",
    body: `<iframe sandbox="allow-scripts" srcdoc="${(script + calls).replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"></iframe>`,
  });
  const result = await page.evaluate('told');
  assert.deepEqual([result.sent, result.error], [true, undefined]);
  assert.deepEqual(server.leads.map(({ traits, cookie }) => [traits.email, cookie]), [['a@b.co', '']]);
});

test('what is asked of the server needs no preflight, and has nothing of the lead in its URL', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag() });
  /** @type {import('playwright-core').Request[]} */
  const requests = [];
  context.on('request', (request) => requests.push(request));
  await call(page, [['identify', '1', { email: 'quiet@example.com' }]]);
  const toServer = requests.filter((request) => request.url().startsWith(world.serverUrl));
  assert.deepEqual(toServer.map((request) => [request.method(), request.url()]), [['POST', `${world.serverUrl}/v1/lead`]]);
  assert.match(toServer[0].headers()['content-type'], /^text\/plain/);
  const { cookie, ...lead } = JSON.parse(String(toServer[0].postData()));
  assert.deepEqual(lead, { userId: '1', traits: { email: 'quiet@example.com' } });
  assert.match(cookie, /^$|^id:561-HYG-937&token:_mch-|^id%3A561-HYG-937%26token%3A_mch-/);
});

test('a hash that the page has already is used as it is', async (t) => {
  const { page } = await world.open(t, { head: world.tag({ 'data-server': undefined }) });
  const hash = 'ab'.repeat(20);
  const [result] = await call(page, [['identify', '1', { email: 'a@b.co' }, { integrations: { Marketo: { hash } } }]]);
  assert.equal(result.call[2], hash);
  assert.equal((await world.simulator.waitFor(({ type }) => type === 'associateLead')).hash, hash);
});

test('then a server that there is, is not asked', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag() });
  /** @type {string[]} */
  const asked = [];
  context.on('request', (request) => asked.push(request.url()));
  const hash = createHash('sha1').update(`${PRIVATE_KEY}signed@example.com`).digest('hex');
  const [result] = await call(page, [['identify', '1', { email: 'signed@example.com' }, { integrations: { Marketo: { hash } } }]]);
  assert.deepEqual([result.sent, result.call[2]], [true, hash]);
  const event = await world.simulator.waitFor(({ type, leadFields }) => type === 'associateLead' && leadFields.Email === 'signed@example.com');
  assert.equal(event.signature, 'valid');
  assert.deepEqual(asked.filter((url) => url.startsWith(`${world.serverUrl}/v1/`)), []);
});

for (const [code, server, answer] of /** @type {[string, string | undefined, ((route: import('playwright-core').Route) => any)?][]} */ ([
  ['server_missing', undefined],
  ['server_unreachable', 'http://127.0.0.1:9'],
  ['server_error', 'http://rubbish.test', (route) => route.fulfill({ body: '<html>', headers: { 'Access-Control-Allow-Origin': '*' } })],
  ['server_error', 'http://wrong.test', (route) => route.fulfill({ json: { hash: 'xyz' }, headers: { 'Access-Control-Allow-Origin': '*' } })],
  ['rate_limited', 'http://busy.test', (route) => route.fulfill({ status: 429, json: { error: 'rate_limited', message: 'm' }, headers: { 'Access-Control-Allow-Origin': '*' } })],
])) {
  test(`${code} (${server}): identify ends with it, sends nothing, and can be tried again`, async (t) => {
    const { page, errors } = await world.open(t, {
      head: world.tag({ 'data-server': server }),
      prepare: async (page) => answer && page.route(`${server}/**`, answer),
    });
    const lead = /** @type {[string, ...any[]]} */ (['identify', '1', { email: 'a@b.co' }]);
    const [first] = await call(page, [lead]);
    const [second] = await call(page, [lead]);
    assert.deepEqual([first.error, second.error], [code, code]);
    await call(page, [['track', 'goes on']]);
    await world.arrival('/event/goes-on');
    assert.equal(world.simulator.events.some(({ type }) => type === 'associateLead'), false);
    assert.deepEqual(errors, []);
  });
}

test('a page of an origin that is not listed gets no hash', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  // The same site under its other name is another origin.
  await page.goto(world.siteUrl.replace('127.0.0.1', 'localhost'));
  const [result] = await call(page, [['identify', '1', { email: 'a@b.co' }]]);
  assert.equal(result.ok, false);
  assert.match(result.error, /^(server_unreachable|origin_not_allowed)$/);
});

test('trackLink and trackForm send before the page is left', async (t) => {
  const { page } = await world.open(t, {
    head: world.tag(),
    body: '<a href="/left">go</a><form action="/sent"><input name="q" value="1"><button name="b" value="2">send</button></form>',
  });
  for (const path of ['/left', '/sent']) await world.open(t, { path, body: path, context: page.context() });
  await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    await analytics.trackLink(document.querySelector('a'), 'Link clicked', (/** @type {Element} */ link) => ({ text: link.textContent }));
    await analytics.trackForm(document.querySelectorAll('form'), () => 'Form sent');
  });
  await page.click('a');
  await page.waitForURL('**/left');
  assert.equal((await world.arrival('/event/Link-clicked')).params, 'text=go');
  await page.goBack();
  await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    return analytics.trackForm(document.querySelector('form'), 'Form sent');
  });
  await page.click('button');
  await page.waitForURL('**/sent?q=1&b=2');
  await world.arrival('/event/Form-sent');
});

test('trackLink and trackForm take the lists of an old jQuery, which cannot be iterated', async (t) => {
  const { page } = await world.open(t, { head: world.tag(), body: '<a href="#there">go</a><form action="#"><button>send</button></form>' });
  const ended = await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    const jQuery = (/** @type {string} */ selector) => {
      const found = [...document.querySelectorAll(selector)];
      return { ...found, length: found.length, toArray: () => found };
    };
    return Promise.all([analytics.trackLink(jQuery('a'), 'Link clicked'), analytics.trackForm(jQuery('form'), 'Form sent')]);
  });
  assert.deepEqual(ended, [undefined, undefined]);
  await page.click('a');
  await world.arrival('/event/Link-clicked');
  await page.click('button');
  await world.arrival('/event/Form-sent');
});

test('a link waits until the visit is through, but no longer than 300 ms: a network that hangs traps nobody', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag(), body: '<a href="/left">go</a>', path: '/slow' });
  await world.open(t, { path: '/left', body: 'left', context });
  await world.arrival('/slow');
  /** @type {(url: string) => void} */
  let held = () => {};
  await page.route('**/webevents/visitWebPage?*', async (route) => {
    held(route.request().url());
    if (!route.request().url().includes('Hangs')) {
      await new Promise((resolve) => {
        setTimeout(resolve, 150);
      });
      await route.continue();
    }
  });
  for (const event of ['Slow', 'Hangs']) {
    await page.evaluate((name) => /** @type {any} */ (window).analytics.trackLink(document.querySelector('a'), name), event);
    const asked = new Promise((resolve) => {
      held = resolve;
    });
    await page.click('a', { noWaitAfter: true });
    assert.match(String(await asked), new RegExp(event));
    await page.waitForURL('**/left');
    if (event === 'Slow') {
      await world.arrival('/event/Slow');
      await page.goBack();
    }
  }
});

test('trackLink and trackForm leave the page to whom has prevented it, however late, and to other windows', async (t) => {
  const { page } = await world.open(t, {
    head: world.tag(),
    body: '<a id="routed" href="/left">go</a> <a id="new" target="_blank" href="/blank">new</a> <form action="/sent"><button>send</button></form>',
    path: '/stays',
  });
  await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    await analytics.trackLink(document.querySelectorAll('a'), (/** @type {Element} */ link) => `Link ${link.id}`);
    await analytics.trackForm(document.querySelector('form'), 'Form sent');
    // As routers and scripts do: later, and for the whole document.
    document.addEventListener('click', (event) => /** @type {Element} */ (event.target).id === 'routed' && event.preventDefault());
    document.addEventListener('submit', (event) => event.preventDefault());
  });
  await page.click('#routed');
  await world.arrival('/event/Link-routed');
  await page.click('button');
  await world.arrival('/event/Form-sent');
  const [opened] = await Promise.all([page.context().waitForEvent('page'), page.click('#new')]);
  await world.arrival('/event/Link-new');
  await opened.close();
  // Longer than a link would have waited.
  await page.waitForTimeout(400);
  assert.equal(new URL(page.url()).pathname, '/stays');
});

for (const [kind, attributes, button, base] of [
  ['its target', 'target="f"', '', ''],
  ["its button's", 'target="_self"', 'formtarget="f"', ''],
  ['the one of all', '', '', '<base target="f">'],
]) {
  test(`a form that goes to a frame, by ${kind}, is not held back: what was typed goes, though the page empties it then`, async (t) => {
    const { page, errors } = await world.open(t, {
      head: world.tag(),
      body: `${base}<iframe name="f"></iframe><form action="/sent" ${attributes} onsubmit="setTimeout(() => this.reset())"><input name="q"><button ${button}>send</button></form>`,
    });
    await page.evaluate(() => /** @type {any} */ (window).analytics.trackForm(document.forms[0], 'Form sent'));
    await page.fill('input', 'typed');
    const asked = page.waitForRequest('**/sent?*');
    await page.click('button');
    assert.equal(new URL((await asked).url()).search, '?q=typed');
    await world.arrival('/event/Form-sent');
    assert.deepEqual(errors, []);
  });
}

test('of links and forms those that leave the page are held back, whatever the document says of the others', async (t) => {
  const { page } = await world.open(t, {
    head: world.tag(),
    body: `<base target="f"><iframe name="f"></iframe><a href="/x">1</a><a href="/x" target="">2</a><a href="/x" target="_TOP">3</a>
      <svg><a href="/x" target="">4</a></svg><form action="/x"><button>5</button><button formtarget="_self">6</button></form>`,
    // What has waited leads nowhere.
    prepare: (page) => page.route(/\/x\??$/, (route) => route.fulfill({ status: 204 })),
  });
  const isHeld = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    await analytics.trackLink(document.querySelectorAll('a'), 'Link');
    await analytics.trackForm(document.forms, 'Form');
    /** @type {Record<string, boolean>} */
    const held = {};
    // What was prevented shows once all listeners have had the event.
    const note = (/** @type {any} */ event) => setTimeout(() => (held[(event.submitter || event.target).textContent] = event.defaultPrevented));
    document.addEventListener('click', (event) => /** @type {Element} */ (event.target).localName === 'a' && note(event));
    document.addEventListener('submit', note);
    for (const element of document.querySelectorAll('a, button')) element.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }));
    await new Promise((resolve) => setTimeout(resolve));
    return held;
  });
  assert.deepEqual(isHeld, { 1: false, 2: true, 3: true, 4: false, 5: false, 6: true });
});

test('who has left and comes back to the page is not sent away again by what had waited', async (t) => {
  const { page } = await world.open(t, {
    head: world.tag(),
    body: '<a href="#left">go</a>',
    prepare: async (page) => {
      await page.clock.install();
      await page.route('**/webevents/visitWebPage?*', () => {});
    },
  });
  await page.evaluate(() => /** @type {any} */ (window).analytics.trackLink(document.querySelector('a'), 'Go'));
  for (const isHidden of [true, false]) {
    await page.evaluate((hides) => {
      /** @type {HTMLElement} */ (document.querySelector('a')).click();
      if (hides) dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    }, isHidden);
    await page.clock.runFor(1000);
    assert.equal(new URL(page.url()).hash, isHidden ? '' : '#left');
  }
});

test('a form that is tracked twice is sent once; its own listeners are asked once, and may let it go once only', async (t) => {
  const { page, errors, context } = await world.open(t, {
    head: world.tag(),
    body: '<form action="/sent"><button name="b" value="1">send</button></form>',
    path: '/form',
  });
  await world.open(t, { path: '/sent', body: 'sent', context });
  await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    const [form] = document.forms;
    let isBusy = false;
    form.addEventListener('submit', (event) => {
      if (isBusy) event.preventDefault();
      isBusy = true;
    });
    return Promise.all([analytics.trackForm(form, 'First'), analytics.trackForm(form, 'Second')]);
  });
  await page.click('button');
  await page.waitForURL('**/sent?b=1');
  await world.visited(['/form', '/event/First', '/event/Second']);
  assert.deepEqual(errors, []);
});

test('a form whose button is gone by the time it goes on, goes on', async (t) => {
  const { page, errors, context } = await world.open(t, { head: world.tag(), body: '<form action="/sent"><button>send</button></form>' });
  await world.open(t, { path: '/sent', body: 'sent', context });
  await page.evaluate(() => {
    const [form] = document.forms;
    form.addEventListener('submit', () => form.querySelector('button')?.replaceWith('Sending…'));
    return /** @type {any} */ (window).analytics.trackForm(form, 'Form sent');
  });
  await page.click('button');
  await page.waitForURL('**/sent?');
  await world.arrival('/event/Form-sent');
  assert.deepEqual(errors, []);
});

test('a form goes on with what was in it, though its page disables, empties and removes what it can as soon as it is on its way', async (t) => {
  const { page, errors, context } = await world.open(t, {
    head: world.tag(),
    body: `<form action="/sent" accept-charset="windows-1252"><input type="hidden" name="_charset_"><input name="q"><textarea name="q">2</textarea>
      <select name="s"><option>4</select><button name="b" value="5">send</button></form>`,
  });
  await world.open(t, { path: '/sent', body: 'sent', context });
  await page.evaluate(() => {
    const [form] = document.forms;
    const [, input, area, select, button] = /** @type {any} */ (form.elements);
    form.addEventListener('submit', () => setTimeout(() => {
      input.value = '';
      area.disabled = button.disabled = true;
      select.remove();
    }));
    let asked = 0;
    addEventListener('formdata', ({ formData }) => formData.append('asked', String(++asked)));
    return /** @type {any} */ (window).analytics.trackForm(form, 'Form sent');
  });
  await page.fill('input[name=q]', '\u00e9');
  await page.click('button');
  await page.waitForURL('**/sent?*');
  assert.equal(new URL(page.url()).search, '?_charset_=windows-1252&q=%E9&q=2&s=4&b=5&asked=1');
  await world.arrival('/event/Form-sent');
  assert.deepEqual(errors, []);
});

for (const [kind, busy] of /** @type {[string, (form: HTMLFormElement) => void][]} */ ([
  ['empties it, of which a field is required', (form) => form.reset()],
  ['takes it away', (form) => form.replaceWith('Sending…')],
  ['takes its address away', (form) => form.setAttribute('action', 'javascript:void 0')],
])) {
  test(`a form goes on though its page ${kind}, as soon as it is on its way`, async (t) => {
    const { page, errors, context } = await world.open(t, { head: world.tag(), body: '<form action="/sent"><input name="q" required><button>send</button></form>' });
    await world.open(t, { path: '/sent', body: 'sent', context });
    await page.evaluate((source) => {
      const [form] = document.forms;
      const getBusy = eval(source);
      form.addEventListener('submit', () => setTimeout(() => getBusy(form)));
      return /** @type {any} */ (window).analytics.trackForm(form, 'Form sent');
    }, String(busy));
    await page.fill('input[name=q]', '1');
    await page.click('button');
    await page.waitForURL('**/sent?q=1');
    await world.arrival('/event/Form-sent');
    assert.deepEqual(errors, []);
  });
}

test('so does one in a browser that makes no data of a form and its button: the button goes along', async (t) => {
  const { page, context } = await world.open(t, {
    head: world.tag(),
    body: '<form action="/sent"><input name="q" value="1"><button name="b" value="2">send</button></form>',
    prepare: (page) => page.addInitScript('window.FormData = class extends FormData { constructor(form) { super(form); } }'),
  });
  await world.open(t, { path: '/sent', body: 'sent', context });
  await page.evaluate(() => {
    const [form] = document.forms;
    form.addEventListener('submit', () => setTimeout(() => (form.q.disabled = true)));
    return /** @type {any} */ (window).analytics.trackForm(form, 'Form sent');
  });
  await page.click('button');
  await page.waitForURL('**/sent?*');
  assert.equal(new URL(page.url()).search, '?b=2&q=1');
});

test('a link waits for its own visit, not for one that was under way before', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag(), body: '<a href="/left">go</a>', path: '/busy' });
  await world.open(t, { path: '/left', body: 'left', context });
  await world.arrival('/busy');
  /** @type {(value?: unknown) => void} */
  let asked = () => {};
  const ownIsAsked = new Promise((resolve) => {
    asked = resolve;
  });
  await page.route('**/webevents/visitWebPage?*', async (route) => {
    if (route.request().url().includes('Earlier')) {
      await ownIsAsked;
      return route.fulfill({ body: '' });
    }
    asked();
    await new Promise((resolve) => {
      setTimeout(resolve, 120);
    });
    return route.continue();
  });
  await call(page, [['trackLink', null, 'x'], ['track', 'Earlier']]);
  await page.evaluate(() => /** @type {any} */ (window).analytics.trackLink(document.querySelector('a'), 'Own'));
  await page.click('a', { noWaitAfter: true });
  await page.waitForURL('**/left');
  await world.arrival('/event/Own');
});

test('a link that has waited goes on as it says: without a referrer, or in the topmost window; its listeners are asked once', async (t) => {
  const { page, context } = await world.open(t, {
    head: world.tag(),
    body: '<a href="/left" rel="noreferrer">private</a> <a href="/left" target="_top">top</a>',
    path: '/links',
  });
  await world.open(t, { path: '/left', body: 'left', context });
  for (const [i, event] of ['Private', 'Top'].entries()) {
    await page.evaluate((name) => {
      addEventListener('click', () => (sessionStorage.clicks = Number(sessionStorage.clicks || 0) + 1));
      return /** @type {any} */ (window).analytics.trackLink(document.querySelectorAll('a'), name);
    }, event);
    await page.route(`**/webevents/visitWebPage?*${event}*`, async (route) => {
      await new Promise((resolve) => {
        setTimeout(resolve, 100);
      });
      await route.continue();
    });
    await page.click(`a >> nth=${i}`, { noWaitAfter: true });
    await page.waitForURL('**/left');
    await world.arrival(`/event/${event}`);
    assert.equal(await page.evaluate('sessionStorage.clicks'), String(i + 1));
    if (event === 'Private') {
      assert.equal(await page.evaluate('document.referrer'), '');
      await page.goBack();
    }
  }
});

for (const [kind, disarm] of /** @type {[string, (link: HTMLAnchorElement) => void][]} */ ([
  ['takes its address away', (link) => link.removeAttribute('href')],
  ['gives it another one', (link) => link.setAttribute('href', '#')],
])) {
  test(`a link leads on though its page ${kind}, so that nobody follows it twice`, async (t) => {
    const { page, context } = await world.open(t, { head: world.tag(), body: '<a href="/left">go</a>', path: '/links' });
    await world.open(t, { path: '/left', body: 'left', context });
    await page.evaluate((source) => {
      const link = document.querySelector('a');
      const disarm = eval(source);
      link?.addEventListener('click', () => setTimeout(() => disarm(link)));
      return /** @type {any} */ (window).analytics.trackLink(link, 'Link');
    }, String(disarm));
    await page.click('a', { noWaitAfter: true });
    await page.waitForURL('**/left');
    await world.arrival('/event/Link');
  });
}

test('without the extras a function that says what to track is not called as if it were told how the call ended', async (t) => {
  const { page } = await world.open(t, {
    head: world.tag(),
    body: '<a href="#x">link</a><form></form>',
    prepare: (page) => page.route('**/munchkin-shim.extras.js', (route) => route.abort()),
  });
  const [results, given] = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    /** @type {any[]} */
    const given = [];
    const saying = (/** @type {any} */ element) => given.push(String(element));
    return [[await analytics.trackLink(document.links, saying), await analytics.trackForm(document.forms, 'Sent', saying)], given];
  });
  assert.deepEqual(results.map((/** @type {any} */ { error }) => error), ['extras_blocked', 'extras_blocked']);
  assert.deepEqual(given, []);
});

test("a page's function that throws, or a browser without PerformanceObserver: no exception, and the link leads on", async (t) => {
  const { page, errors, context } = await world.open(t, {
    head: world.tag(),
    body: '<a id="a" href="/left">go</a> <a id="b" href="/left">go</a>',
    path: '/thrower',
    prepare: (page) => page.addInitScript('delete window.PerformanceObserver'),
  });
  await world.open(t, { path: '/left', body: 'left', context });
  for (const id of ['a', 'b']) {
    await page.evaluate(async () => {
      const { analytics } = /** @type {any} */ (window);
      const fail = () => {
        throw new Error("the page's own");
      };
      await analytics.trackLink(document.querySelector('#a'), fail);
      await analytics.trackLink(document.querySelector('#b'), 'Followed');
    });
    await page.click(`#${id}`);
    await page.waitForURL('**/left');
    if (id === 'a') await page.goBack();
  }
  await world.arrival('/event/Followed');
  assert.deepEqual(errors, []);
});

test('an opted-out visitor is not remembered; one who is forgotten meanwhile neither', async (t) => {
  const out = await world.open(t, { head: world.tag(), path: '/?marketo_opt_out=true' });
  await call(out.page, [['identify', 'u1', { email: 'u1@example.com' }]]);
  assert.deepEqual(await stored(out.page), {});

  const { page } = await world.open(t, { head: world.tag(), path: '/reset' });
  await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    const sent = analytics.identify('u1', { email: 'u1@example.com' });
    analytics.reset();
    await sent;
  });
  assert.deepEqual(await stored(page), {});
});

test('of identifies at once each change arrives, in order, and the same lead once', async (t) => {
  const { page } = await world.open(t, { head: world.tag(), path: '/quick' });
  const lead = (/** @type {string} */ plan) => /** @type {[string, ...any[]]} */ (['identify', 'u1', { email: 'u1@example.com', plan }]);
  await call(page, [lead('free')]);
  const results = await call(page, [lead('pro'), lead('free'), lead('free'), lead('free')]);
  assert.deepEqual(results.map(({ skipped }) => skipped), [undefined, undefined, 'unchanged', 'unchanged']);
  await world.simulator.waitFor(() => world.simulator.events.filter(({ type }) => type === 'associateLead').length === 3);
  assert.equal(world.simulator.leads.get('u1@example.com')?.fields.Plan, 'free');
});

test('what became of earlier identifies is not held on to', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag() });
  await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    const results = (/** @type {any} */ (window).results = /** @type {WeakRef<object>[]} */ ([]));
    for (let i = 0; i < 20; i++) results.push(new WeakRef(await analytics.identify('not an address')));
  });
  const session = await context.newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const held = await page.evaluate(() => /** @type {any} */ (window).results.filter((/** @type {WeakRef<object>} */ result) => result.deref()).length);
  assert.ok(held < 5, `${held} of 20`);
});

test('a trait that is spelled otherwise than it was is the same: what is said last counts', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  const traits = () => page.evaluate(() => /** @type {any} */ (window).analytics.user().traits());
  for (const [known, said, fields] of /** @type {[object, object, object][]} */ ([
    [{ Email: 'ann@example.com' }, { email: 'bob@example.com', plan: 'pro' }, { Email: 'bob@example.com', Plan: 'pro' }],
    [{ Email: 'ann@example.com', Plan: 'free' }, { plan: 'pro' }, { Email: 'ann@example.com', Plan: 'pro' }],
    [{ email: 'ann@example.com', 'first name': 'A' }, { firstName: 'B' }, { Email: 'ann@example.com', FirstName: 'B' }],
  ])) {
    const [, , last] = await call(page, [['reset'], ['identify', known], ['identify', said]]);
    assert.deepEqual(last.call[1], fields);
    assert.deepEqual(last.warnings, []);
    assert.equal(Object.keys(await traits()).length, Object.keys(fields).length);
  }
});

test('a lead is sent again after a day; the server is handed each that is sent, and no cookie of its own', async (t) => {
  /** @type {import('playwright-core').Request[]} */
  const asked = [];
  const { page } = await world.open(t, {
    head: world.tag(),
    prepare: async (page) => {
      await page.clock.install();
      await page.context().addCookies([{ name: 'session', value: '1', url: world.serverUrl }]);
      page.on('request', (request) => request.url().endsWith('/v1/lead') && asked.push(request));
    },
  });
  const lead = /** @type {[string, ...any[]]} */ (['identify', 'u1', { email: 'u1@example.com' }]);
  assert.equal((await call(page, [lead]))[0].sent, true);
  assert.equal((await call(page, [['identify', 'u1', { plan: 'pro' }]]))[0].sent, true);
  await page.clock.fastForward('23:59:00');
  assert.equal((await call(page, [lead]))[0].skipped, 'unchanged');
  await page.clock.fastForward('00:02:00');
  assert.equal((await call(page, [lead]))[0].sent, true);
  const plans = asked.map((request) => JSON.parse(String(request.postData())).traits.plan);
  assert.deepEqual(plans, [undefined, 'pro', 'pro']);
  assert.equal(await asked[0].headerValue('cookie'), null);
});

test('of what is too large nothing is remembered, but who it was of: what is said next is not of the one before', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  const big = 'x'.repeat(70_000);
  const user = () => page.evaluate(() => [/** @type {any} */ (window).analytics.user().id(), /** @type {any} */ (window).analytics.user().traits()]);
  await call(page, [['identify', 'A', { email: 'a@example.com', phone: '111' }]]);
  const [same] = await call(page, [['identify', 'A', { big }]]);
  assert.equal(same.error, 'too_large');
  assert.deepEqual(await user(), ['A', { email: 'a@example.com', phone: '111' }]);
  const [other, next] = await call(page, [['identify', 'B', { email: 'b@example.com', big }], ['identify', { plan: 'of B' }]]);
  assert.equal(other.error, 'too_large');
  assert.equal(next.error, 'email_missing');
  assert.deepEqual(await user(), ['B', { plan: 'of B' }]);
});

test('nor is of a lead that the server would find too large, with what goes along', async (t) => {
  const { page } = await world.open(t, { head: world.tag() });
  const [big, next] = await call(page, [
    ['identify', '1', { email: 'a@example.com', note: 'x'.repeat(65_536 - 70) }],
    ['identify', '1', { email: 'a@example.com', plan: 'pro' }],
  ]);
  assert.deepEqual([big.error, next.error], ['too_large', undefined]);
});
