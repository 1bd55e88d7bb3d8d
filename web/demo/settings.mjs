/** What a person may choose about the demo, all of it by environment variables. */

import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

/** Something that the person who started the demo can mend; the message says how. */
export class SetupError extends Error {}

/**
 * @typedef {object} Settings
 * @property {number} port         of the shop; 0 takes a free one
 * @property {string} address      to listen on
 * @property {string[]} hostnames  under which a browser may open the shop, as they stand in URLs; the first is printed
 * @property {string} munchkinId
 * @property {boolean} simulated   whether Marketo is played by the simulator
 * @property {string} privateKey
 * @property {boolean} keyIsGiven  false: the key is a random one, made for this run
 */

/**
 * @param {Record<string, string | undefined>} environment
 * @returns {Promise<Settings>}
 */
export async function readSettings(environment) {
  const { PORT = '8080', HOST = '127.0.0.1', MUNCHKIN_ID, MARKETO_API_PRIVATE_KEY } = environment;
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65535) {
    throw new SetupError(`PORT must be a number from 0 to 65535, not "${PORT}". Try: PORT=8081 make demo`);
  }
  if (MUNCHKIN_ID !== undefined && !/^\d{3}-[A-Z]{3}-\d{3}$/.test(MUNCHKIN_ID)) {
    throw new SetupError(
      `MUNCHKIN_ID "${MUNCHKIN_ID}" is no Munchkin ID. One looks like 123-ABC-456;\n` +
        'yours is in Marketo under Admin > Integration > Munchkin.\n' +
        'Without MUNCHKIN_ID the demo runs against a simulated Marketo.',
    );
  }
  const simulated = MUNCHKIN_ID === undefined;
  // The simulator gets a key of its own even if there is a real one, which has no business in a simulation.
  const givenKey = simulated ? undefined : MARKETO_API_PRIVATE_KEY;
  return {
    port: Number(PORT),
    ...(await interfaceOf(HOST)),
    munchkinId: MUNCHKIN_ID ?? '561-HYG-937',
    simulated,
    privateKey: givenKey || randomBytes(32).toString('hex'),
    keyIsGiven: Boolean(givenKey),
  };
}

/** @param {string} host */
async function interfaceOf(host) {
  const { address, family } = await lookup(host, { family: host === 'localhost' ? 4 : 0 }).catch(() => {
    throw new SetupError(`HOST "${host}" is no address of this computer. Try: HOST=127.0.0.1 make demo`);
  });
  const names = [host, address];
  const isEvery = address === '0.0.0.0' || address === '::';
  // "Every interface" is an address to listen on, not one to open: the real ones stand in for it.
  if (isEvery) names.splice(0, 2, '127.0.0.1', ...Object.values(networkInterfaces()).flatMap(ownAddresses));
  if (isEvery || address === '127.0.0.1') names.push('localhost');
  return { address: family === 6 ? `[${address}]` : address, hostnames: [...new Set(names.map(inUrl))] };
}

/** @param {import('node:os').NetworkInterfaceInfo[]} [infos] */
const ownAddresses = (infos = []) => infos.filter(({ family }) => family === 'IPv4').map(({ address }) => address);

/** @param {string} host */
const inUrl = (host) => (host.includes(':') ? `[${host}]` : host.toLowerCase());
