/** What other processes can see of one: as root, since to all others munchkin-server closes its files in /proc. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

export const isRoot = process.getuid?.() === 0;

/** A file of /proc/PID; null if it is refused to us. @param {number} pid @param {string} name */
export function inProc(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch (error) {
    if (isRoot || /** @type {NodeJS.ErrnoException} */ (error).code !== 'EACCES') throw error;
    return null;
  }
}

/**
 * @typedef {object} Mapping
 * @property {number} start
 * @property {number} end
 * @property {string} flags  VmFlags: "lo" for locked, "dd" for left out of core dumps
 */

/** @param {number} pid @returns {Mapping[]} */
function mappingsOf(pid) {
  const text = readFileSync(`/proc/${pid}/smaps`, 'latin1');
  const pattern = /^([0-9a-f]+)-([0-9a-f]+) r[^]*?^VmFlags: (.*)$/gm;
  return [...text.matchAll(pattern)].map(([, start, end, flags]) => ({ start: parseInt(start, 16), end: parseInt(end, 16), flags }));
}

/**
 * Where these bytes are in a process' memory. Needs root.
 * @param {number} pid
 * @param {string} bytes
 */
export function findInMemory(pid, bytes) {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  /** @type {{address: number, flags: string[]}[]} */
  const found = [];
  for (const { start, end, flags } of mappingsOf(pid)) {
    const part = Buffer.alloc(end - start);
    try {
      readSync(memory, part, 0, part.length, start);
    } catch {
      continue; // the kernel's own, which nobody reads
    }
    for (let at = part.indexOf(bytes); at >= 0; at = part.indexOf(bytes, at + 1)) {
      found.push({ address: start + at, flags: flags.trim().split(' ') });
    }
  }
  closeSync(memory);
  return found;
}
