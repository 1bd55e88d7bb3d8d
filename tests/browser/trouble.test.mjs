/** Pages on which something is wrong from the start, and traits that try to do harm. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, customer } from './customer.mjs';

const world = customer();

for (const [kind, head] of /** @type {[string, () => string][]} */ ([
  ['script tag', () => world.tag()],
  ['snippet', () => world.snippet()],
])) {
  test(`${kind}: a page without a body: the calls arrive`, async (t) => {
    const { page, errors } = await world.open(t, {
      head: `${head()}<script>
        document.documentElement.removeChild(document.documentElement.appendChild(document.createElement('body')));
        analytics.page();
        analytics.identify('1', { email: 'early@example.com' });
      </script>`,
      path: '/headless',
      prepare: (page) => page.addInitScript("Object.defineProperty(Document.prototype, 'body', { get: () => null })"),
    });
    assert.equal((await call(page, [['track', 'no body']]))[0].sent, true);
    await world.simulator.waitFor(({ type }) => type === 'associateLead');
    await world.visited(['/headless', '/event/no-body']);
    assert.deepEqual(errors, []);
  });
}

test('traits called __proto__ and constructor pollute nothing, and the calls around them arrive', async (t) => {
  const { page, errors } = await world.open(t, { head: world.tag() });
  const seen = await page.evaluate(async () => {
    const { analytics } = /** @type {any} */ (window);
    const evil = '{"__proto__":{"polluted":1,"email":"evil@example.com"},"constructor":{"prototype":{"polluted":1}}';
    const results = await Promise.all([
      analytics.track('before', JSON.parse(`${evil}}`)),
      analytics.identify('1', JSON.parse(`${evil},"email":"a@b.co"}`)),
      analytics.identify('1', JSON.parse(evil + '}')),
      analytics.track('after'),
    ]);
    const traits = analytics.user().traits();
    return {
      errors: results.map(({ error }) => error),
      email: results[1].call[1].Email,
      polluted: [/** @type {any} */ ({}).polluted, traits.polluted, Object.getPrototypeOf(traits) === Object.prototype],
    };
  });
  assert.deepEqual(seen.errors, [undefined, undefined, undefined, undefined]);
  assert.equal(seen.email, 'a@b.co');
  assert.deepEqual(seen.polluted, [undefined, undefined, true]);
  const lead = await world.simulator.waitFor(({ type }) => type === 'associateLead');
  assert.deepEqual([lead.leadFields.Email, lead.signature], ['a@b.co', 'valid']);
  await world.arrival('/event/after');
  assert.deepEqual(errors, []);
});

test('a page whose arrays become texts in JSON, as those of old Prototype.js do: leads are sent, and what is stored does not grow', async (t) => {
  const { page, errors } = await world.open(t, {
    head: world.tag(),
    prepare: (page) => page.addInitScript("Array.prototype.toJSON = function () { return '[' + this.map((value) => JSON.stringify(value)).join(', ') + ']'; }"),
  });
  for (const step of [1, 2, 3]) {
    assert.equal((await call(page, [['identify', '1', { email: 'a@example.com', step }]]))[0].sent, true);
    assert.equal(await page.evaluate(() => localStorage.getItem('munchkin_shim_kept')), null);
  }
  assert.deepEqual(errors, []);
});

test('a page whose Object.prototype is polluted already: what is inherited is sent nowhere', async (t) => {
  const { page, errors } = await world.open(t, {
    head: `<script>Object.prototype.inherited = 'by all'; Object.prototype.email = 'evil@example.com';</script>${world.tag()}`,
  });
  const [lead, visit, none] = await call(page, [
    ['identify', '1', { email: 'a@b.co' }],
    ['track', 'x', { own: 1 }],
    ['identify', '2', { plan: 'pro' }],
  ]);
  assert.deepEqual(lead.call[1], { Email: 'a@b.co', UserId: '1' });
  assert.deepEqual(visit.call[1], { url: '/event/x', params: 'own=1' });
  assert.equal(none.error, 'email_missing');
  assert.deepEqual(errors, []);
});
