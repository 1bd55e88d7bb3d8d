/** web/docs/consent.md: the snippet that waits, and the recipes, each with a stand-in for its platform. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { documentation } from './document.mjs';
import { PLATFORMS } from './consent_platforms.mjs';
import { exampleSite, shell, SITE } from './example_site.mjs';

const world = exampleSite();
const guide = documentation('consent.md');

const call = guide.block('Consent', 'js');
const writeSnippet = guide.block('The snippet that waits', 'sh');
const makeSnippet = guide.block('The snippet that waits', 'js');
const banner = guide.block('A banner of your own', 'html');
const recipes = PLATFORMS.map(({ heading, index }) => guide.block(heading, 'js', index));

/** As the guide has it written. */
let snippet = '';

before(async () => {
  const written = await shell({ after }, writeSnippet);
  assert.equal(await written.ended, 0);
  snippet = written.output();
});

const EARLY = "<script>analytics.track('Early'); analytics.identify('1234', { email: 'ada@example.com' });</script>";

/** @typedef {Awaited<ReturnType<typeof world.visit>>} Opened */

/** What there is of the visitor in the browser. @param {Opened} opened */
async function stored({ page, context }) {
  const keys = /** @type {string[]} */ (await page.evaluate('Object.keys(localStorage)'));
  return [...keys, ...(await context.cookies()).map(({ name }) => name)].filter((key) => key !== 'cookie-answer').sort();
}

/** Nothing has been asked of anybody, stored or sent. @param {Opened} opened */
async function assertUntouched(opened) {
  assert.deepEqual(opened.requests.filter((url) => new URL(url).origin !== SITE), []);
  assert.deepEqual(await stored(opened), []);
  assert.deepEqual(world.simulator.events, []);
}

/** @param {Opened} opened @param {string} event @returns {Promise<any>} its result */
const track = ({ page }, event) => page.evaluate((name) => /** @type {any} */ (window).analytics.track(name), event);

/** The calls of the page have arrived. */
async function assertEarlyArrived() {
  await world.arrival('/event/Early');
  const lead = await world.simulator.waitFor(({ type }) => type === 'associateLead');
  assert.equal(lead.leadFields.Email, 'ada@example.com');
  assert.equal(lead.signature, 'valid');
}

/**
 * What every recipe must do.
 * @param {string} name
 * @param {(t: import('node:test').TestContext) => Promise<Opened>} open the page, as a new visitor
 * @param {(opened: Opened, yes: boolean) => Promise<unknown>} answer
 * @param {(t: import('node:test').TestContext, opened: Opened, yes: boolean) => Promise<Opened>} next opens a page as one who has answered
 */
function testRecipe(name, open, answer, next) {
  test(`${name}: nothing before the answer; yes; and no after that`, async (t) => {
    const opened = await open(t);
    await assertUntouched(opened);
    await answer(opened, true);
    await assertEarlyArrived();
    assert.equal((await stored(opened)).includes('_mkto_trk'), true);

    await answer(opened, false);
    assert.equal((await track(opened, 'After no')).skipped, 'no_consent');
    await opened.page.waitForFunction("!document.cookie.includes('_mkto_trk')");
    const left = await stored(opened);
    assert.deepEqual(left.filter((key) => key !== 'mkto_opt_out'), []);

    await answer(opened, true);
    assert.equal((await track(opened, 'Again yes')).sent, true);
    await world.arrival('/event/Again-yes');
    await world.visited(['/', '/event/Early', '/event/Again-yes']);
  });

  test(`${name}: no, and the calls are gone; a later page knows`, async (t) => {
    const opened = await open(t);
    await answer(opened, false);
    assert.equal((await track(opened, 'After no')).skipped, 'no_consent');
    await assertUntouched(opened);
    const later = await next(t, opened, false);
    assert.equal((await track(later, 'Later')).skipped, 'no_consent');
    await assertUntouched(later);
  });

  test(`${name}: a page of somebody who has said yes before`, async (t) => {
    const opened = await open(t);
    await next(t, opened, true);
    await assertEarlyArrived();
  });
}

for (const [index, platform] of PLATFORMS.entries()) {
  const name = platform.heading + (platform.index ? `, block ${platform.index + 1}` : '');
  const head = () => `${platform.stub ? `<script>${platform.stub}</script>` : ''}${snippet}${EARLY}<script>${recipes[index]}</script>`;
  /** @param {Opened} opened @param {string} code @param {boolean} [yes] */
  const run = ({ page }, code, yes) => page.evaluate(`(function (yes) { ${code} })(${yes})`);

  testRecipe(
    name,
    async (t) => {
      const opened = await world.visit(t, { head: head() });
      await run(opened, platform.load);
      return opened;
    },
    (opened, yes) => run(opened, platform.answer, yes),
    async (t, { context }, yes) => {
      const opened = await world.visit(t, { head: head(), context, path: '/later' });
      await run(opened, platform.load, yes);
      return opened;
    },
  );
}

const bannerPage = () => ({ head: snippet + EARLY, body: banner });

testRecipe(
  'A banner of your own',
  (t) => world.visit(t, bannerPage()),
  // It can be asked for again, as a site's privacy page would.
  async ({ page }, yes) => {
    await page.evaluate("document.querySelector('#cookie-banner').hidden = false");
    await page.click(yes ? 'text=Yes' : 'text=No');
    assert.equal(await page.isVisible('#cookie-banner'), false);
  },
  async (t, { page, context }, yes) => {
    await page.evaluate((value) => localStorage.setItem('cookie-answer', value), yes ? 'yes' : 'no');
    const opened = await world.visit(t, { ...bannerPage(), path: '/later', context });
    assert.equal(await opened.page.isVisible('#cookie-banner'), false);
    return opened;
  },
);

test('the snippet that a server makes is the one that the build has written', async () => {
  const { html } = await import(`data:text/javascript,${encodeURIComponent(makeSnippet.replace('munchkin-shim/snippet', import.meta.resolve('munchkin-shim/snippet')))}`);
  assert.equal(html, snippet);
});

test('the call alone', async (t) => {
  const opened = await world.visit(t, { head: `${snippet}${EARLY}` });
  await assertUntouched(opened);
  await opened.page.evaluate(call);
  await assertEarlyArrived();
});

test('with honourGpc, Global Privacy Control is a no', async (t) => {
  const gpc = "<script>Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });</script>";
  const honouring = snippet.replace('"consent":"pending"', '"consent":"pending","honourGpc":true');
  const opened = await world.visit(t, { head: `${gpc}${honouring}${EARLY}` });
  await opened.page.evaluate(call);
  assert.equal((await track(opened, 'x')).skipped, 'no_consent');
  await assertUntouched(opened);
});

guide.testCoverage();
