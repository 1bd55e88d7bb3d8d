/** Subresource Integrity: the hashes of dist/integrity.json, on the tag of munchkin-server's script. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { customer } from './customer.mjs';

const DIST = new URL('../../dist/', import.meta.url);
/** @type {Record<string, string>} */
const integrity = JSON.parse(readFileSync(new URL('integrity.json', DIST), 'utf8'));

const world = customer();

/** The script under the URL that never changes its content. */
async function released() {
  const { release } = await (await fetch(`${world.serverUrl}/healthz`)).json();
  return `${world.serverUrl}/${release}/munchkin-shim.js`;
}

test('there is a hash for every script that a page loads by a tag, and it is right', () => {
  const scripts = readdirSync(DIST).filter((file) => /^munchkin-shim.*\.js$/.test(file));
  assert.ok(scripts.includes('munchkin-shim.js') && scripts.includes('munchkin-shim.asm.js'));
  const hashes = scripts.map((file) => {
    const hash = createHash('sha384').update(readFileSync(new URL(file, DIST))).digest('base64');
    return [file, `sha384-${hash}`];
  });
  assert.deepEqual(integrity, Object.fromEntries(hashes));
});

test('a tag with the hash runs the script that munchkin-server serves', async (t) => {
  const { errors } = await world.open(t, {
    head: world.tag({ src: await released(), crossorigin: '', integrity: integrity['munchkin-shim.js'] }),
    body: '<script>analytics.track("checked")</script>',
  });
  await world.arrival('/event/checked');
  assert.deepEqual(errors, []);
});

test('a script that is not the one that the hash is of does not run', async (t) => {
  const src = await released();
  const { page } = await world.open(t, {
    head: world.tag({ src, crossorigin: '', integrity: integrity['munchkin-shim.asm.js'] }),
    prepare: (page) => page.addInitScript("addEventListener('error', ({target}) => { window.refused = target.src; }, true)"),
  });
  assert.equal(await page.evaluate('window.refused'), src);
  assert.equal(await page.evaluate('typeof window.analytics'), 'undefined');
});

test('each of them loads by a tag with its hash', async (t) => {
  const tags = Object.entries(integrity).map(([file, hash]) => `<script integrity="${hash}" src="/dist/${file}" onload="loaded.push('${file}')"></script>`);
  const { page, errors } = await world.open(t, { head: `<script>window.loaded = [];</script>${tags.join('')}` });
  assert.deepEqual(await page.evaluate('window.loaded'), Object.keys(integrity));
  assert.deepEqual(errors, []);
});
