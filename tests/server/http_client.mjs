/** Requests as any client could make them: with any header, from any local address, or byte by byte. */

import { request as send } from 'node:http';
import { connect } from 'node:net';
import { ORIGIN } from './server_process.mjs';

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {import('node:http').IncomingHttpHeaders} headers
 * @property {Buffer} body
 * @property {any} json the body, where it is JSON
 */

/**
 * @param {string} url
 * @param {{method?: string, headers?: Record<string, string | string[]>, body?: string | Buffer, localAddress?: string,
 *   agent?: import('node:http').Agent}} [options]
 * @returns {Promise<Answer>}
 */
export function request(url, { method = 'GET', headers = {}, body = '', localAddress, agent } = {}) {
  return new Promise((resolve, reject) => {
    const outgoing = send(url, { method, headers, localAddress, agent: agent || false }, (incoming) => {
      /** @type {Buffer[]} */
      const parts = [];
      incoming.on('data', (part) => parts.push(part));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const bytes = Buffer.concat(parts);
        const isJson = incoming.headers['content-type'] === 'application/json' && bytes.length > 0;
        resolve({
          status: Number(incoming.statusCode),
          headers: incoming.headers,
          body: bytes,
          json: isJson ? JSON.parse(String(bytes)) : undefined,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/**
 * Asks for a hash as a page of an allowed origin does.
 * @param {{url: string}} server
 * @param {unknown} body text as it is, all else as JSON
 * @param {{origin?: string, localAddress?: string, headers?: Record<string, string>}} [options]
 */
export function askForHash(server, body, { origin = ORIGIN, localAddress, headers = {} } = {}) {
  return request(`${server.url}/v1/hash`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain', Origin: origin, ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    localAddress,
  });
}

/**
 * A connection on which anything can be written.
 * @param {{url: string}} server
 * @param {string} [localAddress]
 */
export async function openConnection(server, localAddress) {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ port: Number(port), host: hostname, localAddress });
  let received = '';
  socket.setEncoding('latin1').on('data', (text) => {
    received += text;
  });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  // A server that closes while there is more to read resets the connection; that is an end like another.
  const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', () => resolve(received)));
  return { socket, received: () => received, closed: /** @type {Promise<string>} */ (closed) };
}

/**
 * Writes bytes on a connection of their own, and resolves with all that came back until the server closed it.
 * @param {{url: string}} server
 * @param {string | Buffer} bytes text is taken as Latin-1
 */
export async function sendRaw(server, bytes) {
  const { socket, closed } = await openConnection(server);
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  socket.end();
  return closed;
}
