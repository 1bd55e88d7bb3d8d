/**
 * The world that the documents speak of, each name in it played by the real thing on this machine or by the simulator,
 * so that their code runs as it is printed:
 *
 *     https://www.example.com             the site; /marketo/ has copies of dist/
 *     https://events.example.com          munchkin-server
 *     561-HYG-937                         the Munchkin ID
 *     https://munchkin.marketo.net,
 *     https://561-HYG-937.mktoresp.com,
 *     https://app-sj01.marketo.com        the simulator
 *     127.0.0.1:80xx, localhost:80xx      free ports, in shell commands
 *
 * A test names what else its page may ask; anything more is refused, and fails the test.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { customer, MUNCHKIN_ID } from '../browser/customer.mjs';
import { freePort } from '../package/site.mjs';

export const SITE = 'https://www.example.com';

/** Marketo takes events under a name of its own, and its tracker knows it; the simulator's sends to where it came from. */
const COLLECTOR = `https://${MUNCHKIN_ID.toLowerCase()}.mktoresp.com`;
const COLLECTOR_IN_TRACKER = "config.notifyPrefix ?? scriptOrigin";

/** @typedef {import('playwright-core').Route} Route */
/** @typedef {(route: Route, url: URL) => Promise<unknown>} Player answers for a host */

/** @param {string} origin that answers instead @param {(text: string) => string} [change] @returns {Player} */
export const playedBy = (origin, change) => async (route, url) => {
  const response = await route.fetch({ url: origin + url.pathname + url.search });
  await route.fulfill(change ? { response, body: change(await response.text()) } : { response });
};

/** Starts the world before the tests of a file, and ends it after them. */
export function exampleSite() {
  const world = customer({ origin: SITE });

  /** @param {string} text the tracker's */
  const withCollector = (text) => {
    assert.equal(text.split(COLLECTOR_IN_TRACKER).length, 2, "The simulator's tracker has changed.");
    return text.replace(COLLECTOR_IN_TRACKER, `'${COLLECTOR}'`);
  };

  /** @type {() => Record<string, Player>} by origin */
  const players = () => ({
    [SITE]: (route, url) => {
      if (url.pathname.startsWith('/marketo/')) url.pathname = url.pathname.replace('/marketo/', '/dist/');
      return playedBy(world.siteAddress)(route, url);
    },
    'https://events.example.com': playedBy(world.serverUrl),
    'https://munchkin.marketo.net': (route, url) =>
      playedBy(world.simulator.url, /^\/\d+\//.test(url.pathname) ? withCollector : undefined)(route, url),
    [COLLECTOR]: playedBy(world.simulator.url),
    'https://app-sj01.marketo.com': playedBy(world.simulator.url),
  });

  return Object.assign(world, {
    /**
     * Opens a page of the site as a new visitor, or one who has been here. The page must do without exceptions, and
     * without requests to hosts that nobody plays.
     * @param {import('node:test').TestContext} t
     * @param {Omit<import('../browser/customer.mjs').Visit, 'prepare'> & {hosts?: Record<string, Player>}} visit
     */
    async visit(t, { hosts, ...visit }) {
      /** @type {string[]} */
      const strays = [];
      /** @type {string[]} every address that was asked, in order */
      const requests = [];
      const opened = await world.open(t, {
        ...visit,
        prepare: (page) =>
          page.route('**/*', async (route) => {
            const url = new URL(route.request().url());
            if (url.protocol === 'data:') return route.continue();
            requests.push(url.href);
            const player = { ...players(), ...hosts }[url.origin];
            // A page that is closed meanwhile no longer waits for its answers.
            if (player) return Promise.resolve(player(route, url)).catch(() => {});
            strays.push(url.href);
            return route.abort();
          }),
      });
      t.after(() => assert.deepEqual([...opened.errors, ...strays], []));
      return { ...opened, requests };
    },

    /** What has become of leads, in the order of their arrival. */
    leads: () =>
      world.simulator.events
        .filter(({ type }) => type === 'associateLead' || type === 'formSubmit')
        .map(({ leadFields }) => leadFields),
  });
}

/** Where a document names a port of this computer. */
const PORT = /(?<=127\.0\.0\.1:|localhost:|--port )80\d\d\b/g;

/** Names the ports that are in use for those of a document. @param {string} text @param {Record<string, number>} ports */
export const withPorts = (text, ports) => text.replace(PORT, (port) => String(ports[port]));

/**
 * Runs commands of a document in the repository, with free ports in place of those that they name.
 * @param {{after: (end: () => Promise<void>) => void}} t ends them
 * @param {string} commands
 * @param {Record<string, number>} [ports] those that are in use already, by the number in the document
 */
export async function shell(t, commands, ports = {}) {
  for (const port of commands.match(PORT) || []) ports[port] ??= await freePort();
  const text = withPorts(commands, ports);
  const child = spawn('sh', ['-c', text], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a process group, whose end is that of all that it started
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part) => {
      output += part;
      child.emit('output');
    });
  }
  const closed = once(child, 'close').finally(() => process.off('exit', kill));
  const kill = () => {
    try {
      process.kill(-Number(child.pid), 'SIGTERM');
    } catch {
      // It has ended.
    }
  };
  process.once('exit', kill);
  t.after(async () => {
    kill();
    await closed;
  });
  return {
    ports,
    output: () => output,
    /** The exit code. */
    ended: closed.then(([code]) => code),
    /** Waits until it has written this. @param {RegExp} pattern */
    async wrote(pattern) {
      while (!pattern.test(output)) {
        assert.equal(child.exitCode, null, `${text}\n${output}`);
        await Promise.race([once(child, 'output'), closed]);
      }
      return /** @type {RegExpExecArray} */ (pattern.exec(output));
    },
  };
}
