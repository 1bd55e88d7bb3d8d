/** A nameserver that does not answer holds up only what needs it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFaults } from '../faults/faults.mjs';
import { cookieOf, eventually, intakeFor, REST } from './intake.mjs';
import { FAULTY_SERVER } from './server_process.mjs';

test('while a lookup takes for ever, all else goes on, and so does stopping', { timeout: 60_000 }, async (t) => {
  const faults = createFaults(t);
  const { server, simulator, post, ask } = await intakeFor(t, {
    // The collector's host is an address, which needs no lookup.
    args: ['--rest-url', 'http://marketo.test'],
    env: { ...REST, ...faults.env },
    binary: FAULTY_SERVER,
  });
  faults.arm('getaddrinfo', 'ETIMEDOUT', 1, 1_000_000);
  try {
    await post('/v1/identify', { userId: 'ada@example.com' });
    // Given up after ten seconds, and tried again, while the first one is still under way.
    await eventually(() => faults.failed() === 2, 'a second lookup');
    for (let n = 1; n <= 3; n++) {
      await post('/v1/page', { properties: { url: `https://www.example.com/${n}` }, context: { Marketo: { marketoCookie: cookieOf(n) } } });
      await simulator.waitFor(({ path }) => path === `/${n}`);
    }
    assert.equal(await server.stop(), 0, server.output());
  } finally {
    // A server that waits for the lookup can be stopped now, too.
    faults.disarm();
  }
  assert.doesNotMatch(server.output(), /Sanitizer|runtime error/);
  assert.deepEqual(ask('dead', 'list'), []);
});
