/**
 * What somebody would write in Node.js to lose nothing: node:http, and a file that each event is appended to and that is
 * synced before the event is answered. Prints its port.
 *
 *     node tests/bench/node_intake.mjs FILE
 */

import { fdatasync, openSync, write } from 'node:fs';
import { createServer } from 'node:http';

const AUTHORIZATION = process.env.AUTHORIZATION;
const file = openSync(process.argv[2], 'a');

/** @param {string} event @param {(error: Error | null) => void} done */
function keep(event, done) {
  write(file, `${event}\n`, (error) => {
    if (error) done(error);
    else fdatasync(file, done);
  });
}

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text) => {
    body += text;
  });
  request.on('end', () => {
    if (request.method !== 'POST' || request.headers.authorization !== AUTHORIZATION) {
      response.writeHead(401).end();
      return;
    }
    keep(JSON.stringify(JSON.parse(body)), (error) => {
      response.writeHead(error ? 500 : 200, { 'Content-Type': 'application/json' });
      response.end(error ? undefined : '{"success":true}');
    });
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(/** @type {import('node:net').AddressInfo} */ (server.address()).port);
});
