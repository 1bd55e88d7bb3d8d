/** What clients, Marketo or file names say makes no line of the log, and no part of one that is not JSON. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { request, sendRaw } from './http_client.mjs';
import { eventually, folderFor, intakeFor } from './intake.mjs';
import { KEY, ORIGIN, startServer } from './server_process.mjs';

const FORGED = '{"time":"2026-11-24T00:00:00Z","level":"error","event":"injected"}';
const HOSTILE = [
  `\r\n${FORGED}\r\n`,
  `"}\n${FORGED}`,
  '\x1b[2J\x1b]0;forged\x07\x1b[31minjected',
  '\x00\x01\x08\x7f\x85\x9binjected',
  '\xff\xfe\xc0\xaf\xed\xa0\x80injected',
  '\u2028\u2029\u202einjected',
  '%0d%0ainjected%00',
  'injected'.repeat(1000),
  '\\"injected\\u000a\\',
];
const KEYS = ['time', 'level', 'event', 'count', 'call', 'message', 'path', 'signal', 'release', 'code', 'field', 'problem', 'name', 'kind', 'type', 'origin'];

/** The lines, each of which has to be one JSON object that we have written. @param {string} output */
function linesOf(output) {
  const lines = output.trimEnd().split('\n').filter((line) => !line.startsWith('munchkin-server listening'));
  return lines.map((line) => {
    // eslint-disable-next-line no-control-regex -- that there are none is the point
    assert.doesNotMatch(line, /[\x00-\x1f\x7f-\x9f]/);
    assert.ok(!line.includes('\ufffd'), `no UTF-8: ${line}`);
    const said = JSON.parse(line);
    assert.match(said.event, /^[a-z_]+$/, line);
    assert.notEqual(said.event, 'injected');
    assert.deepEqual(Object.keys(said).filter((key) => !KEYS.includes(key)), [], line);
    return said;
  });
}

test('paths, headers, e-mails, events, ids and keys', async (t) => {
  const { server, post } = await intakeFor(t);
  const raws = [];
  for (const text of HOSTILE) {
    const raw = Buffer.from(text, 'latin1').toString('latin1');
    const requests = [
      `GET /${raw} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `${raw} / HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: ${raw}\r\n${raw}: ${raw}\r\nOrigin: ${raw}\r\nX-Forwarded-For: ${raw}\r\nUser-Agent: ${raw}\r\n\r\n`,
      `POST /v1/identify HTTP/1.1\r\nHost: x\r\nAuthorization: ${raw}\r\nContent-Length: ${raw.length}\r\n\r\n${raw}`,
      `POST /v1/hash HTTP/1.1\r\nHost: x\r\nOrigin: https://${raw}\r\nContent-Length: 2\r\n\r\n{}`,
      `POST /v1/hash HTTP/1.1\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nContent-Length: ${raw.length}\r\n\r\n${raw}`,
    ];
    // Side by side: one that is no whole request is closed only as an idle one.
    raws.push(...requests.map((bytes) => sendRaw(server, bytes)));
    await request(`${server.url}/v1/lead`, { method: 'POST', headers: { Origin: ORIGIN }, body: JSON.stringify({ userId: text, traits: { email: text, [text]: text } }) });
    await post('/v1/batch', {
      batch: [
        { type: text, messageId: text, userId: text },
        { type: 'identify', messageId: `${text}1`, userId: text, traits: { email: `${text}@example.com`, [text]: text } },
        { type: 'track', messageId: `${text}2`, event: text, properties: { [text]: text }, context: { Marketo: { marketoCookie: text }, userAgent: text } },
        { type: 'page', messageId: `${text}3`, name: text, properties: { url: text } },
      ],
    });
    await post('/v1/identify', { traits: { email: 'a@b.co' } }, { key: text.replaceAll(/[^ -~]/g, '') });
  }
  // Names may be about a person; those that could be a field's are told of, a part of them.
  await post('/v1/identify', { traits: { email: 'a@b.co', 'ada@example.com': 1, '+49 170 123': 1, [`${'x'.repeat(120)}`]: 1 } });
  await Promise.all(raws);
  assert.equal((await post('/v1/identify', { traits: { email: 'a@b.co' } })).status, 200);
  await eventually(() => server.output().includes('xxxxx'), 'word of the long name');
  await eventually(() => server.output().includes('"origin_not_allowed"'), 'word of a page that was refused');
  await server.stop();
  const lines = linesOf(server.output());
  assert.ok(lines.length >= 3);
  assert.ok(lines.some(({ field }) => field === `X${'x'.repeat(99)}`));
  for (const name of ['@example.com', '49170']) assert.ok(!server.output().includes(name), name);
  // The names of fields that Marketo does not have are told of; nothing else is repeated.
  for (const { event, ...said } of lines) assert.ok(event === 'field_unknown' || !JSON.stringify(said).includes('injected'), event);
});

test('what Marketo says', async (t) => {
  const { server, simulator, post, advance } = await intakeFor(t);
  let asked = 0;
  for (const text of HOSTILE) {
    const path = '/rest/v1/leads.json';
    simulator.faults.calls.push(
      { path, text: JSON.stringify({ success: false, errors: [{ code: text, message: text }] }) },
      { path, text: JSON.stringify({ success: false, errors: [{ code: '603', message: text }] }) },
      { path, text: JSON.stringify({ success: true, result: [{ status: 'skipped', reasons: [{ code: text, message: text }] }] }) },
      { path, status: 401, text },
      { path: '/identity/oauth/token', text: JSON.stringify({ access_token: text, expires_in: text }) },
    );
    await eventually(async () => {
      assert.equal((await post('/v1/identify', { traits: { email: `p${asked++}@example.com` } })).status, 200);
      advance(300_000);
      return simulator.faults.calls.length === 0;
    }, `all faults to be used\n${server.output()}`);
  }
  await server.stop();
  const lines = linesOf(server.output());
  assert.ok(lines.some(({ event }) => event === 'marketo_refuses'), server.output());
});

test('a code of Marketo\'s that is none', async (t) => {
  const { server, simulator, post, advance } = await intakeFor(t);
  const path = '/rest/v1/leads.json';
  const codes = ['ada@example.com', '+49 170 1234567', 'Ada Lovelace', 'x'.repeat(17)];
  for (const code of codes) {
    const fails = { path, status: 500, text: JSON.stringify({ success: false, errors: [{ code, message: '' }] }) };
    simulator.faults.calls.push(fails, fails, fails, fails, { path, text: JSON.stringify({ success: false, errors: [{ code, message: '' }] }) });
  }
  simulator.faults.calls.push({ path, text: JSON.stringify({ success: false, errors: [{ code: '603', message: '' }] }) });
  assert.equal((await post('/v1/identify', { traits: { email: 'b@example.com' } })).status, 200);
  await eventually(() => {
    advance(300_000);
    return simulator.leads.get('b@example.com');
  }, `the lead\n${server.output()}`);
  await server.stop();
  const calls = linesOf(server.output()).flatMap(({ event, call }) => (/^marketo_(refuses|does)/.test(event) ? [call] : []));
  assert.ok(calls.includes('leads: strange_code'), server.output());
  for (const code of codes) assert.ok(!server.output().includes(code.slice(0, 12)), code);
});

test('names of files', async (t) => {
  const path = join(folderFor(t), `${HOSTILE[0].replaceAll('/', '')}\x1b[31m\xff"`);
  writeFileSync(path, KEY, { mode: 0o644 });
  const server = await startServer({ args: ['--allow-origin', ORIGIN, '--private-key-file', path] });
  assert.equal(await server.stop(), 0);
  const line = linesOf(server.output()).find(({ event }) => event === 'key_file_readable_by_others');
  assert.ok(line && line.path.includes('injected'), server.output());
});
