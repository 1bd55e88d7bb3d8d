/** Marketo answers a call with what belongs to another, or to none: nobody gets what is somebody else's, and all others go on. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queueFor, startQueue } from './queue_driver.mjs';

const LEADS = '/rest/v1/leads.json';

/** @typedef {import('../sim/simulator.mjs').Simulator} Simulator */

/** A Marketo cookie, and what Marketo calls its token. @param {string | number} visitor */
const tokenOf = (visitor) => `_mch-example.com-1374552656411-${visitor}`;
/** @param {string | number} visitor */
const cookieOf = (visitor) => `id:561-HYG-937&token:${tokenOf(visitor)}`;

/** @param {object[]} result */
const success = (result) => ({ text: JSON.stringify({ success: true, result }) });

/**
 * Answers lookups of cookies, as long as `choose` has an answer for the cookies of one.
 * @param {Simulator} marketo
 * @param {(cookies: string[]) => object[] | undefined} choose
 */
function answerLookups(marketo, choose) {
  marketo.faults.choose = ({ method, path, query }) => {
    const result = method === 'GET' && path === LEADS ? choose(String(query.get('filterValues')).split(',')) : undefined;
    return result && success(result);
  };
}

/**
 * Another server before the same Marketo, that knows nothing of it yet.
 * @param {import('node:test').TestContext} t
 * @param {Simulator} marketo
 * @param {Record<string, number>} [options]
 */
async function queueOn(t, marketo, options = {}) {
  const queue = await startQueue(marketo, { interval: 0, ...options });
  t.after(() => queue.end());
  return queue;
}

for (const bytes of [300, 1_200_000, 3_500_000]) {
  test(`a cookie's lead with an e-mail address of ${bytes} bytes: its id counts, and others arrive`, async (t) => {
    const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
    await queue.lead('ada@example.com');
    await queue.passUntil(() => marketo.leads.has('ada@example.com'));
    const { id } = /** @type {any} */ (marketo.leads.get('ada@example.com'));
    answerLookups(marketo, () => [{ id, email: `${'x'.repeat(bytes)}@example.com`, cookies: null }]);
    const other = await queueOn(t, marketo);
    await other.lead('', { Title: 'Dr' }, { cookie: cookieOf(1), cookie_first: true });
    await other.passUntil(() => marketo.leads.get('ada@example.com')?.fields.Title === 'Dr');
    await other.lead('grace@example.com');
    await other.passUntil(() => marketo.leads.has('grace@example.com'));
    assert.deepEqual(await other.dead(), []);
    assert.doesNotMatch(other.log(), /queue_failed/);
  });
}
