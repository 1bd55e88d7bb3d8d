/** Segment's hosts, with what Segment publishes: its snippet, and its analytics.js as its CDN has it. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { BACK_ENDS, bundle } from '../adapters/libraries.mjs';
import { MUNCHKIN_ID, PRIVATE_KEY } from '../browser/customer.mjs';

/** As in the documents. */
export const WRITE_KEY = 'YOUR_WRITE_KEY';

const require = createRequire(new URL('../adapters/package.json', import.meta.url));
const UMD = new URL('../adapters/node_modules/@segment/analytics-next/dist/umd/', import.meta.url);

/** The snippet that Segment tells its customers to paste, with the write key in it. @returns {string} */
export const segmentSnippet = () => require('@segment/snippet').min({ apiKey: WRITE_KEY });

/** The script of the Marketo destination, which leaves itself where Segment's loader looks. */
const DESTINATION = `
  import { Marketo } from './segment_marketo.mjs';
  Object.assign(window, { marketoDeps: [], marketoLoader() {}, marketoIntegration: Marketo });`;

/** @type {Promise<string> | undefined} */
let destination;

/** What the settings of a source say of a destination that runs in the browser. */
const MARKETO = { accountId: MUNCHKIN_ID, projectId: 'p1', type: 'browser', bundlingStatus: 'bundled' };

/**
 * @param {object} [options]
 * @param {boolean} [options.marketo] whether the Marketo destination, version 1, is turned on
 * @param {any[]} [options.events] where what Segment itself receives is noted
 * @returns {Record<string, import('./example_site.mjs').Player>}
 */
export function segmentHosts({ marketo = false, events = [] } = {}) {
  const { answer } = BACK_ENDS.segment;
  const settings = { integrations: { ...answer.integrations, ...(marketo && { Marketo: MARKETO }) } };
  return {
    'https://cdn.segment.com': async (route, url) => {
      const script = (/** @type {string} */ body) => route.fulfill({ body, contentType: 'text/javascript' });
      const cors = { 'Access-Control-Allow-Origin': '*' };
      const [, file] = /^\/analytics-next\/bundles\/([\w.-]+)$/.exec(url.pathname) || [];
      if (url.pathname === `/v1/projects/${WRITE_KEY}/settings`) return route.fulfill({ json: settings, headers: cors });
      if (url.pathname === `/analytics.js/v1/${WRITE_KEY}/analytics.min.js`) {
        return script(readFileSync(new URL('standalone.js', UMD), 'utf8'));
      }
      if (file) return script(readFileSync(new URL(file, UMD), 'utf8'));
      if (url.pathname.startsWith('/next-integrations/integrations/marketo/')) {
        destination ??= bundle(DESTINATION, new URL('.', import.meta.url));
        return script(await destination);
      }
      return route.fulfill({ status: 404 });
    },
    'https://api.segment.io': async (route, url) => {
      const [, email] = /^\/integrations\/marketo\/v1\/p1\/(.*)\/hash$/.exec(decodeURIComponent(url.pathname)) || [];
      if (email) {
        const hash = createHash('sha1').update(PRIVATE_KEY + email).digest('hex');
        return route.fulfill({ body: `${url.searchParams.get('callback')}("${hash}")`, contentType: 'text/javascript' });
      }
      events.push(route.request().postDataJSON());
      return route.fulfill({ json: { success: true }, headers: { 'Access-Control-Allow-Origin': '*' } });
    },
  };
}
