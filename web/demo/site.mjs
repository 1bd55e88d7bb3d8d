/** The shop's web site: the files of web/ that are for browsers, and no others. */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { snippetHtml } from 'munchkin-shim/snippet';
import { SetupError } from './settings.mjs';

const WEB = new URL('../', import.meta.url);

const TYPES = /** @type {Record<string, string>} */ ({
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
});

/**
 * What differs between two runs of the demo, or two ways to reach it.
 * @typedef {object} Surroundings
 * @property {string} munchkinId
 * @property {string} server        munchkin-server's origin
 * @property {string} [simulator]   the simulator's origin; none with the real Marketo
 * @property {number} since         the number of the last web event that the simulator has received
 * @property {boolean} keyIsGiven   whether signatures are made with the account's own key
 * @property {string} run           the same for all pages of one run
 */

/**
 * @typedef {object} Site
 * @property {number} port
 * @property {() => Promise<void>} close
 */

/**
 * @param {{address: string, port: number}} where
 * @param {Promise<(hostname: string) => Surroundings>} surroundings  for the host name that the browser has asked
 * @returns {Promise<Site>}
 */
export async function startSite({ address, port }, surroundings) {
  const page = readFileSync(new URL('index.html', WEB), 'utf8');
  const paths = new Set([...page.matchAll(/data-path="([^"]+)"/g)].map(([, path]) => path));

  /** @param {import('node:http').IncomingMessage} request @returns {Promise<{type: string, body: string | Buffer} | undefined>} */
  async function find(request) {
    const { pathname, hostname } = new URL(String(request.url), `http://${request.headers.host}`);
    if (paths.has(pathname)) {
      const body = fillIn(page, (await surroundings)(hostname));
      return { type: 'text/html; charset=utf-8', body };
    }
    // No dot but the one before the ending, so nothing outside web/ has such a path.
    const [file, ending] = /^(?:\/[\w-]+)+\.(css|js)$/.exec(pathname) ?? [];
    return file ? { type: TYPES[ending], body: await readFile(new URL(`.${file}`, WEB)) } : undefined;
  }

  const server = createServer(async (request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const found = isRead ? await find(request).catch(() => undefined) : undefined;
    const { type, body } = found ?? { type: 'text/plain; charset=utf-8', body: 'There is no such page in this shop.\n' };
    response.writeHead(found ? 200 : 404, { 'Content-Type': type, 'Cache-Control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  server.listen(port, address.replace(/[[\]]/g, ''));
  await once(server, 'listening').catch((error) => {
    throw new SetupError(explain(error, port));
  });

  return {
    port: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * Does to the page what its owner would do by hand: the snippet in the head, with the Munchkin ID and the server.
 * @param {string} page
 * @param {Surroundings} surroundings
 */
function fillIn(page, surroundings) {
  const { munchkinId, server, simulator } = surroundings;
  const options = { server, munchkinUrl: simulator && `${simulator}/munchkin.js` };
  return page
    .replace('<!-- snippet -->', () => snippetHtml(munchkinId, options).trim())
    .replace('"surroundings"', () => JSON.stringify(surroundings));
}

/** @param {NodeJS.ErrnoException} error @param {number} port */
function explain(error, port) {
  const retry = `Choose another: PORT=${port < 1024 ? 8080 : port === 65535 ? 8081 : port + 1} make demo`;
  if (error.code === 'EADDRINUSE') return `Port ${port} is taken, perhaps by another demo. ${retry}`;
  if (error.code === 'EACCES') return `Port ${port} is not open to you. ${retry}`;
  if (error.code === 'EADDRNOTAVAIL') return 'HOST is no address of this computer. Try: HOST=127.0.0.1 make demo';
  return `The shop cannot listen on port ${port}: ${error.message}`;
}
