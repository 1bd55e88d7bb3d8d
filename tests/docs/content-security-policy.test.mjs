/** web/docs/content-security-policy.md: under each policy the calls arrive, and the browser reports no violation. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { bundle } from '../adapters/libraries.mjs';
import { documentation } from './document.mjs';
import { exampleSite, playedBy } from './example_site.mjs';

const world = exampleSite();
const guide = documentation('content-security-policy.md');

const policies = {
  tag: guide.block('The script tag', 'http'),
  nonce: guide.block('The snippet, with a nonce', 'http'),
  dynamic: guide.block('The snippet, with a nonce', 'http', 1),
  withoutWasm: guide.block('Without WebAssembly', 'http'),
  form: guide.block('The hidden form', 'http'),
  trusted: guide.block('Trusted Types', 'http'),
};
const tag = guide.block('The script tag', 'html');
const makeSnippet = guide.block('The snippet, with a nonce', 'js');
const packaged = guide.block('Without WebAssembly', 'js');
const formTag = guide.block('The hidden form', 'html');
const defaultPolicy = guide.block('Trusted Types', 'html');
const wideDefaultPolicy = guide.block('Trusted Types', 'html', 1);
const integrityTag = guide.block('Subresource Integrity', 'html');

/** What the page's server makes of the guide's code, with other options. @param {string} [more] members */
async function snippet(more = '') {
  const source = makeSnippet
    .replace('munchkin-shim/snippet', import.meta.resolve('munchkin-shim/snippet'))
    .replace("nonce: 'r4nd0m'", `nonce: 'r4nd0m'${more}`);
  return (await import(`data:text/javascript,${encodeURIComponent(source)}`)).html;
}

/**
 * Opens a page under a policy, with nothing allowed that it does not name.
 * @param {import('node:test').TestContext} t
 * @param {string} policy a block of the guide
 * @param {Parameters<typeof world.visit>[1]} visit
 */
async function open(t, policy, visit) {
  const [, value] = /** @type {RegExpExecArray} */ (/^Content-Security-Policy: (.*)\n$/.exec(policy));
  const none = value.includes('script-src') ? "default-src 'none'; " : '';
  /** @type {string[]} */
  const violations = [];
  const context = await world.browser.newContext();
  t.after(() => context.close());
  await context.exposeBinding('violation', (_, text) => void violations.push(text));
  await context.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
      // The page's own icon.
      if (blockedURI !== 'data') /** @type {any} */ (window).violation(`${effectiveDirective} ${blockedURI}`);
    }),
  );
  const opened = await world.visit(t, { ...visit, context, headers: { 'Content-Security-Policy': none + value } });
  return { ...opened, violations };
}

/** The calls, and that they have arrived. @param {import('playwright-core').Page} page */
async function assertTracked(page) {
  const results = await page.evaluate(() => {
    const { analytics } = /** @type {any} */ (window);
    return Promise.all([
      analytics.track('Signed up', { plan: 'pro' }),
      analytics.identify('1234', { email: 'ada@example.com' }),
      analytics.trackLink(document.links, 'Clicked'),
    ]);
  });
  assert.deepEqual(results.slice(0, 2).map(({ sent, error }) => [sent, error]), [[true, undefined], [true, undefined]]);
  assert.equal(results[2], undefined, 'the extras are there');
  await world.arrival('/event/Signed-up');
  await world.simulator.waitFor(({ leadFields }) => leadFields.Email === 'ada@example.com');
}

test('the script tag', async (t) => {
  const { page, violations } = await open(t, policies.tag, { head: tag });
  await assertTracked(page);
  assert.deepEqual(violations, []);
});

for (const [name, policy] of /** @type {const} */ ([['by host', policies.nonce], ['by strict-dynamic', policies.dynamic]])) {
  test(`the snippet with a nonce, Munchkin ${name}`, async (t) => {
    const { page, violations } = await open(t, policy, { head: await snippet() });
    await assertTracked(page);
    assert.deepEqual(violations, []);
  });

  test(`the snippet that waits, with a nonce, Munchkin ${name}`, async (t) => {
    const { page, violations } = await open(t, policy, { head: await snippet(", consent: 'pending'") });
    await page.evaluate('void analytics.consent(true)');
    await assertTracked(page);
    assert.deepEqual(violations, []);
  });
}

test('without WebAssembly: one violation, and all arrives', async (t) => {
  const { page, violations, requests } = await open(t, policies.withoutWasm, { head: tag });
  await assertTracked(page);
  assert.deepEqual(violations, ['script-src wasm-eval']);
  assert.ok(requests.includes('https://events.example.com/munchkin-shim.asm.js'));
});

test('without WebAssembly, the package: fallbackUrl', async (t) => {
  for (const [source, error] of /** @type {const} */ ([[packaged, undefined], [packaged.replace(/ *fallbackUrl.*\n/, ''), 'core_blocked']])) {
    const script = await bundle(`${source}; window.analytics = analytics;`, new URL('.', import.meta.url));
    const { page, violations } = await open(t, policies.withoutWasm, {
      head: '<script src="https://events.example.com/page.js"></script>',
      hosts: {
        'https://events.example.com': (route, url) =>
          url.pathname === '/page.js'
            ? route.fulfill({ body: script, contentType: 'text/javascript' })
            : playedBy(world.serverUrl)(route, url),
      },
    });
    const result = await page.evaluate("analytics.track('Again')");
    assert.equal(/** @type {any} */ (result).error, error);
    assert.deepEqual(violations, ['script-src wasm-eval']);
  }
  await world.arrival('/event/Signed-up');
});

test('the hidden form', async (t) => {
  const { page, violations } = await open(t, policies.form, { head: formTag });
  await assertTracked(page);
  assert.deepEqual(world.simulator.events.filter(({ type }) => type === 'formSubmit').length, 1);
  assert.deepEqual(violations, []);
});

test('Trusted Types: the script tag, the snippet, and the one that waits', async (t) => {
  for (const head of [defaultPolicy + tag, defaultPolicy + (await snippet())]) {
    const { page, violations } = await open(t, policies.trusted, { head });
    await assertTracked(page);
    assert.deepEqual(violations, []);
    world.simulator.reset();
  }
  const { page, violations } = await open(t, policies.trusted, { head: wideDefaultPolicy + (await snippet(", consent: 'pending'")) });
  await page.evaluate('void analytics.consent(true)');
  await assertTracked(page);
  assert.deepEqual(violations, []);
});

test('Subresource Integrity', async (t) => {
  const { release } = await (await fetch(`${world.serverUrl}/healthz`)).json();
  const { 'munchkin-shim.js': integrity } = JSON.parse(readFileSync(new URL('../../dist/integrity.json', import.meta.url), 'utf8'));
  const { page } = await world.visit(t, { head: integrityTag.replace('RELEASE', release).replace('INTEGRITY', integrity) });
  await assertTracked(page);
  const other = await world.visit(t, {
    head: integrityTag.replace('RELEASE', release).replace('INTEGRITY', integrity.replace(/.{8}$/, 'AAAAAAAA')),
    path: '/other',
  });
  assert.equal(await other.page.evaluate('typeof window.analytics'), 'undefined');
});

guide.testCoverage();
