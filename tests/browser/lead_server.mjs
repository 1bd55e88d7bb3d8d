/** A server in munchkin-server's place, which answers as it is told and keeps what it was sent. */

import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * @typedef {object} Answer
 * @property {number} [status] 202
 * @property {object} [body]
 * @property {Record<string, string>} [headers]
 * @property {boolean} [cut] the connection, without an answer
 * @property {boolean} [stall] after the headers
 */

const QUEUED = { status: 202, body: { queued: true } };

/** @param {import('node:test').TestContext} t @param {(lead: any) => Answer | Promise<Answer>} [answer] */
export async function startLeadServer(t, answer = () => QUEUED) {
  /** @type {any[]} bodies, in order */
  const leads = [];
  /** @type {(() => void)[]} */
  let waiting = [];
  const server = createServer(async (request, response) => {
    const headers = { Connection: 'close',  'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After' };
    if (request.method !== 'POST') {
      leadServer.preflights += 1;
      return void response.writeHead(405, headers).end();
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const lead = JSON.parse(String(Buffer.concat(chunks)));
    leads.push(lead);
    waiting.forEach((look) => look());
    const { status = 202, body = {}, headers: more, cut, stall } = await leadServer.answer(lead);
    if (cut) return void request.socket.destroy();
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers, ...more });
    if (stall) return void response.flushHeaders();
    response.end(JSON.stringify(body));
  });
  const leadServer = {
    url: '',
    leads,
    preflights: 0,
    answer,

    /** Resolves once as many leads have come. @param {number} count */
    async received(count) {
      const end = Date.now() + 20_000;
      while (leads.length < count) {
        if (Date.now() > end) throw new Error(`${leads.length} leads came, not ${count}: ${JSON.stringify(leads)}`);
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, 1000);
          waiting.push(() => (clearTimeout(timer), resolve(undefined)));
        });
        waiting = [];
      }
      return leads;
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  leadServer.url = `http://127.0.0.1:${port}`;
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return leadServer;
}
