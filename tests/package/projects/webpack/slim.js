import { createAnalytics } from 'munchkin-shim/slim';

const analytics = createAnalytics(new URL('munchkin-shim/munchkin_shim.wasm', import.meta.url));

const { munchkinId, ...options } = window.config;

analytics.load(munchkinId, options);
analytics.page();
analytics.track('Signed up', { plan: 'pro' });
analytics.identify('1234', { email: 'ada@example.com', name: 'Ada Lovelace' });
