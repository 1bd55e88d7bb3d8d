/** Connections that the server has kept, and that break under a request: whether and when that is sent again is the server's to say, not libcurl's. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cookieOf, eventually, intakeFor } from './intake.mjs';

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

for (const [what, method, path] of /** @type {[string, string, RegExp][]} */ ([
  ['a visit', 'POST', /^\/webevents\/visitWebPage$/],
  ['a tie of a cookie to its lead', 'POST', /\/associate\.json$/],
  ['the question whose a cookie is', 'GET', /^\/rest\/v1\/leads\.json$/],
])) {
  test(`${what}, on connections that are kept and break: it is sent once, and again after a pause`, async (t) => {
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
