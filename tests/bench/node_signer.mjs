/** What somebody would write in Node.js: node:http and node:crypto, one process. Prints its port. */

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const { MARKETO_API_PRIVATE_KEY, ALLOWED_ORIGIN } = process.env;

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text) => {
    body += text;
  });
  request.on('end', () => {
    if (request.method !== 'POST' || request.headers.origin !== ALLOWED_ORIGIN) {
      response.writeHead(403).end();
      return;
    }
    const { email } = JSON.parse(body);
    const hash = createHash('sha1').update(`${MARKETO_API_PRIVATE_KEY}${email}`).digest('hex');
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Access-Control-Allow-Origin': ALLOWED_ORIGIN,
      Vary: 'Origin',
    });
    response.end(JSON.stringify({ hash }));
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(/** @type {import('node:net').AddressInfo} */ (server.address()).port);
});
