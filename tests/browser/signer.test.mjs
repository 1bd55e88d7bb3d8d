/** A site that signs for itself, with munchkin-shim/signer: it can tell by its own cookies who is signed in. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSigner } from 'munchkin-shim/signer';
import { call, customer, PRIVATE_KEY } from './customer.mjs';

const world = customer();

const signer = createSigner({
  privateKey: PRIVATE_KEY,
  authorize: (request, email) => String(request.headers.get('cookie')).split('; ').includes(`user=${email}`),
});

/** Answers the page's requests to its own origin with the signer. @param {import('playwright-core').Page} page */
const mount = (page) =>
  page.route(`${world.siteUrl}/v1/lead`, async (route) => {
    const asked = route.request();
    const headers = new Headers(await asked.allHeaders());
    for (const name of [...headers.keys()]) if (name[0] === ':') headers.delete(name);
    const answer = await signer.handle(new Request(asked.url(), { method: asked.method(), headers, body: asked.postData() }));
    await route.fulfill({ status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() });
  });

test("a site's own signer is sent its cookies, and signs for who is signed in, nobody else", async (t) => {
  const { page, context } = await world.open(t, { head: world.tag({ 'data-server': '/' }), prepare: mount });
  await context.addCookies([{ name: 'user', value: 'ada@example.com', url: world.siteUrl }]);
  const [mine, another] = await call(page, [['identify', { email: 'ada@example.com' }], ['identify', { email: 'eve@example.com' }]]);
  assert.deepEqual([mine.sent, another.error], [true, 'not_authorized']);
  assert.equal((await world.simulator.waitFor(({ type }) => type === 'associateLead')).signature, 'valid');
});

test('a munchkin-server of another origin is sent none', async (t) => {
  const { page, context } = await world.open(t, { head: world.tag() });
  // Cookies are of a host, whatever the port.
  await context.addCookies([{ name: 'user', value: 'ada@example.com', url: world.siteUrl }]);
  const asked = page.waitForRequest(`${world.serverUrl}/v1/lead`);
  const [result] = await call(page, [['identify', { email: 'ada@example.com' }]]);
  assert.equal(result.sent, true);
  assert.equal((await (await asked).allHeaders()).cookie, undefined);
});
