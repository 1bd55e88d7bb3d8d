/** web/docs/rudderstack.md */

import { rudderstackSource } from '../adapters/libraries.mjs';
import { adapterPage } from './adapters.mjs';

const cors = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': '*' };

const { page } = adapterPage({
  document: 'rudderstack.md',
  code: 'Code',
  hosts: {
    'https://api.rudderstack.com': (route) => route.fulfill({ json: rudderstackSource('YOUR_DESTINATION_ID'), headers: cors }),
    'https://rudder.example.com': (route) => route.fulfill({ json: {}, headers: cors }),
  },
});

page.testCoverage();
