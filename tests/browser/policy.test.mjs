/** Pages with a strict Content-Security-Policy: what it takes, and what happens where something is refused. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, customer } from './customer.mjs';

const world = customer();

/**
 * Opens a page under a policy, and keeps what the browser reports as violations.
 * @param {import('node:test').TestContext} t
 * @param {string} policy
 * @param {import('./customer.mjs').Visit} visit
 */
async function open(t, policy, visit) {
  const opened = await world.open(t, {
    ...visit,
    headers: { 'Content-Security-Policy': policy },
    async prepare(page) {
      await page.addInitScript(() => {
        /** @type {any} */ (window).violations = [];
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) =>
          /** @type {any} */ (window).violations.push(`${effectiveDirective} ${blockedURI} ${sample}`.trim()),
        );
      });
      await visit.prepare?.(page);
    },
  });
  const violations = () => opened.page.evaluate(() => /** @type {any} */ (window).violations);
  return { ...opened, violations };
}

/** The three calls, and that they have arrived. @param {import('playwright-core').Page} page */
async function assertTracked(page) {
  const [, track, lead] = await call(page, [['page'], ['track', 'Under a policy'], ['identify', '1', { email: 'a@b.co' }]]);
  assert.deepEqual([track.sent, lead.sent], [true, true]);
  await world.arrival('/event/Under-a-policy');
  await world.simulator.waitFor(({ type }) => type === 'associateLead');
}

const connect = () => `connect-src ${world.serverUrl} ${world.simulator.url}`;

test("script-src 'self' 'wasm-unsafe-eval' and Marketo's: no violation, no fallback", async (t) => {
  /** @type {string[]} */
  const scripts = [];
  const { page, violations, errors } = await open(
    t,
    `default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval' ${world.simulator.url}; ${connect()}`,
    {
      head: world.tag(),
      prepare: async (page) => void page.on('request', (request) => scripts.push(new URL(request.url()).pathname)),
    },
  );
  await assertTracked(page);
  assert.deepEqual(await violations(), []);
  assert.equal(scripts.some((path) => path.endsWith('.asm.js')), false);
  assert.deepEqual(errors, []);
});

test('where WebAssembly is refused, the fallback comes from the same origin, and one violation is reported', async (t) => {
  const { page, violations, errors } = await open(
    t,
    `default-src 'none'; img-src data:; script-src 'self' ${world.simulator.url}; ${connect()}`,
    { head: world.tag() },
  );
  await assertTracked(page);
  await page.evaluate(() => /** @type {any} */ (window).analytics.trackLink(null, 'x'));
  assert.deepEqual(await violations(), ['script-src wasm-eval']);
  assert.deepEqual(errors, []);
});

for (const [kind, head] of /** @type {[string, () => string][]} */ ([
  ['script tag', () => world.tag({ nonce: 'n0nce', 'data-auto-page': '' })],
  ['snippet', () => world.snippet({ nonce: 'n0nce', autoPage: true })],
  ['snippet that waits', () => `${world.snippet({ nonce: 'n0nce', consent: 'pending' })}<script nonce="n0nce">analytics.consent(true);</script>`],
])) {
  test(`${kind}: the nonce lets in every script that is added: the shim, its extras, its fallback`, async (t) => {
    // By URL only what Marketo's own script loads.
    const policy = `script-src 'nonce-n0nce' ${world.simulator.url}/ 'report-sample'; object-src 'none'; base-uri 'none'`;
    const { page, violations, errors } = await open(t, policy, { head: head() });
    await assertTracked(page);
    assert.equal(await page.evaluate(() => /** @type {any} */ (window).analytics.trackLink(null, 'x')), undefined);
    assert.deepEqual(await violations(), ['script-src wasm-eval']);
    assert.deepEqual(errors, []);
  });
}

/** Marketo's scripts know nothing of Trusted Types: the page's default policy has to let theirs pass, and no others. */
const defaultPolicy = () => `<script>
  trustedTypes.createPolicy('default', {
    createScriptURL: (url) => (url.startsWith('${world.simulator.url}/') ? url : null),
  });
</script>`;

test('Trusted Types: the shim adds its scripts by a policy of its own, called munchkin-shim', async (t) => {
  const { page, violations, errors } = await open(
    t,
    "require-trusted-types-for 'script'; trusted-types munchkin-shim default",
    // Without WebAssembly the fallback is a script that is added, too.
    { head: defaultPolicy() + world.tag(), prepare: (page) => page.addInitScript('delete window.WebAssembly') },
  );
  await assertTracked(page);
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).analytics.trackLink(null, 'x')), undefined);
  assert.deepEqual(await violations(), []);
  assert.deepEqual(errors, []);
});

test('Trusted Types without its policy: the calls that need more scripts end with a code, nothing is thrown', async (t) => {
  const { page, errors } = await open(t, "require-trusted-types-for 'script'; trusted-types default", {
    head: defaultPolicy() + world.tag(),
  });
  await assertTracked(page);
  const result = await page.evaluate(() => /** @type {any} */ (window).analytics.trackLink(null, 'x'));
  assert.deepEqual([result.ok, result.error], [false, 'extras_blocked']);
  assert.deepEqual(errors, []);
});
