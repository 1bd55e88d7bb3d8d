/** Every entry by require, as TypeScript compiles this. */

import analyticsByDefault, { analytics, type Options, type Result } from 'munchkin-shim';
import { marketo as forAnalytics } from 'munchkin-shim/analytics';
import { createCore } from 'munchkin-shim/core';
import { marketo as forRudderStack } from 'munchkin-shim/rudderstack';
import { marketo as forSegment } from 'munchkin-shim/segment';
import { createSigner } from 'munchkin-shim/signer';
import { createAnalytics as createSlim } from 'munchkin-shim/slim';
import { snippetHtml } from 'munchkin-shim/snippet';

analytics.load('561-HYG-937', { server: 'https://events.example.com', storage: 'memory' });
// @ts-expect-error not one of the places
analytics.load('561-HYG-937', { storage: 'disk' });
const options: Options = { server: 'https://events.example.com' };
analytics.load('561-HYG-937', options);
export const result: Promise<Result> = analytics.identify('1', { email: 'ada@example.com' }, {}, (result) => result.ok);

const visit = createCore().page({ url: 'https://www.example.com/' });
export const path: string = visit.ok ? visit.call[1].url : visit.message;
export const same: typeof analytics = analyticsByDefault;
export const slim: typeof analytics = createSlim('/munchkin_shim.wasm');
export const html: string = snippetHtml('561-HYG-937', { server: 'https://events.example.com' });
export const signer = createSigner({ privateKey: 'fortesting', authorize: (_, email) => email === 'ada@example.com' });
export const adapters = [forAnalytics, forRudderStack, forSegment].map((marketo) => marketo('561-HYG-937'));
