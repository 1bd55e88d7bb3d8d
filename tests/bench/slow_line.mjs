/**
 * A slow line in front of servers on this computer. What DevTools emulates delays answers, but opens connections at no cost;
 * here a new connection costs its round trips as well, and all connections share the line's bandwidth.
 */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** TCP's handshake, and TLS 1.3's. */
const SETUP_ROUND_TRIPS = 2;

/** Sizes in which the line takes turns between connections, as packets do. */
const PACKET = 1400;

/**
 * @param {{roundTrip: number, bytesPerSecond: number}} line round trip in ms
 */
export function createSlowLine({ roundTrip, bytesPerSecond }) {
  /** Until when the line towards the browser is busy, in ms. */
  let busyUntil = 0;
  /** @type {import('node:net').Server[]} */
  const servers = [];

  /** Gives bytes on at a time, in order. @param {import('node:net').Socket} to @param {Buffer | undefined} bytes nothing ends it @param {number} at */
  const giveOn = (to, bytes, at) => {
    setTimeout(() => (bytes ? to.write(bytes) : to.end()), at - performance.now());
  };

  return {
    /**
     * The origin that leads to a server over this line.
     * @param {string} url
     */
    async to(url) {
      const { hostname, port } = new URL(url);
      const server = createServer((browser) => {
        const origin = connect(Number(port), hostname);
        const open = performance.now() + SETUP_ROUND_TRIPS * roundTrip;
        for (const socket of [browser, origin]) socket.setNoDelay().on('error', () => socket.destroy());
        let last = 0;
        const up = () => Math.max(open, performance.now()) + roundTrip / 2;
        browser.on('data', (bytes) => giveOn(origin, bytes, up()));
        browser.on('end', () => giveOn(origin, undefined, up()));
        origin.on('data', (bytes) => {
          for (let start = 0; start < bytes.length; start += PACKET) {
            const packet = bytes.subarray(start, start + PACKET);
            busyUntil = Math.max(busyUntil, performance.now()) + (packet.length / bytesPerSecond) * 1000;
            last = busyUntil + roundTrip / 2;
            giveOn(browser, packet, last);
          }
        });
        origin.on('end', () => giveOn(browser, undefined, last));
      }).listen(0, '127.0.0.1');
      servers.push(server);
      await once(server, 'listening');
      return `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
    },
    close() {
      for (const server of servers) server.close();
    },
  };
}
