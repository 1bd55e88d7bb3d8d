/** Single-page apps: a page() for every change of the page's URL that is a page of its own. */

/**
 * Calls `page` once for each such change: by the History API, by going back and forth, and with
 * hash routing by a fragment that begins with "/". The page that was there at `start` is not one.
 *
 * Routers often change the URL twice, as when one route leads on to another: changes made in one go are one visit, of
 * where they end.
 *
 * @param {() => void} page
 * @param {boolean | undefined} hashRouting
 * @param {string} start the URL then: it may have changed since, while this was loading
 */
export function followRoutes(page, hashRouting, start) {
  const place = (url = location.href) => (hashRouting && /^[^#]*#\//.test(url) ? url : url.split('#')[0]);
  let last = place(start);
  let isDue = false;

  const arrive = () => {
    isDue = false;
    if (place() === last) return;
    last = place();
    page();
  };
  const changed = () => {
    if (!isDue) setTimeout(arrive);
    isDue = true;
  };

  changed();
  const { navigation } = /** @type {any} */ (window);
  if (navigation?.currentEntry) { // else it is an element with that id, or the page's own
    navigation.addEventListener('currententrychange', changed);
    return;
  }
  // Browsers without the Navigation API tell only of going back and forth.
  addEventListener('popstate', changed);
  for (const method of /** @type {const} */ (['pushState', 'replaceState'])) {
    const original = history[method];
    history[method] = (...args) => {
      original.apply(history, args);
      changed();
    };
  }
}
