/** web/docs/analytics.md */

import { adapterPage } from './adapters.mjs';

const { page } = adapterPage({ document: 'analytics.md', code: 'Code', hosts: {} });

page.testCoverage();
