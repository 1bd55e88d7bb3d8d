/**
 * What most pages do without. The script tag's build fetches it when it is first needed, as
 * munchkin-shim.extras.js; the packages have it in them.
 */

export { refuse } from './consent.js';
export { createOutbox } from './outbox.js';
export { trackForm, trackLink } from './leaving.js';
export { followRoutes } from './routes.js';
