/** What a call costs: through WebAssembly from JavaScript, natively, and the same work done by Segment's facade. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createCore } from 'munchkin-shim/core';
import { inTurn } from './measure.mjs';

const { Identify } = createRequire(new URL('peers/package.json', import.meta.url))('@segment/facade');
const NATIVE = fileURLToPath(new URL('../../build/bench-calls', import.meta.url));
const WASM = new URL('../../dist/munchkin_shim.wasm', import.meta.url);
const MEASURED_MS = 100;
const BASE = 'https://www.example.com/pricing?plan=pro';

/** @typedef {'page' | 'track' | 'identify'} CallName */
/** @typedef {{name: CallName, request: any}} Call */

/** A person as sites describe them. @param {number} count of traits */
function traits(count) {
  /** @type {Record<string, any>} */
  const all = {
    email: 'friends@example.com',
    firstName: 'Jake',
    lastName: 'Peterson',
    company: { name: 'Example Ltd', industry: 'Software', employee_count: 42 },
    address: { street: '1 Main St', city: 'Springfield', state: 'IL', postalCode: '62701', country: 'USA' },
  };
  for (let i = Object.keys(all).length; i < count; i++) {
    all[`some trait ${i}`] = [`value of ${i}`, i * 1.5, i % 2 === 0][i % 3];
  }
  return all;
}

/** @type {Record<string, Call>} */
const calls = {
  page: { name: 'page', request: { url: 'https://www.example.com/blog/../plans?utm_source=x&b=%20c#top', base: BASE } },
  track: { name: 'track', request: { event: 'Signed up', properties: { plan: 'pro', seats: 3, coupon: null }, base: BASE } },
  'identify, 5 traits': { name: 'identify', request: { userId: '1234', traits: traits(5) } },
  'identify, 20 traits': { name: 'identify', request: { userId: '1234', traits: traits(20) } },
  'identify, 100 traits': { name: 'identify', request: { userId: '1234', traits: traits(100) } },
};

/** Requests of one shape in sizes from 1 KB to 64 KB. @param {(members: number) => Call} make */
function ofSizes(make) {
  return [1, 2, 4, 8, 16, 32, 64].map((kilobytes) => {
    let members = 1;
    while (JSON.stringify(make(members + 1).request).length <= kilobytes * 1024) members++;
    return make(members);
  });
}

const many = (/** @type {number} */ count, /** @type {string} */ name) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name} ${i}`, `value ${i}`]));

/** @type {Record<string, Call[]>} */
const growing = {
  page: ofSizes((members) => ({ name: 'page', request: { url: `https://www.example.com/p?${'key=value&'.repeat(members)}`, base: BASE } })),
  track: ofSizes((members) => ({ name: 'track', request: { event: 'x', properties: many(members, 'property'), base: BASE } })),
  // Long keys around many members, of the kind that is cut last.
  'track, nested': ofSizes((members) => ({
    name: 'track',
    request: { event: 'x', properties: { [`utm_${'k'.repeat(8 * members)}`]: many(members, 'p') }, base: BASE },
  })),
  identify: ofSizes((members) => ({ name: 'identify', request: { userId: 'a@b.co', traits: many(members, 'trait') } })),
};

/** @param {() => unknown} work */
function nanosecondsPer(work) {
  const start = performance.now();
  let count = 0;
  let passed = 0;
  while (passed < MEASURED_MS) {
    for (let i = 0; i < 10; i++) work();
    count += 10;
    passed = performance.now() - start;
  }
  return (passed * 1e6) / count;
}

/** @param {Call[]} list @returns {number[]} ns a call */
function natively(list) {
  const input = list.map(({ name, request }) => `${name} ${JSON.stringify(request)}\n`).join('');
  return execFileSync(NATIVE, { input, encoding: 'utf8' }).trim().split('\n').map(Number);
}

/** What Segment's integration asks of facade for an identify. @param {any} request */
function facadeIdentify({ userId, traits }) {
  const identify = new Identify({ userId, traits });
  return [
    identify.email(),
    identify.firstName(),
    identify.lastName(),
    identify.companyName(),
    identify.address(),
    identify.traits({ email: 'Email', firstName: 'FirstName', lastName: 'LastName', address: 'Address', company: 'Company' }),
  ];
}

/** How cost grows with size: the slope of the line through both logarithms. @param {[number, number][]} points */
function exponent(points) {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)]);
  const mean = (/** @type {0 | 1} */ i) => logs.reduce((sum, point) => sum + point[i], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  return logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0) / logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

/** The module's memory in bytes after a thousand calls, and after ten thousand. */
function memory() {
  /** @type {any} */
  let instance;
  const core = createCore({
    instantiate(imports) {
      instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(WASM)), /** @type {any} */ (imports));
      return instance.exports;
    },
  });
  const list = Object.values(calls);
  const after = [1000, 10000].map((count, i) => {
    for (let n = i * 1000; n < count; n++) core[list[n % list.length].name](list[n % list.length].request);
    return instance.exports.memory.buffer.byteLength;
  });
  return { after1000: after[0], after10000: after[1] };
}

/**
 * @param {number} rounds
 * @param {(text: string) => void} tell
 * @returns {Promise<Record<'wasm' | 'native' | 'facade', Record<string, number>> & {growth: Record<string,
 *   {exponent: number}>, memory: {after1000: number, after10000: number}}>} nanoseconds a call; bytes
 */
export async function measureCalls(rounds, tell) {
  const core = createCore();
  const run = (/** @type {Call} */ { name, request }) => nanosecondsPer(() => core[name](request));
  const identifies = Object.entries(calls).filter(([, { name }]) => name === 'identify');
  const names = Object.keys(calls);
  const figures = await inTurn(
    {
      wasm: () => Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, run(call)])),
      native: () => Object.fromEntries(natively(Object.values(calls)).map((ns, i) => [names[i], ns])),
      facade: () =>
        Object.fromEntries(identifies.map(([name, { request }]) => [name, nanosecondsPer(() => facadeIdentify(request))])),
    },
    rounds,
    tell
  );

  const growth = await inTurn(
    Object.fromEntries(
      Object.entries(growing).map(([name, list]) => [
        name,
        () => ({ exponent: exponent(list.map((call) => [JSON.stringify(call.request).length, run(call)])) }),
      ])
    ),
    3,
    (text) => tell(`growth of ${text}`)
  );
  const { wasm, native, facade } = figures;
  return { wasm, native, facade, growth, memory: memory() };
}
