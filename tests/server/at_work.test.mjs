/** Calls whose line breaks, or that a gateway gives up, while Marketo is at work on them: it must not be at work on the same lead twice. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startSimulator } from '../sim/simulator.mjs';
import { CLIENT, startQueue, until } from './queue_driver.mjs';

const LEADS = '/rest/v1/leads.json';
/** So long Marketo may be at work on a call, in ms. */
const LONGEST = 90_000;
/** It is counted from the start of a call, which takes a moment to reach Marketo. */
const ON_ITS_WAY = 5000;

/**
 * A queue, and between it and Marketo a gateway, which gives up what it is asked to, and may be down.
 * @param {import('node:test').TestContext} t
 */
async function gatewayWorld(t) {
  const marketo = await startSimulator({ restClient: CLIENT });
  t.after(() => marketo.close());
  marketo.clock.set('2026-11-24T18:00:00Z');
  /** @type {Set<import('node:http').ServerResponse>} of what Marketo has yet to answer */
  const open = new Set();
  const gateway = createServer(async (incoming, response) => {
    const chunks = await incoming.toArray();
    open.add(response);
    const { method, headers, url } = incoming;
    const onward = request(`${marketo.url}${url}`, { method, headers }, (answer) => {
      if (!open.delete(response)) return void answer.resume();
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => {}).end(Buffer.concat(chunks));
  });
  const up = async (port = 0) => {
    gateway.listen(port, '127.0.0.1');
    await once(gateway, 'listening');
    return /** @type {import('node:net').AddressInfo} */ (gateway.address()).port;
  };
  const down = async () => {
    gateway.closeAllConnections();
    await new Promise((resolve) => {
      gateway.close(resolve);
    });
  };
  const port = await up();
  t.after(down);
  const queue = await startQueue({ ...marketo, url: `http://127.0.0.1:${port}` }, { interval: 0 });
  t.after(() => queue.end());
  /** Ends all that is open. @param {number} [status] with this, or by breaking the line */
  const giveUp = (status) => {
    for (const response of open) {
      if (status) response.writeHead(status, { 'Content-Type': 'text/html' }).end('<h1>gateway</h1>');
      else response.socket?.resetAndDestroy();
    }
    open.clear();
  };
  /** Resolves once the queue's side can know of it. */
  const hangUp = async () => {
    gateway.closeIdleConnections();
    await delay(100);
  };
  const syncs = () => marketo.rest.calls.filter(({ method, path }) => method === 'POST' && path === LEADS);
  return { marketo, queue, giveUp, hangUp, syncs, up: () => up(port), down };
}

for (const status of [0, 502, 504]) {
  test(`${status || 'a line that breaks'} while Marketo is at work on a new lead: it is sent again once that is surely over, and made once`, async (t) => {
    const { marketo, queue, giveUp, syncs } = await gatewayWorld(t);
    marketo.faults.calls.push({ path: LEADS, delayMs: 200 });
    await queue.lead('ada@example.com', { FirstName: 'Ada' });
    await until(() => syncs().length === 1, 'the first call');
    giveUp(status);
    await queue.passUntil(() => syncs().length === 2, { step: 5000 });
    const [first, second] = syncs();
    assert.ok(second.at - first.at >= LONGEST - ON_ITS_WAY, `${second.at - first.at} ms`);
    await until(() => marketo.leads.get('ada@example.com')?.fields.FirstName === 'Ada', 'the lead');
    assert.equal(marketo.leadsById.size, 1);
    assert.deepEqual(marketo.rest.overlaps, []);
  });
}

test('where nothing was sent, and where Marketo itself says that it failed, a lead goes again in seconds', async (t) => {
  const { marketo, queue, syncs, up, down } = await gatewayWorld(t);
  await queue.lead('ada@example.com');
  await until(() => syncs().length === 1, 'the first lead');
  await down();
  const start = marketo.clock.now();
  await queue.lead('grace@example.com');
  await queue.passUntil(() => queue.log().includes('marketo_does_not_answer'), { step: 1000 });
  await up();
  marketo.faults.calls.push({ path: LEADS, status: 503 });
  await queue.passUntil(() => marketo.leads.has('grace@example.com'), { step: 1000 });
  assert.ok(marketo.clock.now() - start < LONGEST, `${marketo.clock.now() - start} ms`);
});

test('a kept connection that Marketo closed while nothing was on it is no failure: a lead goes at once', async (t) => {
  const { marketo, queue, syncs, hangUp } = await gatewayWorld(t);
  await queue.lead('ada@example.com');
  await until(() => marketo.leads.has('ada@example.com'), 'the first lead');
  await hangUp();
  await queue.lead('grace@example.com');
  await until(() => marketo.leads.has('grace@example.com'), 'the second lead, though no time goes by');
  assert.equal(syncs().length, 2);
});
