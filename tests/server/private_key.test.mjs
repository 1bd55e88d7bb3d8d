import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { askForHash, request, sendRaw } from './http_client.mjs';
import { KEY as SHORT, serverFor } from './server_process.mjs';

const KEY = `${SHORT}-9f8e7d6c5b4a`;

test('the key is in no answer, no log line, no metric', async (t) => {
  const server = await serverFor(t, { env: { MARKETO_API_PRIVATE_KEY: KEY }, args: ['--rate-limit', '3'] });
  const seen = [];
  for (const body of ['{"email":"a@b.co"}', '{"email":"none"}', '{', `{"email":"${KEY}"}`, 'x'.repeat(20000), '{}']) {
    seen.push(await askForHash(server, body));
  }
  for (const path of ['/', '/healthz', '/metrics', '/munchkin-shim.js', '/snippet.html', `/nowhere`]) {
    seen.push(await request(`${server.url}${path}`));
  }
  seen.push(await askForHash(server, { email: 'a@b.co' }, { origin: 'https://evil.example' }));
  for (const { headers, body } of seen) {
    assert.ok(!JSON.stringify(headers).includes(KEY));
    assert.ok(!body.includes(KEY));
  }
  assert.ok(!(await sendRaw(server, 'nonsense\r\n\r\n')).includes(KEY));
  assert.ok(!server.output().includes(KEY));

});

test('log lines are JSON whatever the paths and names in them', async (t) => {
  const server = await serverFor(t, { env: { MARKETO_API_PRIVATE_KEY: KEY } });
  await request(`${server.url}/%0a%22forged%22`);
  await server.stop();
  const lines = server.output().trimEnd().split('\n').filter((line) => !line.startsWith('munchkin-server listening'));
  assert.ok(lines.length >= 3);
  for (const line of lines) {
    const { time, level, event } = JSON.parse(line);
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(level, /^(info|warning|error)$/);
    assert.match(event, /^[a-z_]+$/);
  }
});

test('nothing that is built holds a key, or what signs with one in the browser', () => {
  const dist = new URL('../../dist/', import.meta.url);
  for (const name of readdirSync(dist).filter((file) => file.includes('.'))) {
    if (name === 'types') continue;
    const text = readFileSync(new URL(name, dist), 'latin1');
    assert.ok(!text.includes(SHORT), name);
    assert.ok(!text.includes('MARKETO_API_PRIVATE_KEY'), name);
  }
});
