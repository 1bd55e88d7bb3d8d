// @ts-nocheck -- what it imports has no types
/**
 * Does what Segment's Marketo destination, version 1, did in the browser: the public code cannot be installed, so this is
 * written after what it was seen to do, on Segment's own base for such integrations. Bundled for pages by segment_cdn.mjs.
 */

import integration from '@segment/analytics.js-integration';

/** Standard fields, by the name of the trait. */
const STANDARD = {
  address: 'Address',
  company: 'Company',
  email: 'Email',
  firstName: 'FirstName',
  industry: 'Industry',
  lastName: 'LastName',
  phone: 'Phone',
};

export const Marketo = integration('Marketo')
  .assumesPageview() // the first page() goes nowhere: init has recorded it
  .global('Munchkin')
  .option('accountId', '')
  .option('projectId', '')
  .tag('<script src="https://munchkin.marketo.net/munchkin.js">');

Marketo.prototype.initialize = function () {
  this.load(() => {
    globalThis.Munchkin.init(this.options.accountId, { asyncOnly: true });
    const wait = setInterval(() => {
      if (!this.loaded()) return;
      clearInterval(wait);
      this.ready();
    }, 10);
  });
};

Marketo.prototype.loaded = () => Boolean(globalThis.Munchkin && globalThis.MunchkinTracker);

Marketo.prototype.page = (page) => {
  const { url } = page.properties();
  const params = url.split('#')[0].split('?')[1] || '';
  globalThis.mktoMunchkinFunction('visitWebPage', { url, params });
};

Marketo.prototype.track = (track) => {
  const event = track.event();
  const dashed = event.replace(/[ _]/g, '-');
  const pairs = Object.entries(track.properties()).map(([name, value]) => `${name}=${encodeURIComponent(value)}&`);
  globalThis.mktoMunchkinFunction('visitWebPage', {
    url: event.startsWith('/event/') ? dashed : `/event/${dashed}`,
    params: pairs.join(''),
  });
};

Marketo.prototype.identify = function (identify) {
  if (!identify.email()) return;
  const fields = identify.traits(STANDARD);
  if (identify.userId()) fields.userId = identify.userId();
  if (typeof fields.Address === 'object') {
    fields.City = identify.proxy('address.city');
    fields.Country = identify.proxy('address.country');
    fields.PostalCode = identify.proxy('address.postalCode');
    fields.State = identify.proxy('address.state');
    delete fields.Address;
  }
  // As JSONP: a script that calls back.
  const callback = `marketoHash${Math.random().toString(36).slice(2)}`;
  globalThis[callback] = (hash) => globalThis.mktoMunchkinFunction('associateLead', fields, hash);
  const script = document.createElement('script');
  script.src = `https://api.segment.io/integrations/marketo/v1/${this.options.projectId}/${fields.Email}/hash?callback=${callback}`;
  document.head.append(script);
};
