/** The snippet for a page's <head> as HTML, for sites that make their pages on a server. */

import { consentStub, stub } from '#generated/stub.js';
import { MUNCHKIN_URL } from './munchkin.js';

/** @param {string} text */
const attribute = (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;');

/** JSON that no HTML parser takes for the end of the script. @param {unknown[]} values */
const literals = (...values) => values.map((value) => JSON.stringify(value).replace(/</g, '\\u003c')).join();

/**
 * @typedef {object} Place
 * @property {string} [src] where munchkin-shim.js is; at the server
 * @property {string} [global] another name than analytics
 */

/** Those of analytics.load; nonce goes on each tag. @typedef {import('./analytics.js').Options & Place} SnippetOptions */

/**
 * A stub that keeps calls until the shim is there, and the start of both downloads, Munchkin's and the shim's. Where the
 * visitor is asked first (`consent` is 'pending' or false), nothing is loaded before analytics.consent(true).
 * Throws a TypeError without `src` and `server`; and with a token that is a function, which no HTML can hold.
 * @param {string} munchkinId like 123-ABC-456
 * @param {SnippetOptions} given
 * @returns {string}
 */
export function snippetHtml(munchkinId, given) {
  const { src = '', global = 'analytics', ...options } = given ?? {};
  const nonce = options.nonce ? ` nonce="${attribute(options.nonce)}"` : '';
  if (!src && !options.server) throw new TypeError('snippetHtml needs src or server: where munchkin-shim.js is.');
  if (typeof options.token === 'function') throw new TypeError('snippetHtml cannot write a function into a page: call analytics.load there, with the token.');
  // As in load: who passes it has been told to wait for an answer. JSON would leave it out.
  if ('consent' in options) options.consent ??= 'pending';
  const script = src || `${String(options.server).replace(/\/+$/, '')}/munchkin-shim.js`;
  const code = `${stub}(window,${literals(global, munchkinId, options)}).page();`;

  if ([false, 'pending'].includes(/** @type {any} */ (options.consent))) {
    const tag = { src: script, crossorigin: '', ...(options.nonce && { nonce: options.nonce }), ...(global !== 'analytics' && { 'data-global': global }) };
    return `<script${nonce}>${code}\n${consentStub}(window,${literals(global, tag)});</script>\n`;
  }
  const named = global === 'analytics' ? '' : ` data-global="${attribute(global)}"`;
  // With crossorigin the request for the hash finds the connection open: browsers keep those with cookies apart.
  const shim = `<script async crossorigin${nonce}${named} src="${attribute(script)}"></script>\n`;
  // Where the shim decides whether Munchkin may come, nothing is asked of Marketo before.
  const isStarting = options.consent === undefined && !options.honourGpc;
  const preload = `<link rel=preload as=script${nonce} href="${attribute(options.munchkinUrl || MUNCHKIN_URL)}">\n`;
  return `${isStarting ? preload : ''}<script${nonce}>${code}</script>\n${shim}`;
}
