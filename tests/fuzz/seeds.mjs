/** What each fuzz target begins with: the vectors, in the form that the target takes its input in. */

import { gzipSync } from 'node:zlib';
import { urlCase } from '../unit/url_generator.mjs';
import { callsOfVectors, namesIn, vectorsOf } from './vectors.mjs';

/** Longer ones slow a target down, and are as often in the way as not. */
const LONGEST = 4000;

/** @typedef {string | Buffer | number[]} Part */

/** @param {...Part} parts */
const join = (...parts) => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

/** Two bytes, for targets that take a size of memory; they take it modulo what is needed. */
const SIZE = [0x12, 0x34];

const calls = () => callsOfVectors();
const messages = () => vectorsOf('segment');

/** @param {number} value as the eight bytes of a double */
function double(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

/** Batches, each of a few messages and with what its vectors say around them; and one with much around many. */
function batches() {
  const all = messages();
  const marketoCookie = 'id:561-HYG-937&token:_mch-a.b-1-2';
  const context = { Marketo: { marketoCookie }, page: { url: `https://a.b/?${'&'.repeat(1800)}` } };
  const small = all.map(({ envelope }, at) => {
    const batch = all.slice(at, at + 3).map(({ type, message }) => ({ type, ...message }));
    return JSON.stringify({ batch, sentAt: '2026-11-24T12:00:00.000Z', ...envelope });
  });
  return [...small, JSON.stringify({ batch: Array(40).fill({ type: 'page' }), context })];
}

/** How long a page says that it kept its lead, in JSON. */
const AGES = ['0', '60000', '1.5', '86400001', '-1', '1e999', '9007199254740993', '"60000"', 'null', '{"age":1}'];

/** As src/server/queue/journal.c writes a command: short texts, in its order. @param {number} kind @param {string[]} texts */
const journaled = (kind, ...texts) =>
  join([1, kind, kind % 2], Array(16).fill(kind), ...Array.from({ length: 11 }, (_, i) => join([texts[i]?.length ?? 0, 0, 0, 0], texts[i] ?? '')));

const success = (/** @type {object} */ rest) => JSON.stringify({ requestId: 'e42b#14272d07d78', success: true, ...rest });
const failure = (/** @type {string} */ code) =>
  JSON.stringify({ requestId: 'e42b#14272d07d78', success: false, errors: [{ code, message: 'a message' }] });

/** Fields as describe.json has them. */
const FIELDS = [
  { id: 1, dataType: 'integer', rest: { name: 'id', readOnly: true }, soap: { name: 'Id', readOnly: true } },
  { id: 2, dataType: 'email', length: 255, rest: { name: 'email', readOnly: false }, soap: { name: 'Email', readOnly: false } },
  { id: 3, dataType: 'string', length: 5, rest: { name: 'firstName', readOnly: false }, soap: { name: 'FirstName' } },
  { id: 4, dataType: 'text', length: 7, rest: { name: 'about' }, soap: { name: 'AboutThem' } },
  { id: 5, dataType: 'phone', rest: { name: 'AboutThem' }, soap: { name: 'about' } },
  { id: 6, dataType: 'datetime', soap: { name: 'Alone' } },
];
const LEAD = JSON.stringify({ Email: 'a@b.co', FirstName: 'Grüße aus Köln', AboutThem: '日本語', id: 7, Unknown: null, about: true });

const ANSWERS = [
  success({ result: FIELDS }),
  success({ result: [{ id: 50, status: 'created' }, { status: 'skipped', reasons: [{ code: '1007', message: 'Multiple lead match' }] }] }),
  success({ result: [{ id: 1, marketoGUID: '9', status: 'added' }, { status: 'skipped', errors: [{ code: 1003, message: 'x' }] }] }),
  success({ result: [{ id: 318581, email: 'a@b.co', cookies: '_mch-example.com-1374552656411-90718' }] }),
  JSON.stringify({ access_token: 'cdf01657-110d-4155-99a7-f986b2ff13a0:int', token_type: 'bearer', expires_in: 3599, scope: 'a@b.co' }),
  JSON.stringify({ access_token: 'a b', expires_in: 3599 }),
  JSON.stringify({ error: 'unauthorized', error_description: 'Bad client credentials' }),
  ...['502', '601', '606', '607', '610', '615', '1006', '1077', '4294967897'].map(failure),
  success({ result: [] }),
  '<html><title>502 Bad Gateway</title></html>',
];

const fault = (/** @type {string} */ text) =>
  `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault><faultstring>${text}</faultstring></e:Fault></e:Body></e:Envelope>`;

const HEADERS = [
  'cid:561-HYG-937&token:_mch-example.com-1374552656411-90718',
  'c id:561-hyg-937%26token%3A_mch-my-shop.co.uk-1-2 ',
  'cid:561-HYG-937&token:_mch-a.b-0123456789abcdef0123456789abcdef',
  ...['https://www.example.com', 'http://LOCALHOST:8080', 'https://[2001:db8::1]:443', 'http://a:80', 'null', '*'].map(
    (origin) => `o${origin}\0https://www.example.com`,
  ),
  'athe-key\nthe-key\nthe-key:password\nBasic dGhlLWtleTo=',
  'a0\nother\n0:\nbasic MA',
  'x10.0.0.1\n10.0.0.1 ::1\n203.0.113.7, 10.0.0.1\n',
  'x10.0.0.1\n10.0.0.1\n1.2.3.4, [2001:db8::7]:4711 , 10.0.0.1\n10.0.0.1',
  'x::1\n::1 2001:db8::1\n2001:db8::2,2001:db8::1:,::1',
  'fHost:a\nContent-Length:12\n',
  'fHost:a\nTransfer-Encoding:chunked\nContent-Length: 12\n',
  'fContent-Length:1048577\nHost :b\n',
];

const TIMES = ['2100-02-29', '2026-11-24T06:42:07.123Z', '2026-11-24T07:42:07+01:00', '2016-12-31 23:59:60,5-0130', '2024-02-29', '0001-01-01T00:00+23:59'];
const NUMBERS = [0, -0, 1, 0.1, 5e-324, 1.7976931348623157e308, 123456789012345680000, 1e21, 1e-7, 2 ** -1022, NaN, Infinity];

const VISITS = ['561-HYG-937', '_mch-example.com-1-2', 'WWW.example.com:443', 'https://a.b/%C3%A9?q', 'Signed up', 'a=1&b=%26&utm_source=x', '/p/%C3%A9/%zz'];

const TOKEN_HEADERS = ['{"alg":"HS256","typ":"JWT"}', '{"alg":"HS256"}', '{"alg":"none"}', '{"alg":"RS256","crit":["exp"]}'];
const NOW = 1795521600;
const CLAIMS = [
  { email: 'a@b.co', exp: NOW + 3600 },
  { email: 'a@b.co', exp: NOW + 3600, nbf: NOW, iat: NOW, aud: 'https://events.example.com', sub: '1' },
  { email: 'a@b.co', exp: NOW + 60.5, aud: ['x', 'https://events.example.com'], sub: 7 },
  { email: 'a@b', exp: NOW - 61 },
  { sub: 'a@b.co', exp: '0' },
].map((claims) => JSON.stringify(claims));

/** A name that is there twice, also if it is written otherwise. */
const TWICE = [`{"email":"c@d.co","exp":${NOW},"email":"a@b.co"}`, `{"email":"a@b.co","exp":${NOW},"\\u0065xp":${NOW + 60}}`];

/** By target, what it begins with. @type {Record<string, () => Buffer[]>} */
const SEEDS = {
  calls: () => calls().map(({ call, request }) => join([['page', 'track', 'identify'].indexOf(call)], SIZE, request)),
  url: () => [
    ...Array.from({ length: 400 }, (_, seed) => urlCase(seed)).map(({ url, base }, i) => join([i & 1, i], SIZE, base, '\0', url)),
    ...vectorsOf('page').map(({ request }, i) => join([i & 1, i], SIZE, String(request?.base ?? ''), '\0', String(request?.url ?? ''))),
  ],
  lead: () => [
    ...calls().flatMap(({ call, request }) => (call === 'identify' ? [request] : [])),
    ...vectorsOf('hash').flatMap(({ email }) => [join(email), join(JSON.stringify({ email: ` ${email}` }))]),
    ...messages().map(({ message }) => join(JSON.stringify({ ...message, background: message?.context?.traits }))),
  ],
  json: () => calls().map(({ request }) => join(SIZE, request)),
  batch: () => batches().map((body) => join(SIZE, body)),
  body: () =>
    batches().flatMap((body, i) => [
      join([0x40, 0], [0, 1], [i], [4 * i + 1 + (i % 3)], body.slice(0, 900)),
      join([0x40, 0], [0, i % 2], [i + 40], [0], gzipSync(body)),
    ]),
  segment: () => [
    ...batches().flatMap((body, i) => [join([0], [[0, 2, 1, 64][i % 4]], body)]),
    ...messages().map(({ type, message }) =>
      join([Math.max(['', '', 'identify', 'track', 'page', '', 'group', 'alias'].indexOf(type), 2)], [0], JSON.stringify(message)),
    ),
    ...calls().flatMap(({ call, request }, i) => (call === 'identify' && i % 4 === 0 ? [join([5], [0], request)] : [])),
    ...AGES.map((age) => join([5], [0], `{"userId":7,"traits":{"email":"a@b.co"},"cookie":"id:561-HYG-937&token:_mch-a.b-1-2","age":${age}}`)),
  ],
  headers: () => HEADERS.map((text) => join(text)),
  times: () => TIMES.flatMap((first, i) => NUMBERS.map((number) => join(double(number), first, '\n', TIMES[(i + 1) % TIMES.length]))),
  journal: () => [
    journaled(0, 'm-1', 'a@b.co', 'u1', '', '{"Email":"a@b.co"}'),
    join(journaled(1, 'm-2', '', '', '', '', '_mchRu=%2F', 'Mozilla/5.0'), journaled(4, 'm-3')),
  ],
  visit_query: () => [join([1], SIZE, VISITS.join('\n')), join([0], SIZE, VISITS.map(encodeURIComponent).join('\n'))],
  rest: () => ANSWERS.flatMap((answer) => [0, 2, 7].map((status) => join([status], [3], LEAD, '\0', answer))),
  soap: () => [
    ...['', 'x'].map((before) => join('\0\0\0', fault(`${before}${'é'.repeat(400)}`))),
    ...vectorsOf('soap_reply').map(({ reply, replyHex }) => join('\0\0\0', replyHex ? Buffer.from(replyHex, 'hex') : (reply ?? ''))),
    ...vectorsOf('soap_sync').map(({ lead }) => join(lead.email ?? '', '\0', lead.userId ?? '', '\0', lead.fields ?? '{}', '\0')),
  ],
  token: () => [
    join([128, 255, 0, 1, 24], TOKEN_HEADERS[0], '\0', CLAIMS[0]), // its last digit is changed
    ...TOKEN_HEADERS.flatMap((header) => [...CLAIMS, ...TWICE].flatMap((claims, i) => [0, 4, 2].map((by) => join([128, 255, i, 9 * i, by], header, '\0', claims)))),
  ],
  field_set: () => {
    const sets = messages().flatMap(({ commands }) => (commands ?? []).flatMap((/** @type {any} */ { fields }) => fields ?? []));
    return sets.map((set, i) => {
      // Of the same time, and of another.
      const time = i % 2 ? 1e12 + i : i - 128;
      const kept = Object.fromEntries(Object.entries(sets[(i + 1) % sets.length]).map(([name, value]) => [name, [time, value]]));
      return join(SIZE, [i], JSON.stringify(set), '\0', [i], JSON.stringify(kept));
    });
  },
};

/** @param {string} target @returns {Buffer[]} */
export function seedsOf(target) {
  const seeds = SEEDS[target]?.() ?? [];
  return [...new Map(seeds.filter(({ length }) => length <= LONGEST).map((seed) => [seed.toString('latin1'), seed])).values()];
}

const JSON_WORDS = ['{"', '":', '":"', '","', '":{"', '":[', '[{"', '"},"', 'true', 'false', 'null', '\\u0000', '\\ud83d\\ude00', '\\ud800', '1e21', '-0.5'];

/** Words that make sense to the targets, in libFuzzer's form. One list: a word that means nothing to a target is soon left alone. */
export function dictionary() {
  const names = namesIn([calls().map(({ request }) => readable(request)), messages(), FIELDS, ANSWERS.map(readable)]);
  const tags = new Set(vectorsOf('soap_reply').flatMap(({ reply }) => String(reply ?? '').match(/<[^<>]{1,60}>/g) ?? []));
  const words = [...JSON_WORDS, ...[...names].map((name) => `"${name}"`), ...tags, 'http://', 'https://', '%C3%A9', '%2e', '/event/', '\xef\xbf\xbe'];
  const short = words.map((word) => Buffer.from(word)).filter(({ length }) => length <= 64);
  return `${short.map((word) => `"${escaped(word)}"`).join('\n')}\n`;
}

/** @param {Buffer | string} text as a value, if it is JSON of no hostile length */
function readable(text) {
  try {
    return text.length <= LONGEST ? JSON.parse(String(text)) : null;
  } catch {
    return null;
  }
}

/** @param {Buffer} bytes */
function escaped(bytes) {
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
}
