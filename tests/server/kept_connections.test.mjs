/** Which calls leave by a connection that was kept, and what becomes of one under which it breaks: to send it again is the server's to say, not libcurl's. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startSimulator } from '../sim/simulator.mjs';
import { CLIENT, cookieOf, eventually, intakeFor } from './intake.mjs';

/** What waits before it is sent again waits a second at least; libcurl would not wait at all. */
const APART = 500;

/** Who is identified, and visits a page. @param {number} n */
const messagesOf = (n) => {
  const context = { Marketo: { marketoCookie: cookieOf(n) } };
  return [
    { type: 'identify', userId: `p${n}@example.com`, context },
    { type: 'page', properties: { url: `https://www.example.com/${n}` }, context },
  ];
};

/** No connection that has rested for longer is used again, in ms; libcurl counts seconds. */
const LONGEST_REST = 3000;

/**
 * A server behind whose Marketo stands a gateway, which never closes a connection.
 * @param {import('node:test').TestContext} t
 */
async function gatewayWorld(t) {
  const marketo = await startSimulator({ restClient: CLIENT });
  t.after(() => marketo.close());
  /** @type {Map<import('node:net').Socket, string[]>} what was asked for on each connection */
  const connections = new Map();
  const gateway = createServer({ keepAliveTimeout: 0 }, async (incoming, response) => {
    const { method, headers, url = '', socket } = incoming;
    connections.set(socket, [...(connections.get(socket) ?? []), url]);
    const chunks = await incoming.toArray();
    const onward = request(marketo.url + url, { method, headers, agent: false }, (answer) => {
      delete answer.headers.connection;
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.end(Buffer.concat(chunks));
  });
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  t.after(() => {
    gateway.closeAllConnections();
    gateway.close();
  });
  const url = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (gateway.address()).port}`;
  const { post } = await intakeFor(t, { args: ['--rest-url', url, '--webevents-url', url] });
  /** Connections with such requests. @param {RegExp} path */
  const withPath = (path) => [...connections.values()].filter((urls) => urls.some((one) => path.test(one)));
  return { marketo, post, withPath };
}

test('a call of the API has a connection of its own, which Marketo cannot have closed', async (t) => {
  const { marketo, post, withPath } = await gatewayWorld(t);
  for (let n = 0; n < 4; n++) {
    await post('/v1/batch', { batch: messagesOf(n) });
    await eventually(() => marketo.leads.get(`p${n}@example.com`)?.tokens.length, 'the lead and its cookie');
  }
  const ofTheApi = withPath(/^\/(rest|identity)\//);
  assert.deepEqual(ofTheApi.filter((urls) => urls.length !== 1), []);
  assert.equal(ofTheApi.length, marketo.rest.calls.length + 1, 'and one for the token');
});

test('visits share connections, but none that has rested for long', async (t) => {
  const { marketo, post, withPath } = await gatewayWorld(t);
  let visits = 0;
  const visit = async () => {
    visits += 1;
    await post('/v1/page', messagesOf(visits)[1]);
    await eventually(() => marketo.events.length === visits, 'the visit');
  };
  for (let n = 0; n < 5; n++) await visit();
  const before = withPath(/^\/webevents\//).length;
  assert.ok(before < visits, `${before} connections`);
  await delay(LONGEST_REST);
  await visit();
  assert.equal(withPath(/^\/webevents\//).length, before + 1);
});

for (const [what, method, path] of /** @type {[string, string, RegExp][]} */ ([
  ['a visit', 'POST', /^\/webevents\/visitWebPage$/],
  ['a tie of a cookie to its lead', 'POST', /\/associate\.json$/],
  ['the question whose a cookie is', 'GET', /^\/rest\/v1\/leads\.json$/],
])) {
  test(`${what}, on a connection that breaks: it is sent once, and again after a pause`, async (t) => {
    const { post, ask, simulator, server } = await intakeFor(t);
    const arrived = (/** @type {number[]} */ people) =>
      people.every((n) => simulator.leads.get(`p${n}@example.com`)?.tokens.length && simulator.events.some((event) => event.path === `/${n}`));
    const crowd = Array.from({ length: 10 }, (_, n) => n);
    await post('/v1/batch', { batch: crowd.flatMap(messagesOf) });
    await eventually(() => arrived(crowd), 'the first ones, and with them connections');

    /** @type {number[]} */
    const times = [];
    simulator.faults.choose = (call) => {
      if (call.method !== method || !path.test(call.path) || times.length === 2) return undefined;
      times.push(performance.now());
      return { answer: 'reset' };
    };
    await post('/v1/batch', { batch: messagesOf(10) });
    await eventually(() => times.length === 2, `two attempts\n${server.output()}`);
    assert.ok(times[1] - times[0] > APART, `${times[1] - times[0]} ms`);

    await eventually(() => arrived([10]), 'what broke twice');
    assert.equal(simulator.events.length, 11);
    assert.equal(ask('status').callsToday, simulator.rest.calls.length, 'each call is counted');
    assert.deepEqual(ask('dead', 'list'), []);
  });
}
