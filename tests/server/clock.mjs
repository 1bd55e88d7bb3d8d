/** One time for a server and the simulator, which tests move and never wait for. */

import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * @typedef {object} TestClock
 * @property {Record<string, string>} env  for the server
 * @property {() => number} now            in milliseconds since 1970
 * @property {(milliseconds: number) => void} advance  the server's and the simulator's in step
 * @property {() => void} close
 */

/**
 * @param {{clock: import('../sim/clock.mjs').Clock}} simulator
 * @returns {TestClock}
 */
export function createTestClock(simulator) {
  const folder = mkdtempSync(join(tmpdir(), 'munchkin-clock-'));
  const path = join(folder, 'ahead');
  const file = openSync(path, 'w+');
  let ahead = 0;

  function write() {
    // In one piece, since the server reads it at any moment (src/server/clock.h).
    writeSync(file, new BigInt64Array([BigInt(ahead)]), 0, 8, 0);
  }

  write();
  return {
    env: { MUNCHKIN_TEST_CLOCK: path },
    now: () => simulator.clock.now(),
    advance(milliseconds) {
      ahead += milliseconds;
      // The simulator runs in this process: it hears nothing from the server in between.
      simulator.clock.advance(milliseconds);
      write();
    },
    close() {
      closeSync(file);
      rmSync(folder, { recursive: true });
    },
  };
}
