/**
 * The vectors of tests/vectors through WebAssembly and through its fallback in JavaScript, and the results of all runtimes beside
 * each other.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runInThisContext } from 'node:vm';
import { createCore } from 'munchkin-shim/core';

const DIRECTORY = fileURLToPath(new URL('../vectors/', import.meta.url));
const FALLBACK = fileURLToPath(new URL('../../dist/munchkin-shim.asm.js', import.meta.url));

/** tests/unit/vectors_test.c, which prints its results when asked to; `make test` builds it. */
const NATIVE = fileURLToPath(new URL('../../build/vectors-test', import.meta.url));

const SIGNER = fileURLToPath(new URL('../../dist/munchkin_signer.wasm', import.meta.url));

/** The files that hold calls, in the order in which the native runtime prints them. */
const FILES = ['page', 'url', 'track', 'traits', 'identify', 'hostile'];

/**
 * @typedef {import('../../js-glue/core.js').Core} Core
 * @typedef {string | {text: string, times: number} | {hex: string}} Piece
 * @typedef {{code: string, name?: string}} Warning
 * @typedef {{ok: boolean, call?: unknown[], error?: string, message?: string, email?: string, warnings?: Warning[]}} Result
 */

/**
 * @typedef {object} Vector
 * @property {string} name
 * @property {'page' | 'track' | 'identify'} call
 * @property {object} [request]
 * @property {string} [requestText]
 * @property {Piece[]} [requestPieces]
 * @property {Omit<Result, 'warnings'> & {warnings?: (string | Warning)[]}} [result]
 * @property {string} [error]
 * @property {string} [fingerprint]
 */

/**
 * @param {string} name
 * @returns {any[]}
 */
function vectorsOf(name) {
  return JSON.parse(readFileSync(`${DIRECTORY}${name}.json`, 'utf8')).vectors;
}

/** @param {Piece} piece */
function bytesOf(piece) {
  if (typeof piece === 'string') return Buffer.from(piece);
  return 'hex' in piece ? Buffer.from(piece.hex, 'hex') : Buffer.from(piece.text.repeat(piece.times));
}

/**
 * @param {Core} core
 * @param {Vector} vector
 * @returns {Result}
 */
function resultOf(core, { call, request, requestText, requestPieces }) {
  if (requestPieces) return core.call(call, new Uint8Array(Buffer.concat(requestPieces.map(bytesOf))));
  if (requestText !== undefined) return core.call(call, requestText);
  return core[call](/** @type {any} */ (request));
}

/**
 * The result without its sentence, as the C core gives it.
 *
 * @param {Result} result
 * @returns {Result}
 */
function withoutMessage(result) {
  const { message, ...rest } = result;
  assert.ok(result.ok || message, 'an error needs a sentence');
  return rest;
}

/**
 * The result that a vector states, in full.
 *
 * @param {Vector} vector
 * @returns {Result}
 */
function expectedOf({ result, error }) {
  if (!result) return { ok: false, error };
  const warnings = (result.warnings ?? []).map((warning) => (typeof warning === 'string' ? { code: warning } : warning));
  return { ...result, warnings };
}

/**
 * Every vector through one runtime, a test for each file.
 *
 * @param {string} name  of the runtime
 * @param {Core} core
 */
function runVectors(name, core) {
  for (const file of FILES) {
    test(`${name}: ${file}.json`, (t) => {
      const failures = [];
      const vectors = vectorsOf(file);
      for (const vector of vectors) {
        try {
          const actual = withoutMessage(resultOf(core, vector));
          const expected = expectedOf(vector);
          assert.deepEqual(actual, expected);
          assert.equal(JSON.stringify(actual.call), JSON.stringify(expected.call));
        } catch (reason) {
          failures.push(`${vector.name}: ${/** @type {Error} */ (reason).message}`);
        }
      }
      t.diagnostic(`${vectors.length} vectors`);
      assert.equal(failures.length, 0, `${failures.length} of ${vectors.length}:\n${failures.join('\n')}`);
    });
  }
}

const wasm = createCore();
runInThisContext(readFileSync(FALLBACK, 'utf8'), { filename: FALLBACK });
const fallback = createCore({ instantiate: /** @type {any} */ (globalThis).munchkinShimAsm });

runVectors('wasm', wasm);
runVectors('fallback', fallback);

/** Every vector, with its result, or what was thrown. @param {Core} core */
function allResults(core) {
  return FILES.flatMap(vectorsOf).map((vector) => {
    try {
      return { name: vector.name, result: resultOf(core, vector) };
    } catch (reason) {
      return { name: vector.name, result: { ok: false, error: `threw ${reason}`, message: '-' } };
    }
  });
}

test('wasm and fallback: the same results, sentence and all', () => {
  const fromWasm = allResults(wasm);
  const fromFallback = allResults(fallback);
  for (const [i, { name, result }] of fromWasm.entries()) {
    assert.equal(JSON.stringify(fromFallback[i].result), JSON.stringify(result), name);
  }
});

test('native: the same text as wasm', () => {
  const lines = execFileSync(NATIVE, [DIRECTORY, '--print'], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n');
  assert.equal(lines.pop(), '');
  const results = allResults(wasm);
  assert.equal(lines.length, results.length);
  for (const [i, { name, result }] of results.entries()) {
    // So it is also what JSON.stringify would have written, numbers and escapes alike.
    assert.equal(lines[i], JSON.stringify(withoutMessage(result)), name);
  }
});

test('every vector has a name of its own, one request and one outcome', () => {
  for (const file of FILES) {
    /** @type {Vector[]} */
    const vectors = vectorsOf(file);
    assert.equal(new Set(vectors.map(({ name }) => name)).size, vectors.length, file);
    for (const vector of vectors) {
      const requests = [vector.request, vector.requestText, vector.requestPieces].filter((one) => one !== undefined);
      assert.equal(requests.length, 1, vector.name);
      assert.notEqual(vector.result === undefined, vector.error === undefined, vector.name);
    }
  }
});

/** The module for servers, in which hashes and fingerprints are. */
const signer = /** @type {any} */ (
  new WebAssembly.Instance(new WebAssembly.Module(readFileSync(SIGNER)), {
    env: {
      /** @param {number} value @param {number} address */
      format: (value, address) => writeAt(address, Buffer.from(String(value))),
      /** @param {number} address @param {number} length */
      parse: (address, length) => Number(textAt(address, length)),
      /** @param {number} time @param {number} address */
      date: (time, address) => writeAt(address, Buffer.from(new Date(time).toISOString())),
    },
  }).exports
);

/** @param {number} address @param {Uint8Array} bytes */
function writeAt(address, bytes) {
  new Uint8Array(signer.memory.buffer).set(bytes, address);
  return bytes.length;
}

/** @param {number} address @param {number} length */
const textAt = (address, length) => Buffer.from(signer.memory.buffer, address, length).toString();

test('wasm for servers: fingerprints, and those stated are of the stated fields', () => {
  let count = 0;
  /** @type {Vector[]} */
  const vectors = FILES.flatMap(vectorsOf);
  for (const { name, request, requestText, requestPieces, result, fingerprint } of vectors) {
    if (!fingerprint) continue;
    const fields = /** @type {any} */ (result).call[1];
    const sorted = Object.keys(fields).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const members = sorted.map((field) => `${JSON.stringify(field)}:${JSON.stringify(fields[field])}`);
    assert.equal(createHash('sha256').update(`{${members.join(',')}}`).digest('hex'), fingerprint, name);

    const bytes = Buffer.concat((requestPieces ?? [requestText ?? JSON.stringify(request)]).map(bytesOf));
    writeAt(signer.ms_input(bytes.length), bytes);
    assert.equal(textAt(signer.ms_fingerprint(bytes.length), 64), fingerprint, name);
    count++;
  }
  assert.ok(count > 10);
});

test('wasm for servers: no fingerprint of what is no lead, no hash of more than fits', () => {
  for (const text of ['', '[]', '{"traits":{}}', '{"traits":{"email":"a@"}}']) {
    writeAt(signer.ms_input(text.length), Buffer.from(text));
    assert.equal(signer.ms_fingerprint(text.length), 0, text);
  }
  assert.equal(signer.ms_input(65537), 0);
  assert.equal(signer.ms_fingerprint(65537), 0);
  assert.equal(signer.ms_hash(65536, 1), 0);
  assert.equal(signer.ms_hash(-1, 2), 0);
});

test('wasm for servers: hashes, which are those of node:crypto, and leave no key behind', () => {
  for (const { name, privateKey, email, hash } of vectorsOf('hash')) {
    assert.equal(createHash('sha1').update(privateKey + email).digest('hex'), hash, name);
    const [key, address] = [Buffer.from(privateKey), Buffer.from(email)];
    writeAt(signer.ms_input(key.length + address.length), Buffer.concat([key, address]));
    assert.equal(textAt(signer.ms_hash(key.length, address.length), 40), hash, name);
    if (key.length > 8) assert.equal(Buffer.from(signer.memory.buffer).includes(key), false, name);
  }
});

test('the stated signatures of SOAP are those of node:crypto', () => {
  for (const { name, encryptionKey, timestamp, userId, signature } of vectorsOf('soap')) {
    assert.equal(createHmac('sha1', encryptionKey).update(timestamp + userId).digest('hex'), signature, name);
  }
});
