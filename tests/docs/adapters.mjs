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

  /** @param {import('node:test').TestContext} t @param {string} source @param {{body?: string}} [visit] */
  const open = async (t, source, { body = '' } = {}) => {
    const script = await bundle(source, FOLDER);
    const answer = { '/page.js': script };
    return world.visit(t, {
      path: '/plans?a=b',
      body: `${body}<script src="https://page.example.com/page.js"></script>`,
      hosts: {
        'https://page.example.com': (route) => route.fulfill({ body: answer['/page.js'], contentType: 'text/javascript' }),
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
      window.go = () => ${/^\w+/.exec(calls)}.identify('1234', { email: 'no address' });`);
    const told = page.waitForEvent('console', (message) => message.type() === 'warning' && /Marketo/.test(message.text()));
    await page.evaluate('go()');
    assert.match((await told).text(), /^Marketo: identify ended with email_invalid\. ./);
  });

  return { world, page, start, consent, open };
}
