/**
 * The vectors of tests/vectors through WebAssembly and through its fallback in JavaScript, and the results of all runtimes beside
 * each other.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runInThisContext } from 'node:vm';
import { createCore } from 'munchkin-shim/core';

const DIRECTORY = fileURLToPath(new URL('../vectors/', import.meta.url));
const FALLBACK = fileURLToPath(new URL('../../dist/munchkin-shim.asm.js', import.meta.url));

/** tests/unit/vectors_test.c, which prints its results when asked to; `make` builds it. */
const NATIVE = process.env.VECTORS_NATIVE ?? fileURLToPath(new URL('../../build/vectors-native', import.meta.url));

/** The files that hold calls, in the order in which the native runtime prints them. */
const FILES = ['page', 'url', 'track', 'traits', 'identify', 'hostile'];

/**
 * @typedef {import('../../js-glue/core.js').Core} Core
 * @typedef {string | {text: string, times: number} | {hex: string}} Piece
 * @typedef {{code: string, name?: string, message?: string}} Warning
 * @typedef {{ok: boolean, call?: unknown[], error?: string, message?: string, email?: string, fingerprint?: string,
 *   warnings?: Warning[]}} Result
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
 * The result without its sentences, as the C core gives it.
 *
 * @param {Result} result
 * @returns {Result}
 */
function withoutMessages(result) {
  const { message, ...rest } = result;
  assert.ok(result.ok || message, 'an error needs a sentence');
  if (!rest.warnings) return rest;
  const warnings = rest.warnings.map(({ message: sentence, ...warning }) => {
    assert.ok(sentence, `the warning ${warning.code} needs a sentence`);
    return warning;
  });
  return { ...rest, warnings };
}

/**
 * The result that a vector states, in full but for a fingerprint it leaves out: that is taken from the actual one, if it is one.
 *
 * @param {Vector} vector
 * @param {Result} actual
 */
function expectedOf({ result, error }, actual) {
  if (!result) return { ok: false, error };
  const warnings = (result.warnings ?? []).map((warning) => (typeof warning === 'string' ? { code: warning } : warning));
  const fingerprint = /^[0-9a-f]{64}$/.test(actual.fingerprint ?? '') ? { fingerprint: actual.fingerprint } : {};
  return { ...fingerprint, ...result, warnings };
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
          const actual = withoutMessages(resultOf(core, vector));
          const expected = expectedOf(vector, actual);
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

test('wasm and fallback: the same results, sentences and all', () => {
  const fromWasm = allResults(wasm);
  const fromFallback = allResults(fallback);
  for (const [i, { name, result }] of fromWasm.entries()) {
    assert.equal(JSON.stringify(fromFallback[i].result), JSON.stringify(result), name);
  }
});

test('native: the same text as wasm', { skip: !existsSync(NATIVE) && `${NATIVE} is not built` }, () => {
  const lines = execFileSync(NATIVE, [DIRECTORY, '--print'], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n');
  assert.equal(lines.pop(), '');
  const results = allResults(wasm);
  assert.equal(lines.length, results.length);
  for (const [i, { name, result }] of results.entries()) {
    // So it is also what JSON.stringify would have written, numbers and escapes alike.
    assert.equal(lines[i], JSON.stringify(withoutMessages(result)), name);
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

test('the stated fingerprints are those of the stated fields', () => {
  let count = 0;
  for (const { name, result } of FILES.flatMap(vectorsOf)) {
    if (!result?.fingerprint) continue;
    const fields = result.call[1];
    const sorted = Object.keys(fields).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const members = sorted.map((field) => `${JSON.stringify(field)}:${JSON.stringify(fields[field])}`);
    assert.equal(createHash('sha256').update(`{${members.join(',')}}`).digest('hex'), result.fingerprint, name);
    count++;
  }
  assert.ok(count > 0);
});

test('the stated signatures are those of node:crypto', () => {
  for (const { name, privateKey, email, hash } of vectorsOf('hash')) {
    assert.equal(createHash('sha1').update(privateKey + email).digest('hex'), hash, name);
  }
  for (const { name, encryptionKey, timestamp, userId, signature } of vectorsOf('soap')) {
    assert.equal(createHmac('sha1', encryptionKey).update(timestamp + userId).digest('hex'), signature, name);
  }
});
