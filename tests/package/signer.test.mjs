/**
 * The signer of the packed package where back ends mount it: in Express, both versions in use, before and behind its body
 * parsers, and in Cloudflare's runtime, which compiles no WebAssembly at run time. (In Next.js: bundlers.test.mjs.)
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { assertSigns, KEY } from './signing.mjs';
import { startProgram } from './site.mjs';
import { build, pack } from './tarball.mjs';

/** @type {string} */
let tarball;

before(async () => {
  tarball = await pack('signer');
});

test('the README shows what is tested here, to the letter', () => {
  const files = ['express/main.mjs', 'next/app/v1/lead/route.js', 'workerd/worker.mjs'];
  const programs = files.map((file) => readFileSync(new URL(`projects/${file}`, import.meta.url), 'utf8'));
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const shown = [...readme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code).filter((code) => code.includes('munchkin-shim/signer'));
  assert.deepEqual(shown.map((code) => files[programs.findIndex((program) => program.includes(code))]), files);
});

test('in Express', async (t) => {
  const folder = await build('express', tarball);
  for (const version of ['express', 'express4']) {
    for (const parsers of ['', 'json', 'text', 'json,text', 'raw']) {
      await t.test(`${version}, ${parsers ? `behind ${parsers}` : 'before any body parser'}`, async (t) => {
        const env = { EXPRESS: version, PARSERS: parsers, MARKETO_API_PRIVATE_KEY: KEY, NODE_ENV: 'test' };
        const { match, output } = await startProgram(t, folder, [process.execPath, 'main.mjs'], env, /^(\d+)$/m);
        // A visitor who is gone before the body has come: the server goes on.
        const gone = connect(Number(match[1]), '127.0.0.1');
        gone.end('POST /v1/lead HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"email"').resume();
        await once(gone, 'close');
        await assertSigns(`http://127.0.0.1:${match[1]}/v1/lead`);
        assert.equal(output().trim(), match[1], 'nothing has been logged');
      });
    }
  }
});

test("in workerd, Cloudflare's runtime", async (t) => {
  const folder = await build('workerd', tarball);
  const command = ['node_modules/.bin/workerd', 'serve', '--control-fd=1', 'worker.capnp'];
  const { match } = await startProgram(t, folder, command, { MARKETO_API_PRIVATE_KEY: KEY }, /"port":(\d+)/);
  await assertSigns(`http://127.0.0.1:${match[1]}/v1/lead`);
});
