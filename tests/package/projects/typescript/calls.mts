/** The calls in every form that the README knows, and what must not pass for one. */

import { analytics, type Analytics, type Result } from 'munchkin-shim';

interface Account {
  email: string;
  seats?: number;
}

const account: Account = { email: 'ada@example.com' };
const options = { integrations: { All: false, Marketo: true } };
const url: string | undefined = undefined as string | undefined;
const later = (result: Result) => console.assert(result.ok, result.error);

export const results: Promise<Result>[] = [
  analytics.identify(),
  analytics.identify('1'),
  analytics.identify(1),
  analytics.identify('1', account),
  analytics.identify('1', account, options),
  analytics.identify('1', account, {}, (result) => result.ok),
  analytics.identify('1', account, (result) => result.ok),
  analytics.identify('1', (result) => result.ok),
  analytics.identify('1', null, options, (result) => result.ok),
  analytics.identify(account),
  analytics.identify(account, options),
  analytics.identify(account, options, (result) => result.ok),
  analytics.identify(account, (result) => result.ok),
  analytics.identify((result) => result.ok),
  analytics.identify(null, account, undefined, later),
  analytics.identify(url, account),
  analytics.identify('1', undefined, options, undefined),
  analytics.identify('1', account, options, null),

  analytics.page(),
  analytics.page('Pricing'),
  analytics.page('Shop', 'Pricing'),
  analytics.page('Shop', 'Pricing', { url }),
  analytics.page('Shop', 'Pricing', { url }, options),
  analytics.page('Shop', 'Pricing', { url }, options, (result) => result.sent),
  analytics.page('Shop', 'Pricing', { url }, (result) => result.sent),
  analytics.page('Shop', 'Pricing', (result) => result.sent),
  analytics.page('Pricing', { url }),
  analytics.page('Pricing', { url }, options),
  analytics.page('Pricing', { url }, options, (result) => result.sent),
  analytics.page('Pricing', { url }, (result) => result.sent),
  analytics.page('Pricing', (result) => result.sent),
  analytics.page({ url }),
  analytics.page({ url }, options),
  analytics.page({ url }, options, (result) => result.sent),
  analytics.page({ url }, (result) => result.sent),
  analytics.page((result) => result.sent),
  analytics.page(null, 'Pricing'),
  analytics.page(null, null, null, options, later),

  analytics.track('Signed up'),
  analytics.track('Signed up', account),
  analytics.track('Signed up', { plan: 'pro' }, options),
  analytics.track('Signed up', { plan: 'pro' }, options, (result) => result.warnings?.length),
  analytics.track('Signed up', { plan: 'pro' }, (result) => result.warnings?.length),
  analytics.track('Signed up', (result) => result.warnings?.length),
  analytics.track('Signed up', null, undefined, later),

  analytics.group('1', { name: 'Example' }, options, (result) => result.skipped),
  analytics.group({ name: 'Example' }, (result) => result.skipped),
  analytics.alias('1', 'ada', options, (result) => result.skipped),
  analytics.alias('1', options, (result) => result.skipped),
  analytics.alias('1', (result) => result.skipped),
];

/** What a site makes of a call may have all of its forms. */
export const logged = (...args: Parameters<Analytics['page']>) => {
  console.log('page', ...args);
  return analytics.page(...args);
};
logged('Pricing', { url }, (result) => result.ok);

// @ts-expect-error a user id is text or a number
analytics.identify(true, account);
// @ts-expect-error traits are an object
analytics.identify('1', 'ada@example.com');
// @ts-expect-error there is no such thing in a result
analytics.identify('1', account, options, (result) => result.okay);
// @ts-expect-error the callback is the last
analytics.identify('1', account, options, later, 'more');
// @ts-expect-error a category and a name, not more texts
analytics.page('Shop', 'Pricing', 'Monthly');
// @ts-expect-error texts
analytics.page(1);
// @ts-expect-error which event has to be said
analytics.track();
// @ts-expect-error which event has to be said first
analytics.track({ plan: 'pro' });
// @ts-expect-error nor is there in this
analytics.track('Signed up', (result) => result.okay);
// @ts-expect-error who it is has to be said
analytics.alias();
// @ts-expect-error a promise
export const ok: boolean = analytics.track('Signed up').ok;
