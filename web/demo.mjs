/**
 * The demo: a small shop that tracks its visitors, munchkin-server beside it, and a simulated Marketo.
 *
 *     node web/demo.mjs        PORT and HOST say where, MUNCHKIN_ID=123-ABC-456 takes the real Marketo
 */

import { randomUUID } from 'node:crypto';
import { startSimulator } from '../tests/sim/simulator.mjs';
import { readSettings, SetupError } from './demo/settings.mjs';
import { startSigningServer } from './demo/signing-server.mjs';
import { startSite } from './demo/site.mjs';

/** What has to be ended, last started first. @type {(() => Promise<unknown>)[]} */
const parts = [];
let isEnding = false;

/** @param {number} exitCode */
async function end(exitCode) {
  if (isEnding) return;
  isEnding = true;
  process.exitCode = exitCode;
  while (parts.length > 0) await parts.pop()?.();
}

async function start() {
  const settings = await readSettings(process.env);
  const { address, hostnames, munchkinId, privateKey, keyIsGiven, simulated } = settings;

  /** @type {(surroundings: (hostname: string) => import('./demo/site.mjs').Surroundings) => void} */
  let open = () => {};
  // The site first: its port is what the server has to know, and what can be taken.
  const site = await startSite(settings, new Promise((resolve) => (open = resolve)));
  parts.push(site.close);

  const simulator = simulated
    ? await startSimulator({ host: address.replace(/[[\]]/g, ''), privateKey, associateLead: 'honoured' })
    : undefined;
  if (simulator) parts.push(simulator.close);

  const origins = hostnames.map((hostname) => new URL(`http://${hostname}:${site.port}`).origin);
  const server = await startSigningServer({ address, origins, privateKey });
  parts.push(server.stop);
  server.ended.then((how) => {
    if (isEnding) return;
    console.error(`\nmunchkin-server has ended by itself (${how}), so the demo ends too.`);
    return end(1);
  });

  const run = randomUUID();
  open((wanted) => {
    const hostname = hostnames.includes(wanted) ? wanted : hostnames[0];
    return {
      munchkinId,
      server: `http://${hostname}:${server.port}`,
      simulator: simulator && `http://${hostname}:${new URL(simulator.url).port}`,
      since: simulator?.events.at(-1)?.number ?? 0,
      keyIsGiven,
      run,
    };
  });
  greet(settings, { site: origins[0], server: server.port, simulator: simulator?.url });
}

/**
 * @param {import('./demo/settings.mjs').Settings} settings
 * @param {{site: string, server: number, simulator?: string}} started
 */
function greet({ hostnames, munchkinId, keyIsGiven }, { site, server, simulator }) {
  const key = keyIsGiven ? 'MARKETO_API_PRIVATE_KEY' : 'a random key of this run';
  const marketo = simulator
    ? `${simulator}  simulated; nothing leaves this computer`
    : `your account ${munchkinId}; look there for what arrived`;
  console.log(`Larder, a small shop that tells Marketo about its visitors:

  shop             ${site}
  munchkin-server  http://${hostnames[0]}:${server}  signs with ${key}
  Marketo          ${marketo}
`);
  if (!simulator && !keyIsGiven) {
    console.log('Marketo will not accept these signatures: set MARKETO_API_PRIVATE_KEY to have your own.\n');
  }
  console.log(`Ctrl-C ends it all. Open this in a browser:\n${site}/`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(0));

start().catch((error) => {
  console.error(error instanceof SetupError ? error.message : error);
  return end(1);
});
