/**
 * The snippet for a page's <head>: a stub that keeps calls until the shim is there, and the start
 * of both downloads, munchkin.js and the shim. The build shrinks it into dist/snippet.html.
 *
 * @param {any} page the window
 * @param {string} name of the global to make
 * @param {string} id Munchkin's
 * @param {import('./analytics.js').Options & {src?: string}} options
 */
export function snippet(page, name, id, options) {
  const { document, location } = page;
  /** @param {string} src */
  const add = (src) => {
    const script = document.createElement('script');
    script.async = true;
    script.src = src;
    script.nonce = options.nonce || '';
    script.dataset.global = name;
    return document.head.appendChild(script);
  };
  let stub = page[name];
  if (stub && !stub.nodeType) {
    // Somebody else's, or the snippet is on the page twice: see js-glue/script.js.
    if (stub.munchkinShim) return;
    name = 'munchkinAnalytics';
  }
  stub = page[name] = [];
  /** @type {import('./script.js').Stub} */
  const start = (stub.munchkinShim = { id, options });
  for (const method of 'page track identify group alias pageview trackLink trackForm ready on once off reset setAnonymousId debug'.split(' ')) {
    /** @param {...any} args */
    stub[method] = (...args) =>
      new Promise((resolve) => {
        stub.push([method, args, resolve, location.href]);
      });
  }
  if (!page.Munchkin) {
    const script = (start.script = add(options.munchkinUrl || 'https://munchkin.marketo.net/munchkin.js'));
    script.onload = () => {
      start.href = location.href;
      page.Munchkin.init(id, options.munchkin);
    };
    script.onerror = () => {
      start.failed = true;
    };
  }
  add(options.src || options.server + '/munchkin-shim.js');
}
