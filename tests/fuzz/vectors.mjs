/** The vectors of tests/vectors as bytes to begin from. */

import { readFileSync } from 'node:fs';

/** The files that hold calls. */
const CALL_FILES = ['page', 'url', 'track', 'traits', 'identify', 'hostile'];

/** @typedef {{call: 'page' | 'track' | 'identify', request: Buffer}} Call */

/** @param {string} file @returns {any[]} */
export function vectorsOf(file) {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), 'utf8')).vectors;
}

/** @param {string | {text: string, times: number} | {hex: string}} piece */
function bytesOf(piece) {
  if (typeof piece === 'string') return Buffer.from(piece);
  return 'hex' in piece ? Buffer.from(piece.hex, 'hex') : Buffer.from(piece.text.repeat(piece.times));
}

/** All calls, each with its request as it is handed over. @returns {Call[]} */
export function callsOfVectors() {
  return CALL_FILES.flatMap(vectorsOf).map(({ call, request, requestText, requestPieces }) => ({
    call,
    request: Buffer.concat((requestPieces ?? [requestText ?? JSON.stringify(request)]).map(bytesOf)),
  }));
}

/** Every member's name that occurs in `value`. @param {unknown} value @param {Set<string>} [names] */
export function namesIn(value, names = new Set()) {
  for (const [name, member] of Object.entries(value && typeof value === 'object' ? value : {})) {
    if (!Array.isArray(value)) names.add(name);
    namesIn(member, names);
  }
  return names;
}
