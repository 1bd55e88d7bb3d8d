/**
 * Core's URL parser beside Node's own, which is the WHATWG URL Standard's: on whatever Node accepts as http or https, both must say
 * the same. `URL_CASES` and `URL_SEED` in the environment try more, or others.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCore } from 'munchkin-shim/core';
import { urlCase } from './url_generator.mjs';

const CASES = Number(process.env.URL_CASES ?? 60_000);
const FIRST_SEED = Number(process.env.URL_SEED ?? 1);

/** How many of the cases Node must have accepted for the comparison to mean anything. */
const ACCEPTED_SHARE = 0.4;

/** As long as core allows, so that nothing is cut. */
const LIMITS = { urlLimit: 65535, paramsLimit: 65535 };

/** The standard put U+005E into its path percent-encode set in 2024. Browsers encode it; Node 20 is older than that. */
const NODE_LEAVES_CARETS = new URL('http://a/^').pathname === '/^';

/**
 * The URL parser of Node 20 forgets the dot segments of some paths in which another segment begins with a dot (ada-url/ada issue 935).
 * It does not when they are spelled with "%2e", which the standard takes for the same thing.
 */
const NODE_FORGETS_DOTS = new URL('http://a/b/.x/../c').pathname !== '/b/c';

/** @param {string} pathname  of Node, without its two faults */
function corrected(pathname) {
  let path = pathname;
  if (NODE_FORGETS_DOTS) {
    const dots = /\/(\.\.?)(?=\/|$)/g;
    const spelled = path.replace(dots, (segment) => segment.replaceAll('.', '%2e'));
    if (spelled !== path) path = new URL(`http://a${spelled}`).pathname;
  }
  return NODE_LEAVES_CARETS ? path.replaceAll('^', '%5E') : path;
}

/** @typedef {import('./url_generator.mjs').UrlCase} UrlCase */

/**
 * What the standard says; undefined if it is no http or https URL to Node.
 *
 * @param {UrlCase} input
 * @returns {{url: string, params: string} | undefined}
 */
function expectedVisit({ url, base }) {
  let parsed;
  try {
    parsed = new URL(url, base === '' ? undefined : base);
  } catch {
    return undefined;
  }
  if (!/^https?:$/.test(parsed.protocol)) return undefined;
  return { url: corrected(parsed.pathname), params: parsed.search.slice(1) };
}

/**
 * What is wrong with core's answer; the empty text if nothing is.
 *
 * @param {Pick<import('../../js-glue/core.js').Core, 'page'>} core
 * @param {UrlCase} input
 * @returns {string}
 */
function fault(core, input) {
  const expected = expectedVisit(input);
  const result = core.page({ ...input, ...LIMITS });
  if (!result.ok) {
    if (expected) return `got ${result.error}, expected ${JSON.stringify(expected)}`;
    return ['url_invalid', 'url_unsupported_scheme'].includes(result.error) ? '' : `got ${result.error}`;
  }
  const { url, params } = result.call[1];
  const got = JSON.stringify({ url, params });
  if (expected) return got === JSON.stringify(expected) ? '' : `got ${got}, expected ${JSON.stringify(expected)}`;
  const clean = /^\/[\x21-\x7e]*$/.test(url) && /^[\x21-\x7e]*$/.test(params);
  return clean ? '' : `got ${got}, which holds what no URL may hold`;
}

/**
 * The case with ever smaller pieces taken out, for as long as it fails.
 *
 * @param {UrlCase} input
 * @param {(input: UrlCase) => boolean} fails
 * @returns {UrlCase}
 */
function shrunk(input, fails) {
  let smallest = input;
  for (const part of /** @type {const} */ (['base', 'url', 'base', 'url'])) {
    for (let size = smallest[part].length; size >= 1; size = size >> 1) {
      for (let from = 0; from + size <= smallest[part].length; ) {
        const text = smallest[part];
        const smaller = { ...smallest, [part]: text.slice(0, from) + text.slice(from + size) };
        if (fails(smaller)) smallest = smaller;
        else from += size;
      }
    }
  }
  return smallest;
}

test(`${CASES} URLs split as Node's URL splits them`, (t) => {
  const core = createCore();
  let accepted = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + CASES; seed++) {
    const input = urlCase(seed);
    if (expectedVisit(input)) accepted++;
    if (fault(core, input) !== '') {
      const smallest = shrunk(input, (smaller) => fault(core, smaller) !== '');
      assert.fail(`seed ${seed}: ${JSON.stringify(smallest)}: ${fault(core, smallest)}`);
    }
  }
  t.diagnostic(`${CASES} URLs, ${accepted} of them accepted by Node and equal, the others refused or clean`);
  assert.ok(accepted >= CASES * ACCEPTED_SHARE, `only ${accepted} URLs are URLs to Node`);
});

test('the same number gives the same case', () => {
  assert.deepEqual(urlCase(1234), urlCase(1234));
  const distinct = new Set(Array.from({ length: 1000 }, (_, seed) => JSON.stringify(urlCase(seed))));
  assert.ok(distinct.size > 900, `${distinct.size} distinct cases of 1000`);
});

test('a wrong parser is found out', () => {
  const core = createCore();
  const wrong = {
    /** @param {{url?: string, base?: string}} request */
    page(request) {
      // Forgets that a backslash is a slash.
      return core.page({ ...request, url: request.url?.replaceAll('\\', '%5C') });
    },
  };
  const seeds = Array.from({ length: 2000 }, (_, seed) => seed);
  assert.ok(seeds.some((seed) => fault(wrong, urlCase(seed)) !== ''));
});
