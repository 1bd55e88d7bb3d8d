/** What the pages of the three adapters have in common: their code is bundled with the library as published, and run. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundle } from '../adapters/libraries.mjs';
import { documentation } from './document.mjs';
import { exampleSite } from './example_site.mjs';

const FOLDER = new URL('.', import.meta.url);

/**
 * @param {object} library
 * @param {string} library.document its page
 * @param {string} library.code the heading of its first block, whose names the others use
 * @param {Record<string, import('./example_site.mjs').Player>} library.hosts its own back end
 */
export function adapterPage({ document, code, hosts }) {
  const world = exampleSite();
  const page = documentation(document);
  const start = page.block(code, 'js');
  const calls = start.slice(start.search(/^\w+\.page/m));
  const choosing = page.block('Choosing destinations', 'js');
  const errors = page.block('Errors', 'js');
  const consent = page.block('Consent', 'js');
  page.notRun('tests/package installs the package as npm would', 'Install', 'sh');

  const [, library] = /** @type {RegExpExecArray} */ (/^(\w+)\.page/m.exec(start));

  /**
   * @param {import('node:test').TestContext} t
   * @param {string} source of the page's script
   * @param {import('../browser/customer.mjs').Visit} [visit]
   */
  const open = async (t, source, { body = '', ...visit } = {}) => {
    const script = await bundle(source, FOLDER);
    return world.visit(t, {
      path: '/plans?a=b',
      ...visit,
      body: `${body}<script src="https://page.example.com/page.js"></script>`,
      hosts: {
        'https://page.example.com': (route) => route.fulfill({ body: script, contentType: 'text/javascript' }),
        ...hosts,
      },
    });
  };

  test(`${document}: what the first block calls arrives`, async (t) => {
    await open(t, start);
    assert.equal((await world.arrival('/event/Signed-up')).params, 'plan=pro');
    const lead = await world.simulator.waitFor(({ type }) => type === 'associateLead');
    assert.equal(lead.signature, 'valid');
    assert.deepEqual(lead.leadFields, {
      Email: 'ada@example.com', FirstName: 'Ada', LastName: 'Lovelace', Name: 'Ada Lovelace', UserId: '1234',
    });
    await world.visited(['/plans', '/event/Signed-up']);
  });

  test(`${document}: destinations are chosen as it says`, async (t) => {
    await open(t, start.replace(calls, '') + choosing);
    await world.arrival('/event/Asked-for-a-demo');
    await world.visited(['/plans', '/event/Asked-for-a-demo']);
  });

  test(`${document}: errors are told`, async (t) => {
    const { page } = await open(t, `${start.replace(calls, '')}${errors}
      window.go = () => ${library}.identify('1234', { email: 'no address' });`);
    const told = page.waitForEvent('console', (message) => message.type() === 'warning' && /Marketo/.test(message.text()));
    await page.evaluate('go()');
    assert.match((await told).text(), /^Marketo: identify ended with email_invalid\. ./);
  });

  test(`${document}: nothing for Marketo before the yes, and nothing after a no`, async (t) => {
    const opened = await open(t, `${consent}; window.library = ${library};`, {
      body: '<button id="allow">Yes</button><button id="refuse">No</button>',
    });
    // The library itself goes on meanwhile.
    await opened.page.waitForFunction('window.library');
    await opened.page.waitForTimeout(500);
    const asked = () => opened.requests.filter((url) => /mktoresp|munchkin\.marketo|events\.example/.test(url));
    assert.deepEqual([asked(), world.simulator.events], [[], []]);

    await opened.page.click('#allow');
    const lead = await world.simulator.waitFor(({ type }) => type === 'associateLead');
    assert.equal(lead.leadFields.Email, 'ada@example.com');

    await opened.page.click('#refuse');
    await opened.page.waitForFunction("!document.cookie.includes('_mkto_trk')");
    const before = asked().length;
    await opened.page.evaluate("library.track('After no')");
    await opened.page.waitForTimeout(500);
    assert.equal(asked().length, before);
  });

  test(`${document}: page() is of the canonical link; a lead is sent once a page`, async (t) => {
    const lead = `${library}.identify('1234', { email: 'ada@example.com' });`;
    const head = '<link rel="canonical" href="https://www.example.com/canonical">';
    const source = `${start.replace(calls, '')}${library}.page();${lead}${lead}${library}.track('Last');
      window.stored = () => Object.keys(localStorage).filter((key) => key.includes('munchkin'));`;
    const first = await open(t, source, { head });
    await world.arrival('/event/Last');
    await world.arrival('/canonical');
    await world.simulator.waitFor(({ type }) => type === 'associateLead');
    assert.equal(world.leads().length, 1);
    assert.deepEqual(await first.page.evaluate('stored()'), []);
    await open(t, source, { path: '/next', context: first.context });
    await world.simulator.waitFor(() => world.leads().length === 2);
  });

  return { world, page, open, start };
}
