/**
 * Requests to core: ordinary ones, with values of every kind, and texts that are nearly JSON. A pure function of a seed and of
 * the vectors.
 */

import { randomFrom, urlCase } from '../unit/url_generator.mjs';
import { callsOfVectors } from './vectors.mjs';

/** @typedef {import('./vectors.mjs').Call} Call */
/** @typedef {() => number} Random */

const CALLS = /** @type {const} */ (['page', 'track', 'identify']);

const VECTORS = callsOfVectors().filter(({ request }) => request.length < 4000);

const WORDS = [
  ...['email', 'Email', 'EMAIL', ' email ', 'e mail', 'id', 'ID', 'userId', 'UserId', 'name', 'Name', 'firstName', 'last name', 'company', 'address'],
  ...['industry', 'employee_count', 'street', 'zip', 'postalCode', 'country', 'created', 'createdAt', 'created_at', 'birthday', 'url', 'a field', 'a'],
  ...['second_favorite_color', 'favoriteColor__c', '1st', '', ' ', 'utm_source', 'mkt_tok', 'gclid', 'constructor', '__proto__', 'length', 'ünï', '日本'],
];

const TEXTS = [
  ...['a@b.co', ' a@b.co ', 'a@b', '@', 'A@B.CO', 'a@-b.co', 'ü@b.co', 'a@b..co', 'Tom Smykowski', ' Tom  M  Smykowski ', 'Initech', '', ' ', 'a'],
  ...['/event/x', '/event/%zz', 'Signed Up', 'a_b c', '%', '%25', '%C3%A9', 'a&b=c', 'a,b', "'", '"', '\\', '/', '?', '#', '<>', '\u0000', '\u0001'],
  ...['\t\n', '\u007f', 'é', '€', '日本語', '😀', '\ud800', '\udfff\ud83d', '\ufffe', '\uffff', '\u2028', '2026-11-24T06:43:10Z', '0', 'true', 'null'],
];

const NUMBERS = [
  ...[0, -0, 1, -1, 7, 42, 0.1, -0.5, 1e-7, 1e21, 1e20, 123456789012345680000, 5e-324, 1.7976931348623157e308, 2 ** 53, 2 ** 31, -(2 ** 31)],
  ...[1795588990, 1795588990123, 31557600000, 31557599999, -62167219200000, 253402300800000, 8.64e15, 255, 65535, 65536, 0.30000000000000004],
];

/** Numbers that JSON.stringify would not write so. */
const NUMBER_TEXTS = ['01', '1.', '-', '1e', '1e999', '-1e999', '1E5', '1e+5', '0.1e1', '-0', '00', '1e-999', '0x1', '1.0', '123456789012345678901234567890', '.5', '-.5', '+1', '1-2'];

/** @template T @param {Random} random @param {readonly T[]} list */
const oneOf = (random, list) => list[Math.floor(random() * list.length)];

/** @param {Random} random @param {number} most */
const upTo = (random, most) => Math.floor(random() * (most + 1));

/** @param {Random} random */
function text(random) {
  if (random() < 0.5) return oneOf(random, TEXTS);
  let joined = '';
  for (let left = upTo(random, 4); left > 0; left--) joined += oneOf(random, random() < 0.7 ? TEXTS : WORDS);
  return random() < 0.03 ? joined.repeat(upTo(random, 200)) : joined;
}

/** @param {Random} random @returns {number} */
function number(random) {
  if (random() < 0.6) return oneOf(random, NUMBERS);
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, random() * 2 ** 32);
  bytes.setUint32(4, random() * 2 ** 32);
  return random() < 0.5 ? bytes.getFloat64(0) : Math.round((random() - 0.5) * 10 ** upTo(random, 16)) / 10 ** upTo(random, 6);
}

/** @param {Random} random @param {number} depth @returns {unknown} */
function value(random, depth) {
  const kind = random();
  if (kind < 0.4) return text(random);
  if (kind < 0.6) return number(random);
  if (kind < 0.75) return oneOf(random, [true, false, null]);
  if (depth === 0) return text(random);
  return kind < 0.88 ? Array.from({ length: upTo(random, 4) }, () => value(random, depth - 1)) : object(random, depth - 1);
}

/** As a list of members, since the order and the repetition of names count. @typedef {{members: [string, unknown][]}} Members */

/** @param {Random} random @param {number} depth @returns {Members} */
function object(random, depth) {
  const name = () => (random() < 0.8 ? oneOf(random, WORDS) : text(random));
  const many = random() < 0.02 ? 300 : 6;
  return { members: Array.from({ length: upTo(random, many) }, () => [name(), value(random, depth)]) };
}

/** @param {unknown} source @returns {string} */
function json(source) {
  if (Array.isArray(source)) return `[${source.map(json).join(',')}]`;
  if (source && typeof source === 'object') {
    return `{${/** @type {Members} */ (source).members.map(([name, member]) => `${JSON.stringify(name)}:${json(member)}`).join(',')}}`;
  }
  return JSON.stringify(source);
}

/** @param {Random} random @param {number} seed @returns {[string, unknown][]} what page and track have in common */
function visitMembers(random, seed) {
  const { base } = urlCase(seed);
  /** @type {[string, unknown][]} */
  const members = [['base', random() < 0.9 ? base : value(random, 1)]];
  if (random() < 0.3) members.push(['hashRouting', random() < 0.8 ? true : value(random, 0)]);
  if (random() < 0.3) members.push(['urlLimit', random() < 0.6 ? upTo(random, 60) : value(random, 0)]);
  if (random() < 0.3) members.push(['paramsLimit', random() < 0.6 ? upTo(random, 60) : value(random, 0)]);
  return members;
}

/** @param {Random} random @param {number} seed @returns {Call} */
function made(random, seed) {
  const call = oneOf(random, CALLS);
  const { url } = urlCase(seed);
  /** @type {[string, unknown][]} */
  const members = call === 'identify' ? [] : visitMembers(random, seed);
  if (call === 'page') members.unshift(['url', random() < 0.9 ? url : value(random, 1)]);
  if (call === 'track') {
    const properties = object(random, 3);
    if (random() < 0.2) properties.members.push(['url', url]);
    members.unshift(['event', random() < 0.9 ? text(random) : value(random, 1)]);
    members.push(['properties', random() < 0.95 ? properties : value(random, 1)]);
  }
  if (call === 'identify') {
    const traits = object(random, 3);
    if (random() < 0.7) traits.members.push(['email', 'a@b.co']);
    if (random() < 0.6) members.push(['userId', random() < 0.7 ? text(random) : value(random, 1)]);
    members.push(['traits', random() < 0.95 ? traits : value(random, 1)]);
  }
  return { call, request: Buffer.from(json({ members })) };
}

/** A few bytes changed, left out, doubled or put in. @param {Random} random @param {Buffer} bytes */
function damaged(random, bytes) {
  for (let left = 1 + upTo(random, 3); left > 0; left--) {
    const at = upTo(random, bytes.length);
    const length = upTo(random, random() < 0.8 ? 4 : bytes.length - at);
    const between = [
      () => Buffer.from([upTo(random, 255)]),
      () => Buffer.alloc(0),
      () => Buffer.concat([bytes.subarray(at, at + length), bytes.subarray(at, at + length)]),
      () => Buffer.from(oneOf(random, [...NUMBER_TEXTS, '"', '\\', '{', '}', '[', ']', ',', ':', '\\u0000', '\\ud800', '\\udc00', ' ', '\t', '\ufeff'])),
    ];
    bytes = Buffer.concat([bytes.subarray(0, at), oneOf(random, between)(), bytes.subarray(Math.min(at + length, bytes.length))]);
  }
  return bytes;
}

/** The request of a seed. @param {number} seed @returns {Call} */
export function callCase(seed) {
  const random = randomFrom(seed);
  const { call, request } = random() < 0.75 ? made(random, seed) : oneOf(random, VECTORS);
  const changed = random() < 0.3 ? damaged(random, request) : request;
  return { call: random() < 0.95 ? call : oneOf(random, CALLS), request: changed };
}
