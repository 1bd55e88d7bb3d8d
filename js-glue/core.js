/**
 * The rules as functions of objects, for any runtime with WebAssembly: `munchkin-shim/core`.
 */

import { wasmBytes } from '#generated/wasm.js';
import { failure } from './outcome.js';
import { createHost, REQUEST_MAX } from './rules.js';

/**
 * @typedef {import('./rules.js').VisitResult} VisitResult
 * @typedef {import('./rules.js').LeadResult} LeadResult
 * @typedef {import('./rules.js').ErrorResult} ErrorResult
 * @typedef {import('./rules.js').CallName} CallName
 * @typedef {import('./rules.js').CoreImports} CoreImports
 * @typedef {import('./rules.js').CoreExports} CoreExports
 */

/**
 * @typedef {object} VisitOptions
 * @property {string} [base] the page's URL
 * @property {boolean} [hashRouting] a fragment that begins with "/" is the path
 * @property {number} [urlLimit] characters in `url`; 255
 * @property {number} [paramsLimit] characters in `params`; 2000
 */

/**
 * @typedef {{url?: string} & VisitOptions} PageRequest
 * @typedef {{event?: string, properties?: object | null} & VisitOptions} TrackRequest
 * @typedef {{userId?: string | number | null, traits?: object | null}} IdentifyRequest
 */

/**
 * @typedef {object} Core
 * @property {(request: PageRequest) => VisitResult | ErrorResult} page
 * @property {(request: TrackRequest) => VisitResult | ErrorResult} track
 * @property {(request: IdentifyRequest) => LeadResult | ErrorResult} identify
 * @property {(name: CallName, request: string | Uint8Array) => VisitResult | LeadResult | ErrorResult} call
 *   with a request that is JSON already
 */

/**
 * A core of its own, ready for use. Compiles the embedded WebAssembly module unless given:
 *
 * - `module`: a compiled one, say of `munchkin-shim/munchkin_shim.wasm`, where compiling is
 *   not allowed at run time;
 * - `instantiate`: another implementation, such as `munchkinShimAsm` of munchkin-shim.asm.js.
 *
 * @param {{module?: WebAssembly.Module, instantiate?: (imports: CoreImports) => CoreExports}} [options]
 * @returns {Core}
 */
export function createCore({ module, instantiate } = {}) {
  const host = createHost();
  const exports = instantiate
    ? instantiate(host.imports)
    : /** @type {any} */ (new WebAssembly.Instance(module || new WebAssembly.Module(wasmBytes()), host.imports).exports);
  host.connect(exports);

  /** @type {(name: CallName, request: string | Uint8Array) => any} */
  const call = (name, request) => {
    if (typeof request === 'string') return host.call(name, request);
    if (request.length <= REQUEST_MAX) {
      const address = exports.ms_input(REQUEST_MAX); // before the buffer is looked at, which may be another then
      new Uint8Array(exports.memory.buffer, address).set(request);
    }
    return host.carryOut(name, request.length);
  };

  /** @param {CallName} name */
  const caller = (name) => (/** @type {object} */ request) => {
    let json;
    try {
      json = JSON.stringify(request);
    } catch (reason) {
      return failure('arguments_invalid');
    }
    return call(name, String(json));
  };
  return { page: caller('page'), track: caller('track'), identify: caller('identify'), call };
}
