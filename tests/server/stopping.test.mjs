import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openConnection, request } from './http_client.mjs';
import { KEY, ORIGIN, startServer } from './server_process.mjs';

const settings = { args: ['--allow-origin', ORIGIN], env: { MARKETO_API_PRIVATE_KEY: KEY } };
const body = '{"email":"a@b.co"}';

for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGTERM', 'SIGINT'])) {
  test(`${signal} ends it with 0, idle connections or not`, async () => {
    const server = await startServer(settings);
    const idle = await openConnection(server);
    assert.equal(await server.stop(signal), 0, server.output());
    assert.equal(await idle.closed, '');
    assert.match(server.output(), /"event":"stopping".*\n.*"event":"stopped"/);
    assert.doesNotMatch(server.output(), /requests_cut_off/);
    await assert.rejects(request(`${server.url}/healthz`), { code: 'ECONNREFUSED' });
  });
}

test('a request that is on its way is answered; new connections are not taken', async () => {
  const server = await startServer(settings);
  const { socket, received, closed } = await openConnection(server);
  // Half a request, and proof that the server has it: the answer to the one before.
  socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nPOST /v1/hash HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nContent-Length: ${body.length}\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  await inFlight(server, 2); // that one, and the request for the metrics itself

  const stopped = server.stop();
  await refusesConnections(server);
  socket.write(body);
  assert.match((await closed).slice(received().indexOf('HTTP/1.1 200', 10)), /"hash":"[0-9a-f]{40}"/);
  assert.equal(await stopped, 0, server.output());
  assert.doesNotMatch(server.output(), /requests_cut_off/);
});

test('a request that never ends does not keep it for ever', async () => {
  const server = await startServer(settings);
  const { socket } = await openConnection(server);
  socket.write(`POST /v1/hash HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nContent-Length: 100\r\n\r\n{`);
  await inFlight(server, 2);
  assert.equal(await server.stop(), 0, server.output());
  assert.match(server.output(), /"event":"requests_cut_off"/);
});

/** Resolves once the server counts so many requests in flight. @param {{url: string}} server @param {number} count */
async function inFlight(server, count) {
  const expected = `munchkin_server_requests_in_flight ${count}\n`;
  while (!String((await request(`${server.url}/metrics`)).body).includes(expected));
}

/** Resolves once nobody listens there any more. @param {{url: string}} server */
async function refusesConnections(server) {
  for (;;) {
    try {
      (await openConnection(server)).socket.destroy();
    } catch {
      return;
    }
  }
}
