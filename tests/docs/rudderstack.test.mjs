/** web/docs/rudderstack.md */

import { test } from 'node:test';
import { rudderstackSource } from '../adapters/libraries.mjs';
import { adapterPage } from './adapters.mjs';

const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*' };

const { page, world, open, start } = adapterPage({
  document: 'rudderstack.md',
  code: 'Code',
  hosts: {
    'https://api.rudderstack.com': (route) => route.fulfill({ json: rudderstackSource('YOUR_DESTINATION_ID'), headers: cors }),
    'https://rudder.example.com': (route) => route.fulfill({ json: {}, headers: cors }),
  },
});

test('All: false with Marketo: true does not reach it, as it says', async (t) => {
  await open(t, start.replace(/^rudderanalytics\.page[^]*/m, `
    rudderanalytics.track('Not reached', {}, { integrations: { All: false, Marketo: true } });
    rudderanalytics.track('Reached');`));
  await world.arrival('/event/Reached');
  await world.visited(['/plans', '/event/Reached']);
});

page.testCoverage();
