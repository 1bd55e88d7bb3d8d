/**
 * One lead, cookie or activity that Marketo cannot digest, or that something in between refuses: whatever call holds it
 * ends badly. The others arrive all the same, and it costs few calls.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { queueFor } from './queue_driver.mjs';

const LEADS = '/rest/v1/leads.json';
const ASSOCIATE = '/rest/v1/leads/{id}/associate.json';
const ACTIVITIES = '/rest/v1/activities/external.json';
const COLLECTOR = '/webevents/visitWebPage';

const MINUTE = 60_000;

/** @typedef {import('../sim/simulator.mjs').Simulator} Simulator */
/** @typedef {import('./queue_driver.mjs').Queue} Queue */
/** @typedef {import('../sim/call-faults.mjs').CallFault} CallFault */

/** @param {string} path */
const pathOf = (path) => path.replace(/leads.\d+/, 'leads/{id}');

/** Of visitor `number`; that of number 66600 and up is the poisoned one's. @param {number} number */
const cookieOf = (number) => `id:561-HYG-937&token:_mch-example.com-1374552656411-${number}`;

/**
 * What may be poisoned: how one is sent, and when it has arrived.
 *
 * @typedef {object} Kind
 * @property {string} method
 * @property {string} path
 * @property {(queue: Queue, name: string, number: number) => Promise<unknown>} send
 * @property {(marketo: Simulator, name: string) => unknown} arrived
 */

/** @type {Record<string, Kind>} */
const kinds = {
  lead: {
    method: 'POST',
    path: LEADS,
    send: (queue, name) => queue.lead(`${name}@example.com`, { FirstName: name }),
    arrived: (marketo, name) => marketo.leads.has(`${name}@example.com`),
  },
  'lookup of a cookie': {
    method: 'GET',
    path: LEADS,
    send: (queue, name, number) => queue.lead(`${name}@example.com`, { FirstName: name }, { cookie: cookieOf(number), cookie_first: true }),
    arrived: (marketo, name) => marketo.leads.has(`${name}@example.com`),
  },
  'cookie to be tied': {
    method: 'POST',
    path: ASSOCIATE,
    send: (queue, name, number) => queue.lead(`${name}@example.com`, { FirstName: name }, { cookie: cookieOf(number) }),
    arrived: (marketo, name) => marketo.leads.get(`${name}@example.com`)?.tokens.length,
  },
  activity: {
    method: 'POST',
    path: ACTIVITIES,
    send: async (queue, name) => {
      await queue.lead(`${name}@example.com`, { FirstName: name });
      await queue.send({ kind: 'activity', email: `${name}@example.com`, type: 100001, primary: name, attributes: '[]' });
    },
    arrived: (marketo, name) => marketo.leads.get(`${name}@example.com`)?.activities.length,
  },
  visit: {
    method: 'POST',
    path: COLLECTOR,
    send: (queue, name) => queue.send({ kind: 'visit', query: `_mchTk=_mch-a-1-1&_mchRu=/${name}`, user_agent: '' }),
    arrived: (marketo, name) => marketo.events.some(({ query }) => query._mchRu === `/${name}`),
  },
};

/**
 * A queue, whose calls of a kind end with `fault` if they hold one that is poisoned, and how many did.
 *
 * @param {import('node:test').TestContext} t
 * @param {Kind} kind
 * @param {CallFault} fault
 * @param {Record<string, number>} [options]
 */
async function poisonedWorld(t, kind, fault, options = {}) {
  const world = await queueFor(t, { options });
  const { marketo, queue } = world;
  const counted = { poisoned: 0, all: 0 };
  marketo.faults.choose = ({ method, path, body, query }) => {
    if (method !== kind.method || pathOf(path) !== kind.path) return undefined;
    const text = `${body} ${[...query.values()].join(' ')}`;
    counted.all += 1;
    if (!/poison|-666\d\d(?!\d)/.test(text)) return undefined;
    counted.poisoned += 1;
    return { ...fault };
  };
  return {
    ...world,
    counted,
    poison: (/** @type {number} */ number = 0) => kind.send(queue, `poison${number}`, 66600 + number),

    /**
     * Time goes by in steps; at each of the first of `innocents` one is sent. Resolves with how long each took in ms, the
     * longest last; one that has not arrived, for ever.
     * @param {{step: number, steps: number, innocents: number, every?: number}} how
     */
    async pass({ step, steps, innocents, every = 1 }) {
      /** @type {Map<number, number>} */
      const waiting = new Map();
      const took = [];
      for (let i = 0; i < steps; i += 1) {
        if (i % every === 0 && i / every < innocents) {
          const number = 10000 + i / every;
          waiting.set(number, marketo.clock.now());
          await kind.send(queue, `innocent${number}`, number);
        }
        queue.advance(step);
        await delay(30);
        for (const [number, since] of waiting) {
          if (!kind.arrived(marketo, `innocent${number}`)) continue;
          took.push(marketo.clock.now() - since);
          waiting.delete(number);
        }
      }
      took.push(...Array(waiting.size).fill(Infinity));
      return took.sort((a, b) => a - b);
    },
  };
}

/** @param {number[]} took */
const inMinutes = (took) => took.map((time) => Math.round(time / MINUTE)).join(' ');

for (const [name, fault] of /** @type {[string, CallFault][]} */ ([
  ['lead', { code: '611' }],
  ['lookup of a cookie', { status: 500 }],
])) {
  test(`${fault.code ?? fault.status} for one ${name}: those that come after it do so in minutes`, async (t) => {
    const { pass, poison, counted } = await poisonedWorld(t, kinds[name], fault);
    await poison();
    const took = await pass({ step: 15_000, every: 4, steps: 4 * 50, innocents: 40 });
    assert.ok(took[20] <= MINUTE && took[39] <= 8 * MINUTE, `minutes: ${inMinutes(took)}`);
    // The pauses are of random length, two and a half minutes in the mean.
    assert.ok(counted.poisoned <= 45, `${counted.poisoned} calls for the poisoned one in 50 minutes`);
    assert.ok(counted.all <= 50 + 2 * counted.poisoned, `${counted.all} calls for 40, ${counted.poisoned} in vain`);
  });
}

test('611 for one lead of three hundred: the others arrive in minutes, in few calls', async (t) => {
  const { marketo, queue, poison, counted } = await poisonedWorld(t, kinds.lead, { code: '611' }, { linger: 5000 });
  await Promise.all(Array.from({ length: 299 }, (_, i) => (i === 150 ? poison() : kinds.lead.send(queue, `innocent${i}`, i))));
  await queue.passUntil(() => marketo.leads.size === 298, { steps: 300 });
  assert.ok(counted.all <= 90, `${counted.all} calls`);
  assert.deepEqual(await queue.dead(), []);
});

/** @param {Queue} queue @param {string} event */
const logged = (queue, event) => queue.log().split('\n').filter((line) => line.includes(`"event":"${event}"`)).length;

for (const [name, fault] of /** @type {[string, CallFault][]} */ ([
  ['lead', { status: 403 }],
  ['cookie to be tied', { code: '610' }],
])) {
  test(`${fault.code ?? fault.status} for one ${name}, where others go well: it is put aside in the end, and none waits for it`, async (t) => {
    const { pass, poison, counted, queue } = await poisonedWorld(t, kinds[name], fault);
    await pass({ step: 1000, steps: 10, innocents: 1 });
    await poison();
    const took = await pass({ step: 20_000, every: 3, steps: 3 * 60, innocents: 45 });
    assert.ok(took[22] <= MINUTE && took[44] <= 11 * MINUTE, `minutes: ${inMinutes(took)}`);
    assert.ok(counted.poisoned >= 10 && counted.poisoned <= 30, `${counted.poisoned} calls for it`);
    const letters = (await queue.dead()).map(({ code, kind }) => [code, kind]);
    const kind = name.includes('cookie') ? 'cookie' : name;
    assert.deepEqual(letters, [[String(fault.code ?? fault.status), kind]]);
  });
}

test('403 for one lead that Marketo knows: those that are new do not wait for it, and others that it knows not for long', async (t) => {
  const { pass, counted, queue, marketo } = await poisonedWorld(t, kinds.lead, { status: 403 });
  await queue.lead('known@example.com');
  await queue.lead('bad@example.com');
  await queue.passUntil(() => marketo.leads.size === 2);
  queue.advance(MINUTE);
  await queue.lead('bad@example.com', { FirstName: 'poison' });
  const took = await pass({ step: 20_000, every: 3, steps: 3 * 40, innocents: 30 });
  assert.ok(took[29] <= 2 * MINUTE, `minutes: ${inMinutes(took)}`);
  await queue.lead('known@example.com', { FirstName: 'Ada' });
  await queue.passUntil(() => marketo.leads.get('known@example.com')?.fields.FirstName === 'Ada', { steps: 36, step: 10_000 });
  assert.ok(counted.poisoned >= 8 && counted.poisoned <= 20, `${counted.poisoned} calls for it`);
});

test('401 for one lead, whatever the token: the others arrive, and it goes again later and later', async (t) => {
  const { pass, poison, counted, queue } = await poisonedWorld(t, kinds.lead, { status: 401 });
  await poison();
  const took = await pass({ step: 20_000, every: 3, steps: 3 * 30, innocents: 20 });
  assert.ok(took[10] <= MINUTE && took[19] <= 8 * MINUTE, `minutes: ${inMinutes(took)}`);
  assert.ok(counted.poisoned <= 40, `${counted.poisoned} calls for it`);
  assert.deepEqual(await queue.dead(), []);
});

for (const [name, fault] of /** @type {[string, CallFault][]} */ ([
  ['lead', { status: 403 }],
  ['lead', { code: '610' }],
  ['cookie to be tied', { code: '610' }],
  ['activity', { status: 404 }],
  ['visit', { status: 404 }],
])) {
  test(`${fault.code ?? fault.status} once for one ${name}, after an outage in which it went in vain ten times: that says nothing of it`, async (t) => {
    const { path, method, send, arrived } = kinds[name];
    const { marketo, queue } = await queueFor(t, { options: { interval: 0 } });
    await send(queue, 'first', 1);
    await queue.passUntil(() => arrived(marketo, 'first'));
    let outage = 10;
    let refusals = 1;
    marketo.faults.choose = (call) => {
      if (call.method !== method || pathOf(call.path) !== path) return undefined;
      if (outage > 0) {
        outage -= 1;
        return { status: 503 };
      }
      if (refusals === 0) return undefined;
      refusals -= 1;
      return { ...fault };
    };
    await send(queue, 'second', 2);
    await queue.passUntil(() => outage === 0, { step: 5000, steps: 1000 });
    await queue.passUntil(() => arrived(marketo, 'second'), { step: 5000, steps: 1000 });
    assert.equal(refusals, 0);
    assert.deepEqual(await queue.dead(), []);
  });
}

test('400 for all visits: few are put aside, the log says so once, and the others wait', async (t) => {
  const { marketo, queue } = await queueFor(t);
  marketo.faults.choose = ({ path }) => (path === COLLECTOR ? { status: 400 } : undefined);
  for (let i = 0; i < 100; i += 1) await queue.send({ kind: 'visit', query: `_mchTk=_mch-a-1-1&_mchRu=/${i}`, user_agent: '' });
  await queue.passUntil(() => logged(queue, 'marketo_refuses') === 1, { step: 5000 });
  const letters = await queue.dead();
  assert.ok(letters.length >= 10 && letters.length <= 40, `${letters.length}`);
  marketo.faults.choose = undefined;
  await queue.passUntil(() => marketo.events.length === 100 - letters.length, { step: 5000 });
  assert.equal((await queue.dead()).length, letters.length);
  assert.equal(logged(queue, 'marketo_refuses'), 1);
});

for (const [status, dead] of [[400, 60], [403, 0], [414, 100]]) {
  test(`${status} for a hundred visits in a row: those behind them arrive within a minute`, async (t) => {
    const { marketo, queue } = await queueFor(t);
    const visit = (/** @type {string} */ path) => queue.send({ kind: 'visit', query: `_mchTk=_mch-a-1-1&_mchRu=${path}`, user_agent: '' });
    marketo.faults.choose = ({ path, query }) => (path === COLLECTOR && `${query}`.includes('poison') ? { status } : undefined);
    await visit('/before');
    await queue.passUntil(() => marketo.events.length === 1);
    for (let i = 0; i < 100; i += 1) await visit(`/poison/${i}`);
    for (let i = 0; i < 30; i += 1) {
      const sent = marketo.clock.now();
      await visit(`/innocent/${i}`);
      await queue.passUntil(() => marketo.events.length === i + 2, { step: 5000 });
      assert.ok(marketo.clock.now() - sent <= MINUTE, `after ${marketo.clock.now() - sent} ms`);
    }
    const { length } = await queue.dead();
    assert.ok(length >= dead, `${length} put aside`);
  });
}

test('403 for ten visits, where others go well: these go on, and the ten are put aside in the end', async (t) => {
  const { marketo, queue } = await queueFor(t);
  const visit = (/** @type {string} */ path) => queue.send({ kind: 'visit', query: `_mchTk=_mch-a-1-1&_mchRu=${path}`, user_agent: '' });
  marketo.faults.choose = ({ path, query }) => (path === COLLECTOR && `${query}`.includes('poison') ? { status: 403 } : undefined);
  await visit('/before');
  await queue.passUntil(() => marketo.events.length === 1);
  for (let i = 0; i < 10; i += 1) await visit(`/poison/${i}`);
  for (let i = 0; i < 80; i += 1) {
    await visit(`/innocent/${i}`);
    await queue.passUntil(() => marketo.events.length === i + 2, { step: 10_000, steps: 200 });
    queue.advance(MINUTE);
  }
  assert.equal((await queue.dead()).length, 10);
});

test('403 for one lead of three hundred: the others arrive in minutes, in few calls', async (t) => {
  const { marketo, queue, poison, pass, counted } = await poisonedWorld(t, kinds.lead, { status: 403 }, { linger: 5000 });
  await pass({ step: 1000, steps: 10, innocents: 1 });
  await Promise.all(Array.from({ length: 299 }, (_, i) => (i === 150 ? poison() : kinds.lead.send(queue, `innocent${i}`, i))));
  await queue.passUntil(() => marketo.leads.size === 299, { steps: 400 });
  assert.ok(counted.all <= 90, `${counted.all} calls`);
  assert.deepEqual(await queue.dead(), []);
});

test('403 for one lead where nothing else goes: told once, in the end one call in five minutes, and the next one waits for two such', async (t) => {
  const { pass, poison, counted, queue } = await poisonedWorld(t, kinds.lead, { status: 403 });
  await pass({ step: 1000, steps: 10, innocents: 1 });
  await poison();
  await pass({ step: 30_000, steps: 60, innocents: 0 });
  assert.ok(counted.poisoned >= 8 && counted.poisoned <= 14, `${counted.poisoned} calls in half an hour`);
  assert.equal(logged(queue, 'marketo_refuses'), 1);
  assert.deepEqual(await queue.dead(), []);
  const took = await pass({ step: 10_000, steps: 75, innocents: 2 });
  assert.ok(took[1] <= 11 * MINUTE, `${took[1]} ms`);
});

for (const fault of [{ code: '603' }, { status: 403 }]) {
  test(`${fault.code ?? fault.status} for all calls, which went well before: told once, one call in five minutes, nothing is put aside`, async (t) => {
    const { marketo, queue, pass, counted } = await poisonedWorld(t, kinds.lead, fault);
    await pass({ step: 1000, steps: 10, innocents: 1 });
    marketo.faults.choose = ({ method, path }) => {
      if (method !== 'POST' || path !== LEADS) return undefined;
      counted.poisoned += 1;
      return { ...fault };
    };
    for (let i = 0; i < 50; i += 1) {
      await kinds.lead.send(queue, `innocent${i}`, i);
      queue.advance(2 * MINUTE);
      await delay(30);
    }
    assert.ok(counted.poisoned >= 15 && counted.poisoned <= 30, `${counted.poisoned} calls in 100 minutes`);
    assert.equal(logged(queue, 'marketo_refuses'), 1);
    marketo.faults.choose = undefined;
    await queue.passUntil(() => marketo.leads.size === 51, { step: 5000 });
    assert.equal(logged(queue, 'marketo_recovered'), 1);
    assert.deepEqual(await queue.dead(), []);
  });
}

for (const status of [302, 410]) {
  for (const before of [0, 1]) {
    test(`${status} for all visits, ${before} of which went well before: told once, in the end a call in half a minute, nothing is put aside`, async (t) => {
      const { marketo, queue } = await queueFor(t);
      const visit = (/** @type {string} */ path) => queue.send({ kind: 'visit', query: `_mchTk=_mch-a-1-1&_mchRu=${path}`, user_agent: '' });
      for (let i = 0; i < before; i += 1) await visit('/before');
      await queue.passUntil(() => marketo.events.length === before);
      const fault = { path: COLLECTOR, status, times: 1000 };
      marketo.faults.calls.push(fault);
      for (let i = 0; i < 20; i += 1) {
        await visit(`/${i}`);
        queue.advance(MINUTE);
        await delay(30);
      }
      // The first ones sooner, where it may be for what one of them says.
      assert.ok(1000 - fault.times >= 15 && 1000 - fault.times <= 45, `${1000 - fault.times} calls in twenty minutes`);
      assert.equal(logged(queue, 'marketo_refuses'), 1);
      marketo.faults.calls.length = 0;
      await queue.passUntil(() => marketo.events.length === before + 20, { step: 5000 });
      assert.equal(logged(queue, 'marketo_recovered'), 1);
      assert.deepEqual(await queue.dead(), []);
    });
  }
}
