// @ts-nocheck -- its imports are installed by `make bench` alone
/**
 * A page's analytics as with Segment: analytics-next, and a classic integration that does for Munchkin what its Marketo
 * destination did. Bundled by tests/bench/pages.mjs.
 */

import { AnalyticsBrowser } from '@segment/analytics-next';
import integration from '@segment/analytics.js-integration';

const { munchkinUrl, server, cdn, visitor } = window.bench;

const Marketo = integration('Marketo')
  .global('Munchkin')
  .assumesPageview()
  .readyOnLoad()
  .option('munchkinId', '')
  .tag(`<script src="${munchkinUrl}">`);

const STANDARD = {
  address: 'Address',
  company: 'Company',
  email: 'Email',
  firstName: 'FirstName',
  lastName: 'LastName',
  industry: 'Industry',
  phone: 'Phone',
};

Marketo.prototype.initialize = function () {
  this.load(() => {
    window.Munchkin.init(this.options.munchkinId);
    this.ready();
  });
};

Marketo.prototype.loaded = () => !!window.Munchkin?.munchkinFunction;

Marketo.prototype.page = (page) => {
  const { url, search } = page.properties();
  window.Munchkin.munchkinFunction('visitWebPage', { url, params: search?.slice(1) });
};

Marketo.prototype.identify = async (identify) => {
  const email = identify.email();
  if (!email) return;
  const fields = { ...identify.traits(STANDARD), FirstName: identify.firstName(), LastName: identify.lastName() };
  const answer = await fetch(`${server}/v1/hash`, { method: 'POST', body: JSON.stringify({ email }) });
  const { hash } = await answer.json();
  window.Munchkin.munchkinFunction('associateLead', fields, hash);
};

// Nothing goes to Segment itself, which is its gain here: its queue waits for that.
const analytics = AnalyticsBrowser.load(
  { writeKey: 'bench', cdnURL: cdn, classicIntegrations: [Marketo] },
  { integrations: { 'Segment.io': false } }
);
analytics.page();
analytics.identify(visitor.userId, visitor.traits);
