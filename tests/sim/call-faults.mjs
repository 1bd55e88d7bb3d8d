import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { answer } from './http.mjs';

/** @typedef {import('./faults.mjs').CallFault} CallFault */

const ANSWERS = ['hang', 'reset', 'cut', 'rubbish', 'truncated', 'empty', 'huge', 'bomb'];

const HUGE_BYTES = 64 << 20;
/** @type {Buffer | undefined} HUGE_BYTES of spaces in gzip, made when somebody wants it */
let bomb;

/**
 * The fault for this call, if there is one; it counts as used.
 *
 * @param {CallFault[]} faults
 * @param {{method: string, path: string, name?: string}} call  `name` is the path with {id} in place of an id; without one
 *   only faults of this very path are for it
 * @returns {CallFault | undefined}
 */
export function takeCallFault(faults, { method, path, name }) {
  const index = faults.findIndex(
    (fault) =>
      (fault.path === undefined ? name !== undefined : fault.path === path || fault.path === name) &&
      (fault.method === undefined || fault.method === method),
  );
  if (index < 0) return undefined;
  const fault = faults[index];
  const left = (fault.times ?? 1) - 1;
  if (left > 0) fault.times = left;
  else faults.splice(index, 1);
  return { ...fault };
}

/**
 * @param {CallFault | undefined} fault
 * @returns {boolean} whether Marketo does what it is asked
 */
export function isCarriedOut(fault) {
  if (!fault || fault.carriedOut || fault.answer === 'truncated') return true;
  return fault.code === undefined && fault.status === undefined && fault.answer === undefined && fault.text === undefined;
}

/**
 * Answers as the fault has it, apart from its code, which each API tells in its own way.
 *
 * @param {import('node:http').ServerResponse} response
 * @param {CallFault} fault
 * @param {{type: string, text: string}} whole  what would have been answered
 * @returns {boolean} whether that was an answer
 */
export function answerFault(response, fault, whole) {
  switch (fault.answer) {
    case 'hang':
      return true;
    case 'reset':
      response.socket?.resetAndDestroy();
      return true;
    case 'cut':
      response.writeHead(fault.status ?? 200, { 'Content-Type': whole.type, 'Content-Length': whole.text.length + 2 });
      response.write(whole.text.slice(0, whole.text.length / 2), () => response.socket?.resetAndDestroy());
      return true;
    case 'huge':
    case 'bomb': {
      bomb ??= gzipSync(Buffer.alloc(HUGE_BYTES, ' '));
      const isBomb = fault.answer === 'bomb';
      response.writeHead(fault.status ?? 200, { 'Content-Type': whole.type, ...(isBomb && { 'Content-Encoding': 'gzip' }) });
      response.end(isBomb ? bomb : Buffer.alloc(HUGE_BYTES / 4, ' '));
      return true;
    }
    case 'empty':
      answer(response, fault.status ?? 200, whole.type, '');
      return true;
    case 'rubbish':
      answer(response, fault.status ?? 200, 'text/html', '<html><body><h1>It works!</h1></body></html>');
      return true;
    case 'truncated':
      answer(response, fault.status ?? 200, whole.type, whole.text.slice(0, whole.text.length / 2));
      return true;
  }
  if (fault.text !== undefined) {
    answer(response, fault.status ?? 200, fault.type ?? whole.type, fault.text);
    return true;
  }
  if (fault.status === undefined) return false;
  answer(response, fault.status, 'text/html', `<html><body><h1>${fault.status}</h1></body></html>`);
  return true;
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} closing  ends it when the simulator stops
 */
export async function holdBack(milliseconds, closing) {
  if (milliseconds > 0) await delay(milliseconds, undefined, { signal: closing });
}

/**
 * @param {unknown} list
 * @returns {string | null} what it has to be, when it is not
 */
export function requirementOfCalls(list) {
  if (!Array.isArray(list)) return 'a list of faults';
  return list.map(requirementOfCall).find((requirement) => requirement !== null) ?? null;
}

/**
 * @param {any} fault
 * @returns {string | null}
 */
function requirementOfCall(fault) {
  if (typeof fault !== 'object' || fault === null) return 'a list of objects';
  /** @type {Record<string, boolean>} */
  const fits = {
    path: typeof fault.path === 'string',
    method: typeof fault.method === 'string',
    times: Number.isInteger(fault.times) && fault.times >= 1,
    delayMs: Number.isInteger(fault.delayMs) && fault.delayMs >= 0 && fault.delayMs <= 600_000,
    code: /^\d{3,5}$/.test(fault.code),
    status: Number.isInteger(fault.status) && fault.status >= 200 && fault.status <= 599,
    answer: ANSWERS.includes(fault.answer),
    text: typeof fault.text === 'string',
    type: typeof fault.type === 'string',
    carriedOut: typeof fault.carriedOut === 'boolean',
  };
  const wrong = Object.keys(fault).find((name) => !fits[name]);
  return wrong === undefined ? null : `a list of faults; "${wrong}" is none of ${Object.keys(fits).join(', ')}, or is wrong`;
}
