/** How long a server is left alone: what Retry-After may ask for, and the pauses of who is not asked. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedMs, DAY_MS, waitMs } from '../../js-glue/backoff.js';

const NOW = Date.UTC(2024, 0, 1);
const inSeconds = (/** @type {number} */ seconds) => new Date(NOW + seconds * 1000).toUTCString();

for (const [text, expected] of /** @type {[string | null | undefined, number][]} */ ([
  ['120', 120_000],
  [' 1 ', 1000],
  ['0', 0],
  [inSeconds(90), 90_000],
  [inSeconds(-90), 0],
  ['864000', DAY_MS],
  [inSeconds(864_000), DAY_MS],
  ['9'.repeat(400), DAY_MS],
  ['-5', 0],
  ['soon', 0],
  ['', 0],
  [null, 0],
  [undefined, 0],
])) {
  test(`Retry-After: ${String(text).slice(0, 40)}`, () => assert.equal(askedMs(text, NOW), expected));
}

test('pauses grow up to an hour, and are of random length', () => {
  for (let tries = 1; tries < 40; tries++) {
    const most = Math.min(5000 * 2 ** (tries - 1), 3600_000);
    const waits = Array.from({ length: 20 }, () => waitMs(tries, 0));
    assert.ok(waits.every((wait) => wait >= most / 2 && wait <= most), `${tries}: ${waits}`);
    assert.ok(new Set(waits).size > 1);
  }
});

test('a pause is never shorter than the server has asked for', () => {
  for (const asked of [1000, 60_000, DAY_MS]) {
    const waits = Array.from({ length: 20 }, () => waitMs(1, asked));
    assert.ok(waits.every((wait) => wait >= asked && wait <= Math.max(5000, 1.1 * asked)), `${waits}`);
  }
});
