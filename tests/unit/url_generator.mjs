/**
 * URLs to try a parser with: ordinary ones, relative ones, and hostile ones. A pure function of a seed, without any import, so that
 * a failure can be had again anywhere, in Node as in a browser.
 */

/**
 * @typedef {object} UrlCase
 * @property {string} url   what to parse
 * @property {string} base  what to resolve it against; empty for nothing
 */

/** @typedef {() => number} Random  the next number from 0 to 1 */

/**
 * The generator called mulberry32: 32 bits of state, good enough to choose test cases with.
 *
 * @param {number} seed
 * @returns {Random}
 */
export function randomFrom(seed) {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const SCHEMES = [
  ...['http:', 'https:', 'http:', 'https:', 'http:', 'https:', 'HTTP:', 'hTtPs:', 'HTTPS:', 'ht\ttp:', '\nhttps:', ' http:'],
  ...['ftp:', 'ws:', 'wss:', 'file:', 'mailto:', 'javascript:', 'data:', 'blob:', 'about:', 'http', 'httpx:', '1http:', 'http+x:'],
  ...['h.t-p:', ':', 'ht\u0000tp:', 'http\u3002:', 'ħttp:', '%68ttp:', 'http%3A'],
];

const SLASHES = ['//', '//', '//', '//', '', '/', '///', '////', '\\\\', '/\\', '\\/', '\\', '/\t/', '\n//', '/\r\n/', '/ /'];

const USERS = ['u@', 'u:p@', 'u:p:q@', '@', ':@', 'u@v@', 'u%40v@', 'u\\@', 'ü:π@', 'u /@', 'u?@', 'u#@', 'u:@', '\ud800@', '[@'];

const HOSTS = [
  ...['a', 'example.com', 'www.example.com', 'EXAMPLE.com', 'example.com.', '127.0.0.1', '[::1]', '[2001:db8::1]', '[::ffff:1.2.3.4]'],
  ...['münchen.de', 'xn--mnchen-3ya.de', '日本.jp', '😀.com', 'ex%41mple.com', '0x7f.1', '1', 'a_b', '-a-', 'a..b', 'a\tb.com', 'ex\nample'],
  ...['', '.', '..', '[', ']', '[::1', '::1]', '[:::1]', '[g::1]', '[1.2.3.4]', '999.1.1.1', '0x', 'a b', 'a%20b', '%', '%zz', 'a<b'],
  ...['a>b', 'a|b', 'a^b', 'a`b', 'a{b}', '\u0000', 'a\u0000b', '\ud800', '\u00ad', 'a\u200db', '\uff0e', '％４１', 'ａ.com', 'xn--', 'xn--a'],
];

const PORTS = [':80', ':443', ':8080', ':', ':0', ':00080', ':65535', ':65536', ':99999999999', ':x', ':80x', ':-1', ':80:80', ': 80', ':8\t0'];

const SEGMENTS = [
  ...['a', 'b', 'pricing', 'index.html', 'a', 'b', '', '', '.', '..', '..', '%2e', '%2E', '.%2e', '%2e.', '%2E%2e', '%2e%2e', '...', '%2e%2e%2e'],
  ...['.a', 'a.', '..a', '%2ea', '%2', '%2f', '%5c', '. ', ' .', '.\t.', '%\t2e', '.;', 'C:', 'C|', 'c:', '@', ':', 'a:b', 'u@h', '[x]', ';p=1'],
];

const TEXTS = [
  ...['a', 'b=c', 'utm_source=x', '&', '=', '+', ';', ',', '-', '_', '~', '!', '*', '(', ')', "'", '"', '`', '^', '|', '{', '}', '[', ']', '<', '>'],
  ...['$', '%', '%%', '%4', '%zz', '%41', '%00', '%0a', '%20', '%C3%A9', '%c3', '%e2%82', '%E2%82%AC', '%25', '%u0041', ' ', '  ', '/', '\\'],
  ...['.', '..', '?', '??', 'é', 'ß', '€', '\u0130', '日本', '😀', '👩\u200d👩\u200d👧', 'e\u0301', '\u200f', '\u2028', '\ufeff', '\uffff', '\ufffd'],
  ...['\u0000', '\u0001', '\t', '\n', '\r', '\r\n', '\u000b', '\u001f', '\u007f', '\u0080', '\u009f', '\u00a0', '\ud800', '\udc00'],
  ...['\udc00\ud800', '\u{10ffff}'],
];

const BASES = [
  ...['http://example.com/', 'https://example.com/', 'https://www.example.com/a/b/c', 'https://www.example.com/a/b/c?q=1#f'],
  ...['http://example.com', 'http://example.com?q', 'https://example.com/a/b/', 'https://example.com/a//b//', 'https://example.com//'],
  ...['https://u:p@example.com:8443/x/y?z', 'HTTPS://EXAMPLE.COM/A/B', 'http:\\\\example.com\\a\\b', ' https://example.com/a ', 'http:example.com/x'],
  ...['https://example.com/a/../b/./c', 'https://example.com/é/😀?ü#ö', 'http://[::1]:8080/a/b', 'https://example.com/a b/c?d e', 'https:/one/two'],
  ...['https://example.com/%2e%2e/x/%2e/y', 'https://example.com/C:/x', 'http://example.com/x;y=1/z?a/b/../c', 'https://example.com/a?', 'https://h/#'],
];

/** Bases that are no page: nothing, or something that is not http. */
const OTHER_BASES = ['', '', '', 'about:blank', 'file:///a/b', 'data:text/html,x', '/a/b', 'example.com', 'https://', 'http://[', 'ftp://h/a/b'];

const RELATIVE = ['', '.', '..', '/', '//', '?', '#', '?q', '#f', './', '../', '../..', '/..', '//h', '//h/p', '///h', '\\h', '\\\\h\\p', '?#', '#?'];

/**
 * @template T
 * @param {Random} random
 * @param {readonly T[]} list
 */
function oneOf(random, list) {
  return list[Math.floor(random() * list.length)];
}

/**
 * @param {Random} random
 * @param {number} most
 */
function upTo(random, most) {
  return Math.floor(random() * (most + 1));
}

/** @param {Random} random */
function anyText(random) {
  let text = '';
  for (let left = upTo(random, 5); left > 0; left--) text += oneOf(random, TEXTS);
  return text;
}

/** @param {Random} random */
function path(random) {
  let text = '';
  for (let left = upTo(random, 6); left > 0; left--) {
    text += oneOf(random, ['/', '/', '/', '/', '\\', '//', '']);
    text += random() < 0.7 ? oneOf(random, SEGMENTS) : anyText(random);
  }
  return text;
}

/** @param {Random} random */
function ending(random) {
  const query = random() < 0.5 ? `?${anyText(random)}` : '';
  const fragment = random() < 0.3 ? `#${anyText(random)}` : '';
  return random() < 0.95 ? query + fragment : fragment + query;
}

/** @param {Random} random */
function absolute(random) {
  // Most hosts are good ones: a parser that refuses the host shows nothing of the rest.
  const host = random() < 0.75 ? oneOf(random, HOSTS.slice(0, 9)) : oneOf(random, HOSTS);
  const user = random() < 0.12 ? oneOf(random, USERS) : '';
  const port = random() < 0.15 ? oneOf(random, PORTS) : '';
  return oneOf(random, SCHEMES) + oneOf(random, SLASHES) + user + host + port + path(random) + ending(random);
}

/** @param {Random} random */
function relative(random) {
  if (random() < 0.2) return oneOf(random, RELATIVE) + (random() < 0.3 ? anyText(random) : '');
  const scheme = random() < 0.2 ? oneOf(random, SCHEMES) : '';
  const start = random() < 0.2 ? oneOf(random, SLASHES) : '';
  return scheme + start + path(random).slice(upTo(random, 1)) + ending(random);
}

/** @param {Random} random */
function codePoint(random) {
  const highest = oneOf(random, [0x20, 0x7f, 0x7f, 0xff, 0x7ff, 0xffff, 0x10ffff]);
  return String.fromCodePoint(upTo(random, highest));
}

/** @param {Random} random */
function noise(random) {
  let text = random() < 0.5 ? oneOf(random, ['http:', 'https:', 'http://h', 'https://h/', '//h', '/']) : '';
  for (let left = upTo(random, 20); left > 0; left--) text += codePoint(random);
  return text;
}

/** The characters that the grammar of URLs is made of, in any order. */
const SYNTAX = ['/', '/', '\\', '.', '.', '?', '#', ':', '@', '%', '2', 'e', '5', 'c', 'h', '[', ']', '\t', '\n', ' ', '|'];

/** @param {Random} random */
function syntax(random) {
  let text = oneOf(random, ['', '', 'http:', 'https:', 'http://h', 'https://h/a/b']);
  for (let left = upTo(random, 14); left > 0; left--) text += oneOf(random, SYNTAX);
  return text;
}

/**
 * Inserts, deletes, repeats or replaces something, anywhere.
 *
 * @param {Random} random
 * @param {string} text
 */
function mutated(random, text) {
  const from = upTo(random, text.length);
  const to = Math.min(text.length, from + upTo(random, 3));
  const added = oneOf(random, [
    oneOf(random, SYNTAX),
    oneOf(random, TEXTS),
    codePoint(random),
    text.slice(from, to).repeat(2),
    '',
  ]);
  return text.slice(0, from) + added + text.slice(random() < 0.5 ? from : to);
}

/**
 * The case of this number.
 *
 * @param {number} seed  a whole number
 * @returns {UrlCase}
 */
export function urlCase(seed) {
  const random = randomFrom(seed);
  let url = oneOf(random, [absolute, absolute, absolute, relative, relative, syntax, noise])(random);
  if (random() < 0.3) {
    for (let left = 1 + upTo(random, 3); left > 0; left--) url = mutated(random, url);
  }
  let base = random() < 0.9 ? oneOf(random, BASES) : oneOf(random, OTHER_BASES);
  if (random() < 0.1) base = absolute(random);
  if (random() < 0.05) base = mutated(random, base);
  return { url, base };
}
