import { createCore } from './vendor.js';

document.body.textContent = JSON.stringify(createCore().track({ event: 'Signed up' }));
