import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, beforeEach, test } from 'node:test';
import { startSimulator } from '../sim/simulator.mjs';
import { launchChromium } from './chromium.mjs';

/** @typedef {import('../sim/munchkin/tracker.mjs').MunchkinWindow} MunchkinWindow */
/** @typedef {import('../sim/munchkin/tracker.mjs').MunchkinCall} MunchkinCall */

const MUNCHKIN_ID = '561-HYG-937';
const PRIVATE_KEY = 'a pretended key';
const TOKEN = '_mch-example.com-1374552656411-90718';

/** @type {import('../sim/simulator.mjs').Simulator} */
let simulator;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('node:http').Server} */
let site;
/** @type {string} */
let siteUrl;

before(async () => {
  simulator = await startSimulator({ privateKey: PRIVATE_KEY });
  // The pages live on another origin than Munchkin, as they do in life.
  site = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    response.end(`<!doctype html><title>Test page</title><link rel="icon" href="data:,">
      <script src="${simulator.url}/munchkin.js"></script>
      <a href="/target%20page?x=1"><span><b id="nested">link</b></span></a>`);
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  siteUrl = `http://127.0.0.1:${port()}`;
  browser = await launchChromium({
    // Pages of several real-looking domains, all served by the site above.
    args: ['--host-resolver-rules=MAP *.example.com 127.0.0.1, MAP *.example.co.jp 127.0.0.1', '--no-proxy-server'],
  });
});

after(async () => {
  await browser?.close();
  site?.close();
  site?.closeAllConnections();
  await simulator?.close();
});

beforeEach(() => simulator.reset());

function port() {
  return /** @type {import('node:net').AddressInfo} */ (site.address()).port;
}

/**
 * A page of a new visitor. What it sends is noted as it leaves, so that "nothing was sent" needs no waiting.
 *
 * @param {import('node:test').TestContext} t
 * @param {{address?: string, cookies?: Record<string, string>}} [visit]
 */
async function open(t, { address = `${siteUrl}/`, cookies = {} } = {}) {
  const context = await browser.newContext();
  t.after(() => context.close());
  await context.addCookies(Object.entries(cookies).map(([name, value]) => ({ name, value, url: siteUrl })));
  const page = await context.newPage();
  /** @type {string[]} */
  const messages = [];
  page.on('console', (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => messages.push(`uncaught: ${error.message}`));
  await page.addInitScript(() => {
    const noted = /** @type {{sent: string[], fetch: typeof fetch}} */ (/** @type {unknown} */ (window));
    noted.sent = [];
    const { fetch } = window;
    noted.fetch = (resource, options) => {
      // Which requests outlive the page would show only now and then, when it is left at the wrong moment.
      const isClick = String(resource).includes('/webevents/clickLink');
      if (!!options?.keepalive !== isClick) throw new Error('The request of a clicked link, and no other, is sent with keepalive.');
      noted.sent.push(String(resource));
      return fetch(resource, options);
    };
    const sendBeacon = navigator.sendBeacon.bind(navigator);
    navigator.sendBeacon = (url, body) => {
      noted.sent.push(`beacon:${url}`);
      return sendBeacon(url, body);
    };
  });
  await page.goto(address);

  return {
    page,
    messages,
    /**
     * Calls Munchkin; the calls all happen in the same turn of the page.
     *
     * @param {...[MunchkinCall, ...unknown[]]} calls
     */
    call: (...calls) =>
      page.evaluate((wanted) => {
        const { Munchkin } = /** @type {MunchkinWindow} */ (/** @type {unknown} */ (window));
        for (const [name, ...callArguments] of wanted) Munchkin?.[name](...callArguments);
      }, calls),
    trackerLoaded: () => page.waitForFunction(() => 'MunchkinTracker' in window),
    /** @returns {Promise<string[]>} */
    sent: () => page.evaluate('sent'),
    /** @param {string} name */
    async cookie(name) {
      return (await context.cookies()).find((cookie) => cookie.name === name);
    },
  };
}

/** @param {string[]} urls */
function typesOf(urls) {
  return urls.map((url) => new URL(url).pathname.replace('/webevents/', ''));
}

test('init records a visit of the page', async (t) => {
  const { page, call, messages } = await open(t, { address: `${siteUrl}/a%20b?x=1&y=%26#top` });
  await call(['init', MUNCHKIN_ID]);
  const visit = await simulator.waitFor((event) => event.type === 'visitWebPage');
  assert.equal(visit.munchkinId, MUNCHKIN_ID);
  assert.equal(visit.method, 'POST');
  assert.equal(visit.host, '127.0.0.1');
  assert.equal(visit.path, '/a b');
  assert.equal(visit.params, 'x=1&y=&');
  assert.equal(visit.referrer, '');
  assert.match(visit.token, /^_mch-127\.0\.0\.1-[0-9a-f]{32}$/);
  const { _mchNc, _mchTk, ...query } = visit.query;
  assert.ok(Math.abs(Number(_mchNc) - Date.now()) < 60_000);
  assert.equal(_mchTk, visit.token);
  assert.deepEqual(query, {
    _mchCn: '',
    _mchId: MUNCHKIN_ID,
    _mchHo: '127.0.0.1',
    _mchPo: String(port()),
    _mchRu: '/a b',
    _mchPc: 'http:',
    _mchVr: '163',
    _mchHa: '#top',
    _mchRe: '',
    _mchQp: 'x=1__-__y=&',
  });
  assert.match(visit.userAgent, /Chrom/);
  assert.equal(await page.evaluate('MunchkinTracker.version'), '163');
  assert.deepEqual(messages, []);
});

test('a visit after a link names the page before as the referrer', async (t) => {
  const { page, call } = await open(t, { address: `${siteUrl}/first%20page` });
  await page.click('#nested');
  await page.waitForURL('**/target*');
  await call(['init', MUNCHKIN_ID]);
  const visit = await simulator.waitFor((event) => event.path === '/target page');
  assert.equal(visit.referrer, `${siteUrl}/first page`);
});

test('calls made before the tracker is there are kept in order', async (t) => {
  const { page, call, sent, trackerLoaded } = await open(t);
  /** @type {() => void} */
  let letTrackerPass = () => {};
  const passage = new Promise((resolve) => (letTrackerPass = () => resolve(undefined)));
  await page.route('**/163/munchkin.js', (route) => passage.then(() => route.continue()));
  await call(
    ['init', MUNCHKIN_ID],
    ['munchkinFunction', 'visitWebPage', { url: '/one' }],
    ['munchkinFunction', 'clickLink', { href: '/two' }],
    ['munchkinFunction', 'visitWebPage', { url: '/three' }],
  );
  assert.deepEqual(await sent(), []);
  // Calls through an old name, and through a stub that the page has kept, arrive after the tracker's arrival too.
  await page.evaluate('window.kept = Munchkin.munchkinFunction');
  letTrackerPass();
  await trackerLoaded();
  await page.evaluate('kept("visitWebPage", {url: "/four"}); mktoMunchkinFunction("visitWebPage", {url: "/five"})');
  const urls = (await sent()).map((url) => new URL(url).searchParams);
  const subjects = urls.map((query) => query.get('_mchHr') ?? query.get('_mchRu'));
  assert.deepEqual(subjects, ['/', '/one', '/two', '/three', '/four', '/five']);
  await Promise.all(subjects.map((subject) => simulator.waitFor((event) => [event.path, event.link].includes(subject ?? ''))));
});

test('the loader leaves a Munchkin alone that is there already, and loads one tracker', async (t) => {
  const { page, call, trackerLoaded } = await open(t);
  /** @type {string[]} */
  const requested = [];
  page.on('request', (request) => requested.push(new URL(request.url()).pathname));
  await page.evaluate('window.first = Munchkin');
  await page.addScriptTag({ url: `${simulator.url}/munchkin.js` });
  assert.equal(await page.evaluate('first === Munchkin'), true);
  await call(['init', MUNCHKIN_ID, { apiOnly: true }], ['init', MUNCHKIN_ID]);
  await trackerLoaded();
  await page.addScriptTag({ url: `${simulator.url}/163/munchkin.js` });
  assert.equal(await page.evaluate('first === Munchkin'), true);
  await call(['munchkinFunction', 'visitWebPage', { url: '/last' }]);
  await simulator.waitFor((event) => event.path === '/last');
  assert.deepEqual(requested.filter((path) => path.endsWith('/munchkin.js')), [
    '/munchkin.js',
    '/163/munchkin.js',
    '/163/munchkin.js',
  ]);
  assert.equal(simulator.events.length, 1);
});

test('apiOnly records no visit, and init has no effect the second time', async (t) => {
  const { call, sent, trackerLoaded, cookie } = await open(t);
  await call(['init', MUNCHKIN_ID, { apiOnly: true }]);
  await trackerLoaded();
  await call(['init', MUNCHKIN_ID]);
  assert.deepEqual(await sent(), []);
  assert.ok(await cookie('_mkto_trk'));
});

test('what is not a Munchkin ID, or not a function, is ignored with a warning', async (t) => {
  const { call, sent, trackerLoaded, messages } = await open(t);
  await call(['init', '561-hyg-93']);
  await trackerLoaded();
  await call(['munchkinFunction', 'visitWebPage', { url: '/early' }]);
  await call(['init', MUNCHKIN_ID, { apiOnly: true }], ['munchkinFunction', 'visitsWebPage', { url: '/a' }]);
  assert.deepEqual(await sent(), []);
  assert.deepEqual(messages, [
    'warning: Munchkin: init ignored; "561-hyg-93" is not a Munchkin ID, which looks like 561-HYG-937.',
    'warning: Munchkin: visitWebPage ignored; call Munchkin.init first.',
    'warning: Munchkin: there is no function called "visitsWebPage".',
  ]);
});

test('the cookie has the documented form and life, and stays for the next visit', async (t) => {
  const { page, call, cookie } = await open(t);
  await call(['init', MUNCHKIN_ID, { cookieLifeDays: 10 }]);
  const first = await simulator.waitFor((event) => event.type === 'visitWebPage');
  const written = await cookie('_mkto_trk');
  assert.match(written?.value ?? '', /^id:561-HYG-937&token:_mch-127\.0\.0\.1-[0-9a-f]{32}$/);
  assert.equal(written?.value, `id:${MUNCHKIN_ID}&token:${first.token}`);
  assert.deepEqual([written?.domain, written?.path, written?.secure], ['127.0.0.1', '/', false]);
  assert.ok(Math.abs(Number(written?.expires) - Date.now() / 1000 - 10 * 86_400) < 60);

  await page.goto(`${siteUrl}/next`);
  await call(['init', MUNCHKIN_ID]);
  const second = await simulator.waitFor((event) => event.path === '/next');
  assert.equal(second.token, first.token);
});

test('an existing cookie is kept in either form, but not one for another Munchkin ID', async (t) => {
  /** @type {[value: string, kept: boolean][]} */
  const cookies = [
    [`id:${MUNCHKIN_ID}&token:${TOKEN}`, true],
    [encodeURIComponent(`id:${MUNCHKIN_ID}&token:${TOKEN}`), true],
    [`id:111-AAA-111&token:${TOKEN}`, false],
    [`id:${MUNCHKIN_ID}&token:nonsense`, false],
  ];
  for (const [value, kept] of cookies) {
    simulator.reset();
    const { call, cookie } = await open(t, { cookies: { _mkto_trk: value } });
    await call(['init', MUNCHKIN_ID]);
    const visit = await simulator.waitFor((event) => event.type === 'visitWebPage');
    assert.equal(visit.token === TOKEN, kept, value);
    assert.equal((await cookie('_mkto_trk'))?.value === value, kept, value);
  }
});

test('the cookie is set for the domain level that fits the host', async (t) => {
  /** @type {[host: string, config: object, domain: string][]} */
  const levels = [
    ['www.shop.example.com', {}, '.example.com'],
    ['www.shop.example.com', { domainLevel: 3 }, '.shop.example.com'],
    ['www.example.co.jp', {}, '.example.co.jp'],
    ['www.shop.example.co.jp', { domainSelectorV2: true }, '.example.co.jp'],
  ];
  for (const [host, config, domain] of levels) {
    simulator.reset();
    const { call, cookie, page } = await open(t, { address: `http://${host}:${port()}/` });
    await call(['init', MUNCHKIN_ID, config]);
    const visit = await simulator.waitFor((event) => event.host === host);
    assert.ok(visit.token.startsWith(`_mch-${domain.slice(1)}-`), visit.token);
    assert.equal((await cookie('_mkto_trk'))?.domain, domain);
    assert.equal((await page.context().cookies()).length, 1);
  }
});

test('cookieAnon false leaves unknown visitors alone until the page asks for a cookie', async (t) => {
  const { call, sent, trackerLoaded, cookie } = await open(t);
  await call(['init', MUNCHKIN_ID, { cookieAnon: false }]);
  await trackerLoaded();
  await call(['munchkinFunction', 'visitWebPage', { url: '/a' }], ['createTrackingCookie']);
  assert.deepEqual(await sent(), []);
  assert.equal(await cookie('_mkto_trk'), undefined);

  await call(['createTrackingCookie', true], ['munchkinFunction', 'visitWebPage', { url: '/b' }]);
  assert.ok(await cookie('_mkto_trk'));
  assert.equal((await simulator.waitFor((event) => event.path === '/b')).number, simulator.events[0].number);
});

test('cookieAnon false is over once the visitor is a lead', async (t) => {
  const { call, sent, cookie } = await open(t);
  await call(
    ['init', MUNCHKIN_ID, { cookieAnon: false }],
    ['munchkinFunction', 'associateLead', { Email: 'ada@example.com' }, 'hash'],
    ['munchkinFunction', 'visitWebPage', { url: '/a' }],
  );
  await simulator.waitFor((event) => event.type === 'visitWebPage');
  assert.deepEqual(typesOf(await sent()), ['associateLead', 'visitWebPage']);
  assert.ok(await cookie('_mkto_trk'));
});

test('visitWebPage decodes what it is given, once, and falls back to the text itself', async (t) => {
  const { call } = await open(t, { address: `${siteUrl}/here?q=1` });
  /** @type {[url: string, params: string, path: string, received: string, wire: string][]} */
  const visits = [
    ['/a%25', 'off=50%25&b=2', '/a%', 'off=50%&b=2', 'off=50%__-__b=2'],
    ['/b%', 'off=50%&b=%20', '/b%', 'off=50%&b=%20', 'off=50%__-__b=%20'],
    ['/c%2525', 'a=%26&b=%C3%A4', '/c%25', 'a=&&b=ä', 'a=&__-__b=ä'],
    ['/d+e', 'a=1+1', '/d+e', 'a=1+1', 'a=1+1'],
    ['/f\ud83d', '', '/f\ufffd', '', ''],
  ];
  await call(
    ['init', MUNCHKIN_ID, { apiOnly: true }],
    ...visits.map(([url, params]) => /** @type {[MunchkinCall, ...unknown[]]} */ ([
      'munchkinFunction',
      'visitWebPage',
      { url, params, name: 'Named' },
    ])),
  );
  for (const [, , path, received, wire] of visits) {
    const visit = await simulator.waitFor((event) => event.path === path);
    assert.deepEqual([visit.params, visit.query._mchQp, visit.name], [received, wire, 'Named']);
    assert.equal(visit.referrer, `${siteUrl}/here?q=1`);
  }
});

test('a click on anything inside a link is sent, also while the page is being left', async (t) => {
  const { page, call, trackerLoaded } = await open(t);
  await call(['init', MUNCHKIN_ID, { apiOnly: true }]);
  await trackerLoaded();
  await page.click('#nested');
  const click = await simulator.waitFor((event) => event.type === 'clickLink');
  assert.equal(click.link, `${siteUrl}/target page?x=1`);
  assert.equal(click.query._mchHr, click.link);
  assert.equal(click.path, '/');
});

test('clicks inside shadow trees are sent, clicks beside links are not', async (t) => {
  const { page, call, trackerLoaded, sent } = await open(t);
  await call(['init', MUNCHKIN_ID, { apiOnly: true }]);
  await trackerLoaded();
  await page.evaluate(() => {
    const host = document.createElement('div');
    document.body.append(host);
    host.attachShadow({ mode: 'open' }).innerHTML = '<a href="#inside"><i id="shadowed">link</i></a>';
    document.body.insertAdjacentHTML('beforeend', '<p id="beside">text</p><a id="bare">no address</a>');
    document.body.addEventListener('click', (event) => event.stopImmediatePropagation());
  });
  await page.click('#beside');
  await page.click('#bare');
  await page.click('#shadowed');
  const links = (await sent()).map((url) => new URL(url).searchParams.get('_mchHr'));
  assert.deepEqual(links, [`${siteUrl}/#inside`]);
});

test('clickLink sends the link it is given, decoded', async (t) => {
  const { call } = await open(t);
  await call(['init', MUNCHKIN_ID, { apiOnly: true }], ['munchkinFunction', 'clickLink', { href: '/offer%25' }]);
  assert.equal((await simulator.waitFor((event) => event.type === 'clickLink')).link, '/offer%');
});

test('associateLead makes a lead of the visitor when its signature is right', async (t) => {
  const { call, cookie } = await open(t);
  const email = 'ada+test@example.com';
  const hash = createHash('sha1').update(PRIVATE_KEY + email).digest('hex');
  const lead = { Email: email, FirstName: 'Ada & Co', Score: 100, Phone: null };
  await call(['init', MUNCHKIN_ID, { apiOnly: true }], ['munchkinFunction', 'associateLead', lead, hash]);
  const event = await simulator.waitFor(({ type }) => type === 'associateLead');
  assert.equal(event.signature, 'valid');
  assert.equal(event.query._mchKy, hash);
  assert.deepEqual(event.leadFields, { Email: email, FirstName: 'Ada & Co', Score: '100', Phone: '' });
  const { value = '' } = (await cookie('_mkto_trk')) ?? {};
  assert.deepEqual(simulator.leads.get(email)?.tokens, [value.split('token:')[1]]);
});

test('associateLead makes no lead when its signature is wrong', async (t) => {
  const { call } = await open(t);
  await call(
    ['init', MUNCHKIN_ID, { apiOnly: true }],
    ['munchkinFunction', 'associateLead', { Email: 'ada@example.com' }, '0'.repeat(40)],
  );
  assert.equal((await simulator.waitFor(({ type }) => type === 'associateLead')).signature, 'invalid');
  assert.equal(simulator.leads.size, 0);
});

test('associateLead sends nothing and says so where it is withdrawn', async (t) => {
  const current = await startSimulator({ associateLead: 'withdrawn' });
  t.after(() => current.close());
  const { page, call, sent, trackerLoaded, messages } = await open(t);
  await page.evaluate('delete window.Munchkin');
  await page.addScriptTag({ url: `${current.url}/munchkin.js` });
  await call(
    ['init', MUNCHKIN_ID],
    ['munchkinFunction', 'associateLead', { Email: 'ada@example.com' }, 'hash'],
  );
  await trackerLoaded();
  assert.deepEqual(typesOf(await sent()), ['visitWebPage']);
  assert.deepEqual(messages, ['log: Munchkin: associateLead is no longer available; nothing was sent.']);
});

test('a visitor who opts out is forgotten and stays out', async (t) => {
  const { page, call, sent, trackerLoaded, cookie } = await open(t, {
    address: `${siteUrl}/?marketo_opt_out=true`,
    cookies: { _mkto_trk: `id:${MUNCHKIN_ID}&token:${TOKEN}` },
  });
  /** @type {[MunchkinCall, ...unknown[]][]} */
  const calls = [
    ['init', MUNCHKIN_ID],
    ['createTrackingCookie', true],
    ['munchkinFunction', 'visitWebPage', { url: '/a' }],
    ['munchkinFunction', 'associateLead', { Email: 'ada@example.com' }, 'hash'],
  ];
  for (const address of [null, `${siteUrl}/later`]) {
    if (address) await page.goto(address);
    await call(...calls);
    await trackerLoaded();
    assert.deepEqual(await sent(), []);
    assert.equal((await cookie('mkto_opt_out'))?.value, 'true');
    assert.equal(await cookie('_mkto_trk'), undefined);
  }
});

test('settings that show on the wire are honoured', async (t) => {
  const { call, sent } = await open(t);
  await call(
    ['init', MUNCHKIN_ID, {
      altIds: ['111-AAA-111'],
      anonymizeIP: true,
      customName: 'Home',
      useBeaconAPI: true,
      wsInfo: 'j1RR',
      clickTime: 1,
      asyncOnly: true,
    }],
  );
  const visit = await simulator.waitFor((event) => event.munchkinId === MUNCHKIN_ID);
  const copy = await simulator.waitFor((event) => event.munchkinId === '111-AAA-111');
  assert.deepEqual([visit.name, visit.query._mchWs, visit.query.aip], ['Home', 'j1RR', '1']);
  assert.deepEqual({ ...copy.query, _mchNc: '' }, { ...visit.query, _mchId: '111-AAA-111', _mchNc: '' });
  assert.deepEqual((await sent()).map((url) => url.startsWith('beacon:')), [true, true]);
});

test('notifyPrefix names another collector', async (t) => {
  const collector = await startSimulator();
  t.after(() => collector.close());
  const { call } = await open(t);
  await call(['init', MUNCHKIN_ID, { notifyPrefix: `${collector.url}/` }]);
  await collector.waitFor((event) => event.type === 'visitWebPage');
  assert.deepEqual(simulator.events, []);
});

test('a collector out of reach is no error of the page', async (t) => {
  const gone = await startSimulator();
  await gone.close();
  const { page, call, messages } = await open(t);
  const failed = page.waitForEvent('requestfailed');
  await call(['init', MUNCHKIN_ID, { notifyPrefix: gone.url }]);
  await failed;
  await page.evaluate('0');
  assert.deepEqual(messages.filter((message) => message.startsWith('uncaught')), []);
});

test('the page of the simulator shows events as they come, as text', async (t) => {
  const page = await browser.newPage();
  t.after(() => page.close());
  await fetch(`${simulator.url}/webevents/visitWebPage?_mchHo=h&_mchRu=/<b>one</b>`);
  await page.goto(simulator.url);
  await page.getByText('h/<b>one</b>', { exact: true }).waitFor();
  await fetch(`${simulator.url}/webevents/associateLead?_mchAtEmail=ada@example.com`);
  await page.getByText('ada@example.com signature invalid', { exact: true }).waitFor();
  assert.deepEqual(await page.locator('#events td:nth-child(3)').allTextContents(), ['associateLead', 'visitWebPage']);
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByText('No events yet.').waitFor();
  assert.deepEqual(simulator.events, []);
});
