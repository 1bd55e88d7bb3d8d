/**
 * The runtimes beside each other: WebAssembly, its fallback in JavaScript, and C under sanitizers. To the same request all
 * three must give the same bytes.
 *
 *     node tests/fuzz/differential.mjs [SECONDS [SEED]]      the first request is that of SEED
 */

import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { runInThisContext } from 'node:vm';
import { createHost, REQUEST_MAX } from '../../js-glue/rules.js';
import { callCase } from './call_generator.mjs';

/** @typedef {import('./vectors.mjs').Call} Call */
/** @typedef {(request: Call) => Buffer} Runtime */

const CALLS = ['page', 'track', 'identify'];
const WASM = new URL('../../build/munchkin_shim.wasm', import.meta.url);
const FALLBACK = new URL('../../dist/munchkin-shim.asm.js', import.meta.url);

/** How many requests are on their way to the native runtime at once. */
const AT_ONCE = 500;

/** For which it never needs so long. */
const HUNG_MS = 60_000;

/** @param {(imports: import('../../js-glue/rules.js').CoreImports) => import('../../js-glue/rules.js').CoreExports} instantiate @returns {Runtime} */
function runtimeOf(instantiate) {
  const host = createHost();
  const exports = instantiate(host.imports);
  host.connect(exports);
  return ({ call, request }) => {
    if (request.length <= REQUEST_MAX) new Uint8Array(exports.memory.buffer).set(request, exports.ms_input(request.length));
    const address = exports[/** @type {'ms_page'} */ (`ms_${call}`)](request.length);
    const length = new DataView(exports.memory.buffer).getUint32(address, true);
    return Buffer.from(new Uint8Array(exports.memory.buffer, address + 4, length));
  };
}

/** @type {() => Runtime} */
export const wasmRuntime = () =>
  runtimeOf((imports) => /** @type {any} */ (new WebAssembly.Instance(new WebAssembly.Module(readFileSync(WASM)), imports).exports));

/** @type {() => Runtime} */
function fallbackRuntime() {
  runInThisContext(readFileSync(FALLBACK, 'utf8'));
  return runtimeOf(/** @type {any} */ (globalThis).munchkinShimAsm);
}

/** tests/fuzz/native_calls.c: many requests at once, their results in order. */
class Native {
  constructor() {
    this.child = spawn('build/fuzz-calls', [], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.log = '';
    this.child.stderr.setEncoding('latin1').on('data', (text) => (this.log += text));
    this.child.stdin.on('error', () => {}); // it has ended, which the reader below sees too
    this.output = this.child.stdout[Symbol.asyncIterator]();
    this.ended = new Promise((resolve, reject) => this.child.on('close', resolve).on('error', reject));
    this.read = Buffer.alloc(0);
  }

  /** @param {Call[]} requests @returns {Promise<Buffer[]>} */
  async results(requests) {
    this.child.stdin.write(Buffer.concat(requests.flatMap(({ call, request }) => {
      const head = Buffer.from([CALLS.indexOf(call), 0, 0, 0, 0]);
      head.writeUInt32LE(request.length, 1);
      return [head, request];
    })));
    const results = [];
    const hung = setTimeout(() => this.child.kill('SIGKILL'), HUNG_MS);
    try {
      while (results.length < requests.length) results.push(await this.take((await this.take(4)).readUInt32LE()));
    } finally {
      clearTimeout(hung);
    }
    return results;
  }

  /** @param {number} length */
  async take(length) {
    while (this.read.length < length) {
      const { value, done } = await this.output.next();
      if (done) throw new Error(`The native runtime has ended.\n${this.log}`);
      this.read = Buffer.concat([this.read, value]);
    }
    const taken = this.read.subarray(0, length);
    this.read = this.read.subarray(length);
    return taken;
  }

  async end() {
    this.child.stdin.end();
    const status = await this.ended;
    if (status !== 0) throw new Error(`The native runtime ended with ${status}.\n${this.log}`);
  }
}

/** What a request got that differs; the empty text if nothing does. @param {Record<string, Buffer>} results */
function difference(results) {
  const [first, ...others] = Object.values(results);
  if (others.every((other) => other.equals(first))) return '';
  return Object.entries(results).map(([name, result]) => `  ${name.padEnd(8)}  ${result.toString()}`).join('\n');
}

/**
 * Compares the results of one request after the other, until the time is up or `cases` are done.
 *
 * @param {{seconds?: number, cases?: number, seed?: number, wasm?: Runtime}} options `wasm`: another one in its place
 * @returns {Promise<import('./targets.mjs').Outcome>}
 */
export async function compareRuntimes({ seconds = Infinity, cases = Infinity, seed = Math.floor(Math.random() * 2 ** 31), wasm = wasmRuntime() }) {
  const until = Date.now() + 1000 * seconds;
  const fallback = fallbackRuntime();
  const native = new Native();
  const kinds = new Set();
  const outcome = { target: 'runtimes', ok: true, executions: 0, corpus: 0, edges: 0, log: `The first seed is ${seed}.`, input: undefined };
  try {
    while (outcome.ok && Date.now() < until && outcome.executions < cases) {
      const first = seed + outcome.executions;
      const requests = Array.from({ length: AT_ONCE }, (_, i) => callCase(first + i));
      const natives = native.results(requests);
      const wasms = requests.map(wasm);
      const fallbacks = requests.map(fallback);
      for (const [i, result] of (await natives).entries()) {
        const text = difference({ wasm: wasms[i], fallback: fallbacks[i], native: result });
        kinds.add(result.toString().replace(/"(url|params|name|email)":"([^"\\]|\\.)*"/g, '').slice(0, 60));
        if (text !== '' && outcome.ok) Object.assign(outcome, failureOf(first + i, requests[i], text));
      }
      outcome.executions += requests.length;
    }
    await native.end();
  } catch (reason) {
    Object.assign(outcome, { ok: false, log: `${outcome.log}\n${reason}` });
  }
  native.child.kill();
  return { ...outcome, corpus: kinds.size };
}

/** @param {number} seed @param {Call} request @param {string} text */
function failureOf(seed, { call, request }, text) {
  const file = `build/fuzz/failures/runtimes-${seed}`;
  writeFileSync(file, request);
  const again = `Have it again with: node tests/fuzz/differential.mjs 1 ${seed}`;
  return { ok: false, input: file, log: `To ${call} of ${JSON.stringify(request.toString())}\n${text}\nThe request is in ${file}. ${again}` };
}

if (process.argv[1]?.endsWith('differential.mjs')) {
  const [seconds = 30, seed] = process.argv.slice(2).map(Number);
  const { ok, log, executions, corpus } = await compareRuntimes({ seconds, seed });
  console.log(`${log}\n${executions} requests with ${corpus} kinds of results${ok ? ', the same for all runtimes' : ''}`);
  process.exitCode = ok ? 0 : 1;
}
