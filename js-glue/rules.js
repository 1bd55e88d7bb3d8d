/**
 * The rules, compiled from C: requests go in as JSON, results come out as JSON.
 *
 * Pure and synchronous; runs wherever WebAssembly does, without a page.
 */

import { failure } from './outcome.js';

/**
 * @typedef {{code: string, name?: string}} Warning
 * @typedef {{ok: true, call: ['visitWebPage', {url: string, params: string, name?: string}],
 *   warnings: Warning[]}} VisitResult
 * @typedef {{ok: true, call: ['associateLead', Record<string, string | number | boolean>],
 *   email: string, warnings: Warning[]}} LeadResult
 * @typedef {{ok: false, error: string, message: string}} ErrorResult
 */

/** @typedef {'page' | 'track' | 'identify'} CallName */

/** A request in JSON, carried out. @typedef {(name: CallName, request: string) => any} Rules */

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

/** A module's rules, once it is there. */
export function createHost() {
  /** @type {CoreExports} */
  let exports;
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();

  /** @param {number} address @param {number} [length] */
  const bytesAt = (address, length) => new Uint8Array(exports.memory.buffer, address, length);

  /** @param {string} text ASCII @param {number} address */
  const write = (text, address) => encoder.encodeInto(text, bytesAt(address)).written;

  /** Carries out the request that is where ms_input says. @param {CallName} name @param {number} length */
  const carryOut = (name, length) => {
    const address = exports[`ms_${name}`](length);
    const resultLength = new DataView(exports.memory.buffer).getUint32(address, true);
    const result = JSON.parse(decoder.decode(bytesAt(address + 4, resultLength)));
    return result.ok ? result : failure(result.error);
  };

  return {
    /** @param {CoreExports} instance */
    connect(instance) {
      exports = instance;
    },

    /** What the module asks of the JavaScript engine: numbers and dates as text. */
    imports: {
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
    },

    carryOut,

    /** @type {Rules} */
    call(name, request) {
      const { read, written } = encoder.encodeInto(request, bytesAt(exports.ms_input(REQUEST_MAX), REQUEST_MAX));
      return carryOut(name, read < request.length ? REQUEST_MAX + 1 : written);
    },
  };
}
