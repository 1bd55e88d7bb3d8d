/** The snippet for a page's <head> as HTML, for sites that make their pages on a server. */

import { stub } from '#generated/stub.js';
import { MUNCHKIN_URL } from './munchkin.js';

/** @param {string} text */
const attribute = (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;');

/** JSON that no HTML parser takes for the end of the script. @param {unknown} value */
const literal = (value) => JSON.stringify(value).replace(/</g, '\\u003c');

/**
 * @typedef {object} Place
 * @property {string} [src] where munchkin-shim.js is; at the server
 * @property {string} [global] another name than analytics
 */

/**
 * A stub that keeps calls until the shim is there, and the start of both downloads, Munchkin's and the shim's.
 * @param {string} munchkinId like 123-ABC-456
 * @param {import('./analytics.js').Options & Place} options of analytics.load; nonce goes on each tag
 * @returns {string}
 */
export function snippetHtml(munchkinId, { src, global = 'analytics', ...options }) {
  const nonce = options.nonce ? ` nonce="${attribute(options.nonce)}"` : '';
  const named = global === 'analytics' ? '' : ` data-global="${attribute(global)}"`;
  const script = attribute(src || `${options.server}/munchkin-shim.js`);
  // With crossorigin the request for the hash finds the connection open: browsers keep those with cookies apart.
  return `<link rel="preload" as="script"${nonce} href="${attribute(options.munchkinUrl || MUNCHKIN_URL)}">
<script${nonce}>
${stub}(window,${[global, munchkinId, options].map(literal).join()});
${global}.page();
</script>
<script async crossorigin${nonce}${named} src="${script}"></script>
`;
}
