/** web/docs/segment.md */

import { test } from 'node:test';
import { adapterPage } from './adapters.mjs';
import { segmentHosts, segmentSnippet, WRITE_KEY } from './segment_cdn.mjs';

const { world, page } = adapterPage({ document: 'segment.md', code: 'With a bundler', hosts: segmentHosts() });
const besideSnippet = page.block("On a page with Segment's snippet", 'html');

const LOAD = `analytics.load("${WRITE_KEY}");`;

test("beside Segment's snippet, all calls arrive, the first of them too", async (t) => {
  await world.visit(t, {
    path: '/plans',
    head: `<script>${segmentSnippet().replace(LOAD, '')}</script>
      <script>analytics.identify('1234', { email: 'ada@example.com' }); analytics.track('Early');</script>${besideSnippet}`,
    hosts: segmentHosts(),
  });
  await world.arrival('/event/Early');
  await world.simulator.waitFor(({ leadFields }) => leadFields.UserId === '1234');
  await world.visited(['/plans', '/event/Early']);
});

test("without the adapter's files Segment is loaded all the same", async (t) => {
  const opened = await world.visit(t, {
    head: `<script>${segmentSnippet().replace(LOAD, '')}</script>${besideSnippet.replace('/marketo/', '/missing/')}`,
    hosts: segmentHosts(),
  });
  await opened.page.waitForFunction('analytics.initialized');
});

page.testCoverage();
