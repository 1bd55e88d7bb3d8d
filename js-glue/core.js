/**
 * The rules, compiled from C: requests go in as JSON, results come out as JSON.
 *
 * Pure and synchronous; runs wherever WebAssembly does, without a page.
 */

import { wasmBytes } from '#generated/wasm.js';
import { failure } from './outcome.js';

/**
 * @typedef {{code: string, name?: string}} Warning
 * @typedef {{ok: true, call: ['visitWebPage', {url: string, params: string, name?: string}],
 *   warnings: Warning[]}} VisitResult
 * @typedef {{ok: true, call: ['associateLead', Record<string, string | number | boolean>],
 *   email: string, warnings: Warning[]}} LeadResult
 * @typedef {{ok: false, error: string, message: string}} ErrorResult
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
 * @property {(name: 'page' | 'track' | 'identify', request: string | Uint8Array) =>
 *   VisitResult | LeadResult | ErrorResult} call with a request that is JSON already
 */

/**
 * What the WebAssembly module, or its fallback in JavaScript, exports.
 * @typedef {object} CoreExports
 * @property {{buffer: ArrayBuffer}} memory
 * @property {(length: number) => number} ms_input
 * @property {(length: number) => number} ms_page
 * @property {(length: number) => number} ms_track
 * @property {(length: number) => number} ms_identify
 */

/** @typedef {{env: Record<string, (a: number, b: number) => number>}} CoreImports */

/** The longest request, in bytes of UTF-8; as in src/core/call.h. */
export const REQUEST_MAX = 65536;

/** @returns {{imports: CoreImports, connect: (instance: CoreExports) => Core}} */
function createHost() {
  /** @type {CoreExports} */
  let exports;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();

  /** @param {number} address @param {number} [length] */
  const bytesAt = (address, length) => new Uint8Array(exports.memory.buffer, address, length);

  /** @param {string} text ASCII @param {number} address */
  const write = (text, address) => encoder.encodeInto(text, bytesAt(address)).written;

  /** What the module asks of the JavaScript engine: numbers and dates as text. */
  const imports = {
    env: {
      /** @type {(value: number, address: number) => number} */
      format: (value, address) => write(String(value), address),
      /** @type {(address: number, length: number) => number} */
      parse: (address, length) => Number(decoder.decode(bytesAt(address, length))),
      /** @type {(time: number, address: number) => number} */
      date: (time, address) => {
        const date = new Date(time);
        const text = isNaN(+date) ? '' : date.toISOString();
        return text.length === 24 ? write(text, address) : 0;
      },
    },
  };

  /** @type {(name: 'page' | 'track' | 'identify', request: string | Uint8Array) => any} */
  const call = (name, request) => {
    const input = bytesAt(exports.ms_input(REQUEST_MAX), REQUEST_MAX);
    let length = request.length;
    if (typeof request === 'string') {
      const { read, written } = encoder.encodeInto(request, input);
      length = read < length ? REQUEST_MAX + 1 : written;
    } else if (length <= REQUEST_MAX) {
      input.set(request);
    }
    const address = exports[`ms_${name}`](length);
    const resultLength = new DataView(exports.memory.buffer).getUint32(address, true);
    const result = JSON.parse(decoder.decode(bytesAt(address + 4, resultLength)));
    return result.ok ? result : failure(result.error);
  };

  /** @param {'page' | 'track' | 'identify'} name */
  const caller = (name) => (/** @type {object} */ request) => {
    let json;
    try {
      json = JSON.stringify(request);
    } catch (reason) {
      return failure('arguments_invalid');
    }
    return call(name, String(json));
  };

  return {
    imports,
    connect(instance) {
      exports = instance;
      return { page: caller('page'), track: caller('track'), identify: caller('identify'), call };
    },
  };
}

/**
 * A core by another implementation, such as `munchkinShimAsm` of munchkin-shim.asm.js.
 * @param {(imports: CoreImports) => CoreExports} instantiate
 * @returns {Core}
 */
export function connectCore(instantiate) {
  const { imports, connect } = createHost();
  return connect(instantiate(imports));
}

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
  return connectCore(
    instantiate ||
      ((imports) =>
        /** @type {any} */ (new WebAssembly.Instance(module || new WebAssembly.Module(wasmBytes()), imports).exports)),
  );
}

/**
 * A core for a page: compiled without holding up the main thread. Rejects where WebAssembly is
 * missing or refused.
 * @returns {Promise<Core>}
 */
export async function startCore() {
  const { imports, connect } = createHost();
  const { instance } = await WebAssembly.instantiate(wasmBytes(), imports);
  return connect(/** @type {any} */ (instance.exports));
}
