/**
 * The snippet for a page's <head>: a stub that keeps calls until the shim is there, and the start of
 * munchkin.js, so that both download side by side. The build shrinks it into dist/snippet.html, with
 * a tag before and after it from which the browser learns of both downloads before any script runs.
 *
 * Where the visitor's consent counts, the shim starts Munchkin, once it knows.
 *
 * @param {any} page the window
 * @param {string} name of the global to make
 * @param {string} id Munchkin's
 * @param {import('./analytics.js').Options} options
 * @returns {any} the stub, or what there is of ours already: by its name it may be somebody else's
 */
export function snippet(page, name, id, options) {
  const owner = page[name];
  if (owner && !owner.focus) {
    // No element or frame of that name. Somebody else's, or the snippet is on the page twice: see js-glue/script.js.
    if (owner.munchkinShim) return owner;
    name = 'munchkinAnalytics';
  }
  /** @type {any} */
  const stub = (page[name] = []);
  /** @type {import('./script.js').Stub} */
  const start = (stub.munchkinShim = { id, options });
  for (const method of 'page track identify group alias pageview trackLink trackForm ready on once off user reset setAnonymousId debug consent'.split(' ')) {
    /** @param {...any} args */
    stub[method] = (...args) => new Promise((resolve) => stub.push([method, args, resolve, location.href]));
  }
  if (!('consent' in options || options.honourGpc || page.Munchkin)) {
    const script = (start.script = document.createElement('script'));
    script.src = options.munchkinUrl || '//munchkin.marketo.net/munchkin.js';
    script.nonce = options.nonce || '';
    script.onload = () => {
      start.href = location.href;
      page.Munchkin?.init(id, options.munchkin);
    };
    script.onerror = () => (start.failed = 1);
    document.head.append(script);
  }
  return stub;
}
