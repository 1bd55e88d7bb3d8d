/** The adapters while the visitor has not been asked yet: the hooks that the libraries call, without the libraries. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { customer, MUNCHKIN_ID } from './customer.mjs';

const world = customer();

/**
 * How each library says that a visitor is identified, and then forgotten: where a library has no word for that, what it
 * says next is all that it knows of the visitor.
 */
const SAYINGS = {
  segment: `
    plugin.load();
    const identify = (userId, traits) => plugin.identify({ event: { userId, traits, integrations: {} } });
    const forget = () => {};`,
  rudderstack: `
    plugin.init();
    const identify = (userId, traits) => plugin.identify(null, null, { message: { userId, context: { traits }, integrations: {} } });
    const forget = () => {};`,
  analytics: `
    plugin.initialize({ instance: { user: (name) => options.known?.[name] ?? null } });
    const identify = (userId, traits) => plugin.identify({ payload: { userId, traits, options: {} } });
    const forget = () => plugin.reset();`,
};

for (const [library, saying] of Object.entries(SAYINGS)) {
  test(`${library}: after the yes each waiting identify has its own visitor's traits`, async (t) => {
    const { page, errors } = await world.open(t, { body: library });
    const results = await page.evaluate(
      ([file, id, munchkinUrl, server, code]) =>
        new Function('file', 'id', 'options', `return import(file).then(({ marketo }) => {
          const plugin = marketo(id, options);
          const results = [];
          plugin.analytics.on('result', (result) => results.push(result));
          ${code}
          identify('a', { email: 'a@example.com', plan: 'pro' });
          forget();
          identify(null, { seats: 3 });
          forget();
          identify('b', { email: 'b@example.com' });
          plugin.analytics.consent(true);
          return new Promise((resolve) => plugin.analytics.on('result', () => results.length === 3 && resolve(results)));
        })`)(file, id, { munchkinUrl, server, consent: 'pending' }),
      [`/dist/${library}.mjs`, MUNCHKIN_ID, `${world.simulator.url}/munchkin.js`, world.serverUrl, saying],
    );
    assert.deepEqual(
      results.map((/** @type {any} */ { call, error }) => error || call[1]),
      ['email_missing', { Email: 'a@example.com', Plan: 'pro', UserId: 'a' }, { Email: 'b@example.com', UserId: 'b' }],
    );
    assert.deepEqual(errors, []);
  });

  for (const [kind, refuse] of [['said no', 'plugin.analytics.consent(false)'], ['opted out', "document.cookie = 'mkto_opt_out=true;path=/'"]]) {
    test(`${library}: who has ${kind} is not remembered, not even once there is a yes, with storage: 'local'`, async (t) => {
      const { page, errors } = await world.open(t, { body: library });
      const storage = await page.evaluate(
        ([file, id, known, code]) =>
          new Function('file', 'id', 'options', `return import(file).then(({ marketo }) => {
            const plugin = marketo(id, options);
            ${code}
            identify('a', { email: 'a@example.com' });
            plugin.analytics.user().traits({ plan: 'pro' });
            plugin.analytics.consent(true);
            return { ...localStorage };
          })`)(file, id, { known, munchkinUrl: '/none.js', consent: 'pending', storage: 'local' }),
        /** @type {const} */ ([
          `/dist/${library}.mjs`,
          MUNCHKIN_ID,
          { userId: 'b', traits: { email: 'b@example.com' } },
          kind === 'said no' ? `${saying}; ${refuse};` : `${refuse}; ${saying}`,
        ]),
      );
      assert.deepEqual(storage, {});
      assert.deepEqual(errors, []);
    });
  }
}
