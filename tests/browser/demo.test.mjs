/** The demo as a person meets it: started by its command, looked at in Chromium, ended by Ctrl-C. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchChromium } from './chromium.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs the demo until it has printed its address, or has ended.
 * @param {Record<string, string>} environment
 */
async function runDemo(environment) {
  const child = spawn('node', ['web/demo.mjs'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const closed = once(child, 'close').then(([code]) => code);
  const url = await new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        const found = /^(http\S+)\n$/m.exec(output);
        if (found) resolve(found[1]);
      });
    }
    closed.then(() => resolve(''));
  });
  return {
    url: /** @type {string} */ (url),
    output: () => output,
    closed,
    stop() {
      child.kill('SIGTERM');
      return closed;
    },
  };
}

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof runDemo>>} */
let demo;

before(async () => {
  browser = await launchChromium();
  demo = await runDemo({});
});

after(async () => {
  await browser.close();
  assert.equal(await demo.stop(), 0, demo.output());
});

/**
 * @param {import('node:test').TestContext} t
 * @param {{width: number, height: number}} viewport
 */
async function openShop(t, viewport = { width: 1440, height: 900 }) {
  const context = await browser.newContext({ viewport });
  t.after(() => context.close());
  const page = await context.newPage();
  /** @type {string[]} */
  const errors = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(demo.url);
  /** The newest entry of the panel that holds this text. @param {string} text */
  const entry = (text) => page.locator('.entry', { hasText: text }).first();
  return { page, errors, entry };
}

/** What the simulated Marketo has received of one type. @param {string} type */
async function received(type) {
  const simulator = /Marketo +(http\S+)/.exec(demo.output())?.[1];
  return /** @type {any[]} */ (await (await fetch(`${simulator}/_sim/events?type=${type}`)).json());
}

test('a visitor looks around, chooses a plan and signs up, and the panel shows each step to its arrival', async (t) => {
  const { page, errors, entry } = await openShop(t);
  await entry('already_recorded').getByText('visit', { exact: true }).waitFor();

  await page.getByRole('navigation').getByRole('link', { name: 'Plans' }).click();
  await page.getByRole('heading', { name: 'Pay for jars' }).waitFor();
  await page.getByRole('button', { name: 'Choose Kitchen' }).click();
  await entry("track('Chose a plan'").getByText('/event/Chose-a-plan?plan=Kitchen&price=24&jars=80').waitFor();

  await page.getByLabel('Your name').fill('Grace Hopper');
  await page.getByLabel('E-mail').fill('grace@example.com');
  assert.equal(await page.getByLabel('Plan').inputValue(), 'Kitchen');
  await page.getByRole('button', { name: 'Sign up' }).click();
  await page.getByText('Welcome, Grace Hopper').waitFor();
  const lead = entry('analytics.identify(');
  await lead.getByText("Munchkin.munchkinFunction('associateLead'").waitFor();
  await lead.getByText('signature valid').waitFor();

  const leads = await received('associateLead');
  assert.deepEqual(leads.at(-1).leadFields, {
    Name: 'Grace Hopper',
    FirstName: 'Grace',
    LastName: 'Hopper',
    Email: 'grace@example.com',
    Company: 'Analytical Engines',
    Plan: 'Kitchen',
  });
  assert.equal(leads.at(-1).signature, 'valid');
  const paths = (await received('visitWebPage')).map(({ path }) => path);
  assert.deepEqual(paths.filter((path) => path === '/plans' || path === '/'), ['/', '/plans']);
  assert.deepEqual(errors, []);

  // Who comes back is still known; who signs out is not.
  await page.reload();
  await page.getByRole('navigation').getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign up' }).waitFor();
  assert.equal(await page.evaluate(() => localStorage.getItem('ajs_user_traits')), null);
});

test('what cannot be sent is not sent, and the panel says why', async (t) => {
  const { page, entry } = await openShop(t);
  const before = (await received('associateLead')).length;
  await page.getByRole('navigation').getByRole('link', { name: 'Sign up' }).click();
  await page.getByRole('button', { name: 'without an e-mail' }).click();
  await entry('email_missing').getByText('email missing.').waitFor();
  await page.getByRole('button', { name: 'misspelt' }).click();
  await entry('email_invalid').getByText('email invalid.').waitFor();
  assert.equal((await received('associateLead')).length, before);
});

test('on a phone nothing is wider than the screen, and the panel folds away', async (t) => {
  const { page, entry } = await openShop(t, { width: 390, height: 844 });
  await entry('already_recorded').waitFor();
  for (const path of ['/', '/plans', '/sign-up', '/how-it-works']) {
    await page.goto(new URL(path, demo.url).href);
    await entry('analytics.page()').waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, path);
  }
  const panel = page.getByRole('complementary');
  await panel.getByRole('button', { name: 'Hide' }).click();
  await page.waitForFunction(() => Number(document.querySelector('.inspector')?.clientHeight) < 80);
  await panel.getByRole('button', { name: 'Show' }).click();
  await entry('analytics.page()').waitFor();
});

test('with a Munchkin ID the page is given the real Munchkin, and says so', async (t) => {
  const real = await runDemo({ MUNCHKIN_ID: '123-ABC-456' });
  t.after(() => real.stop());
  const html = await (await fetch(real.url)).text();
  assert.match(html, /"123-ABC-456"/);
  assert.doesNotMatch(html, /munchkinUrl":/);
  assert.match(real.output(), /your account 123-ABC-456/);
});

test('the site serves its own files and no others', async () => {
  for (const [path, status] of /** @type {[string, number][]} */ ([
    ['/js/shop.js', 200],
    ['/css/shop.css', 200],
    ['/plans', 200],
    ['/nowhere', 404],
    ['/demo.mjs', 404],
    ['/js/../demo/site.mjs', 404],
    ['/js/..%2f..%2fpackage.json', 404],
  ])) {
    assert.equal((await fetch(new URL(path, demo.url))).status, status, path);
  }
});

test('a port that is taken, or an ID that is none: it says what to do, and ends with 1', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (other.address());
  const taken = await runDemo({ PORT: String(port) });
  assert.equal(await taken.closed, 1);
  assert.match(taken.output(), new RegExp(`Port ${port} is taken.*PORT=${port + 1} make demo`));
  other.close();

  const bad = await runDemo({ MUNCHKIN_ID: 'not-one' });
  assert.equal(await bad.closed, 1);
  assert.match(bad.output(), /looks like 123-ABC-456/);
});
