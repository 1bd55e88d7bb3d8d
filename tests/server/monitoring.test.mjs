import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { askForHash, request } from './http_client.mjs';
import { eventually } from './intake.mjs';
import { serverFor } from './server_process.mjs';

const server = await serverFor({ after }, { args: ['--rate-limit', '2'] });
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** The samples of /metrics by name and labels. */
async function samples() {
  const { status, headers, body } = await request(`${server.url}/metrics`);
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  /** @type {Record<string, number>} */
  const found = {};
  for (const line of String(body).trimEnd().split('\n')) {
    if (line.startsWith('# ')) {
      assert.match(line, /^# (HELP [a-z_]+ \S.*|TYPE [a-z_]+ (counter|gauge))$/);
    } else {
      const [, name, value] = /^([a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) (\d+)$/.exec(line) || [];
      assert.ok(name, line);
      found[name] = Number(value);
    }
  }
  return found;
}

test('healthz tells that it lives, and which release', async () => {
  const { status, headers, json } = await request(`${server.url}/healthz`);
  assert.equal(status, 200);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(json.status, 'ok');
  assert.equal(json.version, version);
  assert.match(json.release, /^[0-9a-f]{8,}$/);
});

test('metrics counts what was answered, by route and status', async () => {
  await askForHash(server, { email: 'a@b.co' });
  await askForHash(server, { email: 'none' });
  await askForHash(server, { email: 'a@b.co' });
  await askForHash(server, { email: 'a@b.co' }, { origin: 'https://evil.example' });
  await request(`${server.url}/munchkin-shim.js`);
  await request(`${server.url}/nowhere`);
  /** @type {Record<string, number>} */
  let found = {};
  // A request is over a moment after its answer has come.
  await eventually(async () => (found = await samples()).munchkin_server_requests_in_flight === 1, 'none but this one');
  const requests = (/** @type {string} */ route, /** @type {number} */ status) =>
    found[`munchkin_server_requests_total{route="${route}",status="${status}"}`];
  assert.equal(requests('hash', 200), 1);
  assert.equal(requests('hash', 400), 1);
  assert.equal(requests('hash', 429), 1);
  assert.equal(requests('hash', 403), 1);
  assert.equal(requests('static', 200), 1);
  assert.equal(requests('other', 404), 1);
  assert.equal(requests('healthz', 200), 1);
  assert.equal(found.munchkin_server_hashes_total, 1);
  assert.equal(found[`munchkin_server_build_info{version="${version}"}`], 1);
  assert.ok(Math.abs(found.process_start_time_seconds - Date.now() / 1000) < 60);
});

test('both take only GET and HEAD', async () => {
  for (const path of ['/healthz', '/metrics']) {
    const head = await request(`${server.url}${path}`, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    const post = await request(`${server.url}${path}`, { method: 'POST' });
    assert.equal(post.status, 405);
    assert.equal(post.headers.allow, 'GET, HEAD');
  }
});
