/**
 * What the fuzzers have found before, once through each target; and the runtimes beside each other, for a moment. `make fuzz`
 * goes on from there.
 */

import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { callCase } from './call_generator.mjs';
import { keptInputs } from './corpus.mjs';
import { compareRuntimes } from './differential.mjs';
import { seedsOf } from './seeds.mjs';
import { prepare, replay, TARGETS } from './targets.mjs';

prepare(TARGETS);

for (const target of TARGETS) {
  test(`${target}: the kept corpus, and the vectors`, async (t) => {
    const inputs = keptInputs(target).length + seedsOf(target).length;
    assert.ok(inputs > 0, 'there is nothing to begin from');
    const { ok, executions, edges, log } = await replay(target);
    assert.ok(ok, log.slice(-4000));
    t.diagnostic(`${inputs} inputs, ${edges} edges`);
    // Now and then libFuzzer runs one twice, to see whether it leaks.
    assert.ok(executions > inputs, `${executions} executions`);
  });
}

test('5,000 requests: wasm, its fallback and native answer alike', async (t) => {
  const { ok, log, corpus } = await compareRuntimes({ cases: 5000, seed: 1 });
  assert.ok(ok, log);
  t.diagnostic(`${corpus} kinds of results`);
  assert.ok(corpus > 300, `${corpus} kinds of results`);
});

test('a runtime that differs is found out', async () => {
  const { wasmRuntime } = await import('./differential.mjs');
  const right = wasmRuntime();
  /** Forgets that a capital is another letter. @type {import('./differential.mjs').Runtime} */
  const wrong = (call) => Buffer.from(right(call).toString().replace('/event/A', '/event/a'));
  const { ok, log, input } = await compareRuntimes({ cases: 20_000, seed: 1, wasm: wrong });
  assert.equal(ok, false);
  assert.match(log, /The request is in build\/fuzz\/failures\/runtimes-\d+\. Have it again with: node tests\/fuzz\/differential\.mjs 1 \d+/);
  assert.ok(input && existsSync(input));
  rmSync(input);
});

test('the same number gives the same request', () => {
  assert.deepEqual(callCase(1234), callCase(1234));
  const distinct = new Set(Array.from({ length: 1000 }, (_, seed) => callCase(seed).request.toString('latin1')));
  assert.ok(distinct.size > 900, `${distinct.size} distinct requests of 1000`);
});
