/** What this project uses of others, in one place: a page that uses one of them is not to get all. */

export { analytics } from 'munchkin-shim';
export { createCore } from 'munchkin-shim/core';
