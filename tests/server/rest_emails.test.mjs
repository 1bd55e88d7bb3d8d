/** A person who is known by a user id first and says an e-mail address later, which Marketo may have already. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT, queueFor, startQueue } from './queue_driver.mjs';

const LEADS = '/rest/v1/leads.json';
const FIELDS = [{ name: 'userId', soapName: 'UserId' }];

/** @typedef {import('../sim/simulator.mjs').Simulator} Simulator */

/** How many addresses each call asked about. @param {Simulator} marketo */
const lookups = (marketo) => marketo.rest.calls.filter(({ method, path }) => method === 'GET' && path === LEADS).map(({ records }) => records);

/** Another integration's, or a form's. @param {import('node:test').TestContext} t @param {Simulator} marketo */
async function other(t, marketo) {
  const queue = await startQueue(marketo, { interval: 0 });
  t.after(() => queue.end());
  return queue;
}

/** @param {Simulator} marketo @param {string} [id] */
const ofUser = (marketo, id = 'u-1') => [...marketo.leadsById.values()].filter(({ fields }) => fields.UserId === id);

/** @param {import('node:test').TestContext} t */
async function userWithoutEmail(t) {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 }, simulator: { fields: FIELDS } });
  await queue.lead('', { UserId: 'u-1', FirstName: 'Ada' }, { user_id: 'u-1' });
  await queue.passUntil(() => ofUser(marketo).length === 1);
  return { marketo, queue };
}

test('an address that Marketo does not have goes to the lead that it made of the user id', async (t) => {
  const { marketo, queue } = await userWithoutEmail(t);
  await queue.lead('ada@example.com', { UserId: 'u-1', LastName: 'Lovelace' }, { user_id: 'u-1' });
  await queue.passUntil(() => marketo.leads.has('ada@example.com'));
  assert.equal(marketo.leadsById.size, 1);
  assert.deepEqual(marketo.leads.get('ada@example.com')?.fields, { Email: 'ada@example.com', UserId: 'u-1', FirstName: 'Ada', LastName: 'Lovelace' });
  // It is asked once.
  await queue.lead('ada@example.com', { LastName: 'King' }, { user_id: 'u-1' });
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.fields.LastName === 'King');
  assert.deepEqual(lookups(marketo), [1]);
});

test('one that Marketo has already makes the user that lead: there are never two of one address', async (t) => {
  const { marketo, queue } = await userWithoutEmail(t);
  await (await other(t, marketo)).lead('Ada@example.com', { Company: 'Analytical Engines' });
  await queue.passUntil(() => marketo.leads.has('ada@example.com'));
  const known = marketo.leads.get('ada@example.com');

  await queue.lead('ada@example.com', { UserId: 'u-1', FirstName: 'Ada', LastName: 'Lovelace' }, { user_id: 'u-1' });
  await queue.send({ kind: 'activity', user_id: 'u-1', type: 100001, primary: 'n', attributes: '[]', time: marketo.clock.now() });
  await queue.passUntil(() => known?.fields.LastName === 'Lovelace');
  await queue.lead('', { Title: 'Countess' }, { user_id: 'u-1' });
  await queue.passUntil(() => known?.fields.Title === 'Countess');
  assert.equal(marketo.leads.get('ada@example.com'), known);
  assert.deepEqual([known?.fields.FirstName, known?.fields.Company], ['Ada', 'Analytical Engines']);
  // Nobody else has the user id, and what was said with the address is all there.
  const [nameless] = [...marketo.leadsById.values()].filter((lead) => lead !== known);
  await queue.passUntil(() => !nameless.fields.UserId);
  assert.deepEqual(ofUser(marketo), [known]);
  await queue.passUntil(() => known?.activities.length === 1);
  assert.equal(nameless.activities.length, 0);
  assert.deepEqual(await queue.dead(), []);
});

test('many addresses are asked about in one call', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0, linger: 1000 }, simulator: { fields: FIELDS } });
  const people = Array.from({ length: 40 }, (_, i) => `u-${i}`);
  await Promise.all(people.map((id) => queue.lead('', { UserId: id }, { user_id: id })));
  await queue.passUntil(() => marketo.leadsById.size === people.length);
  const others = await other(t, marketo);
  await Promise.all(people.slice(0, 5).map((id) => others.lead(`${id}@example.com`)));
  await queue.passUntil(() => marketo.leadsById.size === people.length + 5);

  await Promise.all(people.map((id) => queue.lead(`${id}@example.com`, { UserId: id, FirstName: id }, { user_id: id })));
  await queue.passUntil(() => people.every((id) => marketo.leads.get(`${id}@example.com`)?.fields.FirstName === id));
  assert.equal(marketo.leadsById.size, people.length + 5);
  assert.deepEqual(lookups(marketo), [40]);
});

/** Makes leads of one address. @param {Simulator} marketo @param {string} email @param {number} count */
async function makeDuplicates(marketo, email, count) {
  const client = new URLSearchParams({ grant_type: 'client_credentials', client_id: CLIENT.id, client_secret: CLIENT.secret });
  const { access_token: token } = await (await fetch(`${marketo.url}/identity/oauth/token?${client}`)).json();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ action: 'createDuplicate', input: Array.from({ length: count }, () => ({ email })) });
  const { success } = await (await fetch(marketo.url + LEADS, { method: 'POST', headers, body })).json();
  assert.equal(success, true);
}

test('an address of so many leads that no others fit into the answer hides none of them', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0, linger: 1000 }, simulator: { fields: FIELDS } });
  const people = ['ada', 'info', 'zoe'];
  await Promise.all(people.map((id) => queue.lead('', { UserId: id }, { user_id: id })));
  await queue.passUntil(() => marketo.leadsById.size === people.length);
  await makeDuplicates(marketo, 'info@example.com', 300);
  for (const id of ['ada', 'zoe']) await makeDuplicates(marketo, `${id}@example.com`, 1);
  const size = marketo.leadsById.size;

  await Promise.all(people.map((id) => queue.lead(`${id}@example.com`, { UserId: id, FirstName: id }, { user_id: id })));
  await queue.passUntil(() => ['ada', 'zoe'].every((id) => marketo.leads.get(`${id}@example.com`)?.fields.FirstName === id));
  assert.equal(marketo.leadsById.size, size);
  assert.equal([...marketo.leadsById.values()].filter(({ email }) => email === 'zoe@example.com').length, 1, 'no second lead of the address');
  assert.deepEqual([lookups(marketo)[0], lookups(marketo).reduce((sum, records) => sum + records)], [3, 3 + 3], 'asked again in smaller calls');
});

for (const fault of [{ code: 1003 }, { code: 604 }, { answer: 'reset' }, { code: 606 }, { code: 602 }]) {
  test(`a lookup of an address that ends with ${JSON.stringify(fault)} loses nothing`, async (t) => {
    const { marketo, queue } = await userWithoutEmail(t);
    marketo.faults.calls.push({ method: 'GET', path: LEADS, times: 1, .../** @type {any} */ (fault) });
    const start = marketo.clock.now();
    await queue.lead('ada@example.com', { UserId: 'u-1', LastName: 'Lovelace' }, { user_id: 'u-1' });
    await queue.passUntil(() => marketo.leads.get('ada@example.com')?.fields.LastName === 'Lovelace');
    // Marketo may be at work on it for longer, but that does no harm.
    assert.ok(marketo.clock.now() - start < 60_000, `${marketo.clock.now() - start} ms`);
    assert.equal(marketo.leadsById.size, 1);
    assert.equal(marketo.faults.calls.length, 0, 'the fault was met');
    assert.deepEqual(await queue.dead(), []);
  });
}
