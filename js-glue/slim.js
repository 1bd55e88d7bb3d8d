/**
 * munchkin-shim for bundlers, without the WebAssembly module in it: that stays a file of its own, which
 * the page fetches. Importing it, and createAnalytics too, touch neither window nor network.
 */

import { createAnalytics as create } from './analytics.js';
import * as extras from './extras.js';
import { startRules } from './start.js';

/**
 * @typedef {import('./analytics.js').Analytics} Analytics
 * @typedef {import('./analytics.js').Options} Options
 * @typedef {import('./analytics.js').Result} Result
 */

/**
 * Where munchkin_shim.wasm is, or what it is: fetched already, or compiled.
 * @typedef {string | URL | Response | PromiseLike<Response> | WebAssembly.Module} ModuleSource
 */

/** Browsers compile nothing else while they download it. @param {Response} response */
const isStreamable = ({ headers }) =>
  'instantiateStreaming' in WebAssembly && headers.get('content-type')?.trim().toLowerCase() === 'application/wasm';

/** @param {ModuleSource} source @param {WebAssembly.Imports} imports @returns {Promise<WebAssembly.Instance>} */
async function instantiate(source, imports) {
  const given = await (typeof source === 'string' || source instanceof URL ? fetch(source) : source);
  if (!(given instanceof Response)) return WebAssembly.instantiate(given, imports);
  const { instance } = isStreamable(given)
    ? await WebAssembly.instantiateStreaming(given, imports)
    : await WebAssembly.instantiate(await given.arrayBuffer(), imports);
  return instance;
}

/**
 * @param {ModuleSource} source of `munchkin-shim/munchkin_shim.wasm`; a URL is fetched once load is called
 * @returns {Analytics} an analytics object of its own
 */
export function createAnalytics(source) {
  // It may fail before load is called; the calls report it.
  Promise.resolve(source).catch(() => {});
  return create((options) => startRules((imports) => instantiate(source, imports), options), async () => extras);
}
