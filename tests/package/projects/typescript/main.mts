/** Every entry by import, with what TypeScript must know of it. */

import analyticsByDefault, { analytics, createAnalytics } from 'munchkin-shim';
import { marketo as forAnalytics } from 'munchkin-shim/analytics';
import { createCore } from 'munchkin-shim/core';
import { marketo as forRudderStack } from 'munchkin-shim/rudderstack';
import { marketo as forSegment } from 'munchkin-shim/segment';
import { createSigner } from 'munchkin-shim/signer';
import { createAnalytics as createSlim } from 'munchkin-shim/slim';
import { startSimulator } from 'munchkin-shim/simulator';
import { snippetHtml } from 'munchkin-shim/snippet';

analytics.load('561-HYG-937', { server: 'https://events.example.com', storage: 'memory' });
// @ts-expect-error not one of the places
analytics.load('561-HYG-937', { storage: 'disk' });
// @ts-expect-error no such call
analytics.purchase();

const result = await createAnalytics().track('Signed up', { plan: 'pro' });
export const sent: boolean = result.sent;
const urls = ['/munchkin_shim.wasm', new URL('https://www.example.com/munchkin_shim.wasm')];
export const slims: (typeof analytics)[] = [...urls, fetch('/munchkin_shim.wasm')].map(createSlim);
// @ts-expect-error where the module is has to be said
createSlim();
export const same: typeof analytics = analyticsByDefault;

const visit = createCore().page({ url: 'https://www.example.com/' });
export const path: string = visit.ok ? visit.call[1].url : visit.message;

// @ts-expect-error for whom it may sign has to be said
createSigner({ privateKey: 'fortesting' });
export const html: string = snippetHtml('561-HYG-937', { server: 'https://events.example.com' });
export const adapters = [forAnalytics, forRudderStack, forSegment].map((marketo) => marketo('561-HYG-937'));

const simulator = await startSimulator({ associateLead: 'withdrawn' });
export const signature: 'valid' | 'invalid' | 'unchecked' = (await simulator.waitFor(({ path }) => path === '/')).signature;
