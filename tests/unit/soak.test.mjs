/** The soak's own judgement: what it takes for lost, for foreign, for a failure. */

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { createConnection } from '../bench/soak/connection.mjs';
import { createLatencies } from '../bench/soak/latencies.mjs';
import { compare, createLedger, emailOf, visitorOf } from '../bench/soak/ledger.mjs';
import { createRequests } from '../bench/soak/requests.mjs';
import { createTrouble } from '../bench/soak/trouble.mjs';
import { soakFailures } from '../bench/soak_report.mjs';

/**
 * Marketo with one lead and some visits.
 * @param {Record<string, string>} fields
 * @param {{path: string, token: string}[]} [events]
 */
const marketo = (fields, events = []) => /** @type {any} */ ({ leads: new Map([[emailOf(0), { fields }]]), events });

/** One person, of whom nine messages were said, and all but the ninth acknowledged. */
function nineMessages() {
  const ledger = createLedger();
  ledger.meet();
  const said = Array.from({ length: 9 }, () => ledger.say(0));
  for (const { number } of said.slice(0, 8)) ledger.acknowledge(0, number);
  return ledger.record;
}

/** What Marketo has of these eight. */
const EIGHT = Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((number) => [`Part${number % 8}`, `message ${number}`]));

test('all is delivered, whether the unacknowledged newer value came or not', () => {
  for (const part1 of ['message 1', 'message 9']) {
    const { acknowledged, delivered, lost, foreign } = compare(nineMessages(), marketo({ ...EIGHT, Part1: part1 }));
    assert.deepEqual([acknowledged, delivered, lost, foreign], [8, 8, [], []]);
  }
});

test('a value that is missing or older than what was acknowledged is lost', () => {
  const record = nineMessages();
  record.acknowledged[0].push(9);
  const without5 = Object.fromEntries(Object.entries(EIGHT).filter(([name]) => name !== 'Part5'));
  const { delivered, lost } = compare(record, marketo(without5));
  assert.deepEqual(lost, ['person0@example.com message 5', 'person0@example.com message 9']);
  assert.equal(delivered, 7);
  assert.equal(compare(record, marketo({})).lost.length, 9);
});

test('a value that nobody said, or that is in the wrong field, is foreign', () => {
  for (const wrong of ['message 10', 'message 2', 'anything']) {
    assert.equal(compare(nineMessages(), marketo({ ...EIGHT, Part1: wrong })).foreign.length, 1, wrong);
  }
});

test('visits are compared too', () => {
  const ledger = createLedger();
  for (const number of [ledger.visit(), ledger.visit()]) ledger.acknowledgeVisit(number);
  const visit = (/** @type {number} */ number) => ({ path: `/event/e${number}`, token: visitorOf(number) });
  assert.deepEqual(compare(ledger.record, marketo({}, [visit(1)])).lost, ['visit 2']);
  assert.deepEqual(compare(ledger.record, marketo({}, [visit(1), visit(2), visit(3)])).foreign, ['visit 3']);
});

test('who is met before the server is killed is let alone after it', () => {
  const requests = createRequests({ people: 100, origin: 'https://www.example.com', authorization: '', munchkinId: '561-HYG-937' });
  const sayMuch = () => {
    for (let count = 0; count < 500; count++) requests.next().settle(true);
    return [...requests.ledger.record.said];
  };
  const before = sayMuch();
  assert.equal(before.length, 100);
  requests.meetOthers();
  const after = sayMuch();
  assert.deepEqual(after.slice(0, 100), before);
  assert.ok(after.slice(100).every((count) => count > 0));
});

test('of a person one message at a time is under way', () => {
  const requests = createRequests({ people: 1000, origin: 'https://www.example.com', authorization: '', munchkinId: '561-HYG-937' });
  for (let count = 0; count < 20; count++) requests.next();
  assert.ok(requests.ledger.record.said.every((count) => count <= 1));
});

test('a loss, a lead in two calls, a queue that does not run dry and a run without trouble fail the soak', () => {
  const fine = /** @type {any} */ ({ lost: [], foreign: [], twice: [], isDrained: true, kills: 2, faults: 10 });
  assert.deepEqual(soakFailures(fine), []);
  for (const wrong of [{ lost: ['x'] }, { foreign: ['x'] }, { twice: ['x'] }, { isDrained: false }, { kills: 0 }, { faults: 0 }]) {
    assert.equal(soakFailures({ ...fine, ...wrong }).length, 1, JSON.stringify(wrong));
  }
});

test('percentiles of many requests', () => {
  const latencies = createLatencies();
  assert.ok(Number.isNaN(latencies.percentile(0.5)));
  for (let ms = 1; ms <= 1000; ms++) latencies.add(ms);
  assert.deepEqual([0.5, 0.99, 1].map(latencies.percentile), [500, 990, 1000]);
});

test('one call in five goes wrong, in all the ways there are', () => {
  const simulator = /** @type {any} */ ({ faults: { calls: [], token: '' } });
  const trouble = createTrouble(simulator);
  let calls = 0;
  while (calls < 20_000) {
    trouble.goOn();
    const { calls: faults } = simulator.faults;
    const fault = faults.find((/** @type {any} */ { path }) => path === undefined);
    calls += fault.times ?? 1;
    faults.splice(faults.indexOf(fault), 1);
    simulator.faults.token = '';
  }
  trouble.end();
  assert.ok(Math.abs(trouble.ofCalls() / calls - 0.2) < 0.02, `${trouble.ofCalls()} of ${calls}`);
  assert.ok(Object.keys(trouble.injected).length >= 17, Object.keys(trouble.injected).join());
  assert.deepEqual(simulator.faults, { calls: [], token: '' });
});

test('a connection opens again after its end, and tells that there was no answer', async (t) => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.on('data', (text) => {
      if (String(text) === 'end') return socket.destroy();
      // In two pieces, as it may come.
      socket.write('HTTP/1.1 202 Accepted\r\nContent-Le');
      return setImmediate(() => socket.write('ngth: 2\r\n\r\n{}'));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const connection = createConnection(() => new URL(`http://127.0.0.1:${port}`));
  t.after(() => connection.close());
  assert.deepEqual((await connection.send('a')).status, 202);
  assert.deepEqual((await connection.send('b')).body, '{}');
  assert.equal(connections, 1);
  assert.deepEqual(await connection.send('end'), { status: 0, body: '' });
  assert.equal((await connection.send('c')).status, 202);
  assert.equal(connections, 2);
});
