import { createAnalytics } from 'munchkin-shim/slim';

const analytics = createAnalytics('/munchkin_shim.wasm');

const { munchkinId, ...options } = window.config;

analytics.load(munchkinId, options);
analytics.page();
analytics.track('Signed up', { plan: 'pro' });
analytics.identify('1234', { email: 'ada@example.com', name: 'Ada Lovelace' });
