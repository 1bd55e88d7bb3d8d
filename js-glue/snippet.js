/**
 * The snippet for a page's <head>: a stub that keeps calls until the shim is there, and the start of
 * munchkin.js, so that both download side by side. The build shrinks it into dist/snippet.html, with
 * a tag before and after it from which the browser learns of both downloads before any script runs.
 *
 * @param {any} page the window
 * @param {string} name of the global to make
 * @param {string} id Munchkin's
 * @param {import('./analytics.js').Options} options
 */
export function snippet(page, name, id, options) {
  const { document, location } = page;
  let stub = page[name];
  if (stub && !stub.nodeType) {
    // Somebody else's, or the snippet is on the page twice: see js-glue/script.js.
    if (stub.munchkinShim) return;
    name = 'munchkinAnalytics';
  }
  stub = page[name] = [];
  /** @type {import('./script.js').Stub} */
  const start = (stub.munchkinShim = { id, options });
  for (const method of 'page track identify group alias pageview trackLink trackForm ready on once off user reset setAnonymousId debug'.split(' ')) {
    /** @param {...any} args */
    stub[method] = (...args) =>
      new Promise((resolve) => {
        stub.push([method, args, resolve, location.href]);
      });
  }
  if (!page.Munchkin) {
    const script = (start.script = document.createElement('script'));
    script.src = options.munchkinUrl || 'https://munchkin.marketo.net/munchkin.js';
    script.nonce = options.nonce || '';
    script.onload = () => {
      start.href = location.href;
      page.Munchkin?.init(id, options.munchkin);
    };
    script.onerror = () => {
      start.failed = true;
    };
    document.head.appendChild(script);
  }
}
