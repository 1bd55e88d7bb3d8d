/** Marketo answers a call with what belongs to another, or to none: nobody gets what is somebody else's, and all others go on. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { intakeFor } from './intake.mjs';
import { queueFor, startQueue } from './queue_driver.mjs';

const LEADS = '/rest/v1/leads.json';
const SOAP = '/soap/mktows/3_1';

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

test('a lead that says it has another cookie is not that of the one that was asked for', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  await queue.lead('ada@example.com', { FirstName: 'Ada' });
  await queue.passUntil(() => marketo.leads.has('ada@example.com'));
  const { id } = /** @type {any} */ (marketo.leads.get('ada@example.com'));
  const other = await queueOn(t, marketo);
  let answered = 0;
  answerLookups(marketo, () => {
    answered += 1;
    return [{ id, email: 'ada@example.com', cookies: `${tokenOf(21)},${tokenOf(3)}` }];
  });
  await other.lead('mallory@example.com', { FirstName: 'Mallory' }, { cookie: cookieOf(2), cookie_first: true });
  await other.passUntil(() => marketo.leads.get('mallory@example.com')?.tokens.includes(tokenOf(2)));
  assert.equal(answered, 1);
  assert.equal(marketo.leads.get('ada@example.com')?.fields.FirstName, 'Ada');
});

for (const [what, cookies] of /** @type {[string, unknown][]} */ ([
  ['which says so', `${tokenOf(21)}, ${cookieOf(2)}`],
  ['which says nothing, where no other does', null],
  ['which says that it has none', ''],
])) {
  test(`of several leads for one cookie, it is that of the one ${what}`, async (t) => {
    const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
    for (const name of ['ada', 'bea']) await queue.lead(`${name}@example.com`);
    await queue.passUntil(() => marketo.leads.size === 2);
    const [ada, bea] = ['ada', 'bea'].map((name) => /** @type {any} */ (marketo.leads.get(`${name}@example.com`)));
    answerLookups(marketo, () => [
      { id: ada.id, email: 'ada@example.com', cookies: tokenOf(21) },
      { id: bea.id, email: 'bea@example.com', cookies },
    ]);
    const other = await queueOn(t, marketo);
    await other.lead('', { Title: 'of bea' }, { cookie: cookieOf(2), cookie_first: true });
    await other.passUntil(() => bea.fields.Title === 'of bea');
    assert.equal(ada.fields.Title, undefined);
  });
}

test('one answer that tells no cookies makes few more calls of lookups', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0, linger: 2000 } });
  const lookups = () => marketo.rest.calls.filter(({ method, path }) => method === 'GET' && path === LEADS).length;
  let odd = true;
  answerLookups(marketo, () => {
    const was = odd;
    odd = false;
    return was ? [{ id: 77, email: null, cookies: null }] : undefined;
  });
  const made = [];
  for (const round of [1, 2, 3]) {
    const before = lookups();
    const people = Array.from({ length: 40 }, (_, i) => `p${round}-${i}@example.com`);
    await Promise.all(people.map((email, i) => queue.lead(email, {}, { cookie: cookieOf(`${round}00${i}`), cookie_first: true })));
    await queue.passUntil(() => people.every((email) => marketo.leads.has(email)));
    made.push(lookups() - before);
  }
  const [first, ...later] = made;
  assert.ok(first < 20, `${first} calls for 40 cookies`);
  assert.deepEqual(later, [1, 1]);
  assert.equal(marketo.leadsById.size, 120);
});

test('answers that tell no cookies at all: each cookie finds its lead all the same', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  const people = Array.from({ length: 6 }, (_, i) => `p${i}@example.com`);
  await Promise.all(people.map((email, i) => queue.lead(email, {}, { cookie: cookieOf(100 + i) })));
  await queue.passUntil(() => people.every((email) => marketo.leads.get(email)?.tokens.length));
  const other = await queueOn(t, marketo, { linger: 2000 });
  const { length: before } = marketo.rest.calls;
  answerLookups(marketo, (cookies) =>
    people.flatMap((email, i) => (cookies.includes(cookieOf(100 + i)) ? [{ id: marketo.leads.get(email)?.id, email, cookies: null }] : [])),
  );
  await Promise.all(
    Array.from({ length: 40 }, (_, i) => other.lead(i < 6 ? '' : `q${i}@example.com`, { Title: `t${i}` }, { cookie: cookieOf(100 + i), cookie_first: true })),
  );
  await other.passUntil(() => people.every((email, i) => marketo.leads.get(email)?.fields.Title === `t${i}`));
  await other.passUntil(() => marketo.leadsById.size === 40);
  const made = marketo.rest.calls.slice(before).filter(({ method, path }) => method === 'GET' && path === LEADS).length;
  assert.ok(made < 40, `${made} lookups`);
});

/**
 * Two leads whose Marketo ids are known; the answer to a call of both is mixed up, once.
 * @param {import('node:test').TestContext} t
 * @param {(ids: number[]) => object[]} mix
 */
async function twoMixedUp(t, mix) {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0, linger: 2000 } });
  await Promise.all(['ada', 'bea'].map((name) => queue.lead(`${name}@example.com`)));
  await queue.passUntil(() => marketo.leads.size === 2);
  await queue.settle();
  let mixedUp = false;
  marketo.faults.choose = ({ method, path, body }) => {
    const { input = [], lookupField } = method === 'POST' && path === LEADS ? JSON.parse(body) : {};
    if (mixedUp || lookupField !== 'id' || input.length < 2) return undefined;
    mixedUp = true;
    return { ...success(mix(input.map((/** @type {{id: number}} */ { id }) => id))), carriedOut: true };
  };
  await Promise.all(['ada', 'bea'].map((name) => queue.lead(`${name}@example.com`, { Title: `of ${name}` })));
  await queue.passUntil(() => mixedUp);
  return { marketo, queue };
}

const updated = (/** @type {number} */ id) => ({ id, status: 'updated' });

for (const [what, mix] of /** @type {[string, (ids: number[]) => object[]][]} */ ([
  ['in another order', ([a, b]) => [updated(b), updated(a)]],
  ['of one lead for both', ([a]) => [updated(a), updated(a)]],
  ['of which one is for the other, and refused', ([, b]) => [{ status: 'skipped', reasons: [{ code: '1003', message: 'no' }] }, { ...updated(b), id: 77 }]],
])) {
  test(`results ${what}: no lead becomes another, and both have what was said of them`, async (t) => {
    const { marketo, queue } = await twoMixedUp(t, mix);
    await queue.passUntil(() => marketo.leads.get('ada@example.com')?.fields.Title && marketo.leads.get('bea@example.com')?.fields.Title);
    for (const name of ['ada', 'bea']) {
      await queue.lead(`${name}@example.com`, { Company: `of ${name}` });
      await queue.passUntil(() => marketo.leads.get(`${name}@example.com`)?.fields.Company === `of ${name}`);
    }
    for (const name of ['ada', 'bea']) {
      const { Title, Company, Email } = marketo.leads.get(`${name}@example.com`)?.fields ?? {};
      assert.deepEqual([Title, Company, Email], [`of ${name}`, `of ${name}`, `${name}@example.com`]);
    }
    assert.equal(marketo.leadsById.size, 2);
    assert.deepEqual(await queue.dead(), []);
  });
}

test("a lead that is always answered with another's id is kept aside after five tries, and others go on", async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0, linger: 2000 } });
  const both = ['ada', 'bea'];
  await Promise.all(both.map((name) => queue.lead(`${name}@example.com`)));
  await queue.passUntil(() => marketo.leads.size === 2);
  await queue.settle();
  let tries = 0;
  marketo.faults.choose = ({ method, path, body }) => {
    if (method !== 'POST' || path !== LEADS || !body.includes('of ada')) return undefined;
    tries += 1;
    return success(JSON.parse(body).input.map((/** @type {{id: number, title?: string}} */ { id, title }) => updated(title === 'of ada' ? 77 : id)));
  };
  await Promise.all(both.map((name) => queue.lead(`${name}@example.com`, { Title: `of ${name}` })));
  await queue.passUntil(() => marketo.leads.get('bea@example.com')?.fields.Title === 'of bea');
  await queue.passUntil(() => tries === 5);
  await queue.settle();
  const [{ code, who, payload }, ...more] = await queue.dead();
  assert.deepEqual([code, who, JSON.parse(payload).fields.Title, more], ['wrong_id', 'ada@example.com', 'of ada', []]);
  assert.equal(marketo.leads.get('ada@example.com')?.fields.Title, undefined);

  marketo.faults.choose = undefined;
  await queue.lead('ada@example.com', { Company: 'of ada' });
  await queue.passUntil(() => marketo.leads.get('ada@example.com')?.fields.Company === 'of ada');
});

/** munchkin-server with Marketo's SOAP API behind it. @param {import('node:test').TestContext} t */
async function soapWorld(t) {
  const user = { id: 'user', key: 'key-of-the-tests' };
  const env = { MARKETO_SOAP_USER_ID: user.id, MARKETO_SOAP_ENCRYPTION_KEY: user.key };
  const world = await intakeFor(t, { args: ['--backend', 'soap'], env, simulator: { soapUser: user } });
  /** Lets time pass until something has happened. @param {() => unknown} condition @param {number} [step] */
  async function passUntil(condition, step = 1000) {
    for (let i = 0; i < 200; i += 1) {
      await delay(30);
      if (condition()) return;
      world.advance(step);
    }
    throw new Error(`In vain: ${condition}\n${world.server.output()}`);
  }
  const identify = (/** @type {string} */ email, /** @type {object} */ traits = {}) => world.post('/v1/identify', { traits: { email, ...traits } });
  return { ...world, marketo: world.simulator, passUntil, identify };
}

/** @param {number} id */
const synced = (id) => `<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ns1="http://www.marketo.com/mktows/"><SOAP-ENV:Body>
<ns1:successSyncLead><result><leadId>${id}</leadId><syncStatus><leadId>${id}</leadId><status>UPDATED</status></syncStatus></result></ns1:successSyncLead></SOAP-ENV:Body></SOAP-ENV:Envelope>`;

for (const [times, what] of /** @type {[number, string][]} */ ([[1, 'once'], [1000, 'always']])) {
  test(`SOAP: a lead that is ${what} answered with another's id does not become that one`, async (t) => {
    const { marketo, passUntil, identify, ask } = await soapWorld(t);
    for (const name of ['ada', 'bea']) await identify(`${name}@example.com`);
    await passUntil(() => marketo.leads.size === 2);
    await delay(300);
    const ada = /** @type {any} */ (marketo.leads.get('ada@example.com'));
    marketo.faults.calls.push({ path: SOAP, type: 'text/xml', text: synced(ada.id), times });
    await identify('bea@example.com', { title: 'of bea' });
    if (times === 1) {
      await passUntil(() => marketo.leads.get('bea@example.com')?.fields.Title === 'of bea');
    } else {
      const before = marketo.soap.calls.length;
      await passUntil(() => marketo.soap.calls.length === before + 6, 10_000);
      await delay(300);
      const [{ code, who }, ...more] = ask('dead', 'list');
      assert.deepEqual([code, who, more], ['wrong_id', 'bea@example.com', []]);
      marketo.faults.calls.length = 0;
    }
    await identify('bea@example.com', { industry: 'of bea' });
    await passUntil(() => marketo.leads.get('bea@example.com')?.fields.Industry === 'of bea');
    assert.deepEqual(ada.fields, { Email: 'ada@example.com' });
    assert.equal(marketo.leadsById.size, 2);
  });
}

test('SOAP: an answer with 4 MB of attributes is none; it keeps nobody waiting', async (t) => {
  const { marketo, passUntil, identify, ask } = await soapWorld(t);
  let attributes = '';
  for (let n = 0; attributes.length < 4_000_000; n += 1) attributes += ` n${n.toString(16)}=""`;
  marketo.faults.calls.push({ path: SOAP, type: 'text/xml', text: `<a${attributes}/>`, times: 2 });
  await identify('ada@example.com');
  await passUntil(() => marketo.faults.calls.length === 0);
  await identify('bea@example.com');
  await passUntil(() => marketo.leads.has('ada@example.com') && marketo.leads.has('bea@example.com'));
  assert.deepEqual(ask('dead', 'list'), []);
});

test('1006, and then no list of fields: the old one is used, and the record goes again later and later, until there is one', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  const calls = (/** @type {string} */ method) => marketo.rest.calls.filter((call) => call.method === method && call.path === LEADS).length;
  await queue.lead('ada@example.com');
  await queue.passUntil(() => marketo.leads.has('ada@example.com'));
  marketo.faults.records['eve@example.com'] = '1006';
  marketo.faults.choose = ({ path }) => (path.endsWith('describe.json') ? { code: '603' } : undefined);
  await queue.lead('eve@example.com');
  await queue.passUntil(() => /"marketo_refuses","call":"describe: 603"/.test(queue.log()));
  const start = marketo.clock.now();
  await queue.lead('bea@example.com');
  await queue.passUntil(() => marketo.leads.has('bea@example.com'));
  assert.ok(marketo.clock.now() - start < 10_000, `a lead after ${marketo.clock.now() - start} ms`);

  const before = calls('POST');
  for (let minute = 0; minute < 60; minute += 1) {
    queue.advance(60_000);
    await delay(30);
  }
  const tried = calls('POST') - before;
  assert.ok(tried >= 10 && tried < 40, `${tried} tries in an hour`);
  assert.deepEqual(await queue.dead(), []);

  delete marketo.faults.records['eve@example.com'];
  marketo.faults.choose = undefined;
  await queue.passUntil(() => marketo.leads.has('eve@example.com'), { step: 10_000 });
  await queue.passUntil(() => marketo.rest.calls.filter(({ path, code }) => path.endsWith('describe.json') && code === '').length === 2, { step: 10_000 });
});

test('of a reason of megabytes, a dead letter has the beginning', async (t) => {
  const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
  await queue.lead('ada@example.com');
  await queue.passUntil(() => marketo.leads.has('ada@example.com'));
  const why = { code: '1003'.padEnd(100, ' '), message: `x${'ü'.repeat(1_500_000)}` };
  marketo.faults.choose = ({ method, path, body }) => {
    if (body.includes('eve') || path.includes('/activities/')) return success([{ status: 'skipped', reasons: [why] }]);
    if (path.includes('associate') || (method === 'GET' && path === LEADS)) return { text: JSON.stringify({ success: false, errors: [{ ...why, code: '1003' }] }) };
    return undefined;
  };
  await queue.lead('eve@example.com');
  await queue.lead('ada@example.com', {}, { cookie: cookieOf(1) });
  await queue.lead('', { Title: 'Dr' }, { cookie: cookieOf(2), cookie_first: true });
  await queue.send({ kind: 'activity', email: 'ada@example.com', type: 100001, primary: 'one', attributes: '[]' });
  /** @type {import('./queue_driver.mjs').DeadLetter[]} */
  let letters = [];
  for (let i = 0; i < 200 && letters.length < 4; i += 1) {
    queue.advance(1000);
    await queue.settle();
    letters = await queue.dead();
  }
  assert.deepEqual(letters.map(({ kind }) => kind).sort(), ['activity', 'cookie', 'cookie', 'lead']);
  for (const { code, reason } of letters) {
    assert.equal(reason, `x${'ü'.repeat(255)}`);
    assert.equal(code, why.code.slice(0, code === '1003' ? 4 : 32));
  }
});
