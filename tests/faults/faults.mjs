/** Says to a process with faults.c in it which call is to fail, and hears how many there were. */

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { constants, endianness, tmpdir } from 'node:os';
import { join } from 'node:path';

/** As in faults.c. */
const NAME = 24;
const COUNTDOWN = 32;
const CALLS = 48;
const SIZE = 64;

/** @typedef {keyof typeof constants.errno | 'short'} Fault */

/** @param {{after: (end: () => void) => void}} t */
export function createFaults(t) {
  const folder = mkdtempSync(join(tmpdir(), 'munchkin-faults-'));
  const path = join(folder, 'faults');
  writeFileSync(path, Buffer.alloc(SIZE));
  const file = openSync(path, 'r+');
  t.after(() => {
    closeSync(file);
    rmSync(folder, { recursive: true });
  });

  /** @param {number} at @returns {number} */
  function read(at) {
    const bytes = Buffer.alloc(8);
    readSync(file, bytes, 0, 8, at);
    return Number(endianness() === 'LE' ? bytes.readBigInt64LE() : bytes.readBigInt64BE());
  }

  /** @param {number[]} numbers */
  function packed(...numbers) {
    const bytes = Buffer.alloc(8 * numbers.length);
    for (const [n, number] of numbers.entries()) {
      if (endianness() === 'LE') bytes.writeBigInt64LE(BigInt(number), 8 * n);
      else bytes.writeBigInt64BE(BigInt(number), 8 * n);
    }
    return bytes;
  }

  const faults = {
    env: { MUNCHKIN_TEST_FAULTS: path },

    /**
     * From now on counts calls of `name`; the one that is `countdown`th from 1, and `times` - 1 behind it, fail.
     * @param {string} name "memory", or a function's
     * @param {Fault} fault
     * @param {number} countdown  0 for none
     * @param {number} [times]
     */
    arm(name, fault, countdown, times = 1) {
      faults.disarm();
      const error = Buffer.alloc(8);
      const number = fault === 'short' ? 0 : constants.errno[fault];
      if (endianness() === 'LE') error.writeInt32LE(number);
      else error.writeInt32BE(number);
      writeSync(file, error, 0, 8, NAME);
      writeSync(file, packed(countdown, times, 0, 0), 0, 32, COUNTDOWN);
      writeSync(file, name, 0);
    },

    disarm() {
      writeSync(file, Buffer.alloc(NAME), 0, NAME, 0);
    },

    calls: () => read(CALLS),
    failed: () => read(CALLS + 8),
  };
  return faults;
}
