/** @typedef {import('./tracker.mjs').MunchkinWindow} MunchkinWindow */

/**
 * The loader, served as /munchkin.js. It is sent to the page as text and called there with the version to load, so it
 * may use nothing from outside its own body.
 *
 * It is small on purpose: a page can call Munchkin from its first line on, and the tracker itself is only fetched once
 * the page asks for it with `init`.
 *
 * @param {string} version
 */
export function installLoader(version) {
  const page = /** @type {MunchkinWindow} */ (/** @type {unknown} */ (window));
  if (page.Munchkin) return;

  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const origin = new URL(script?.src || location.href).origin;
  /** @type {import('./tracker.mjs').QueuedCall[]} */
  const queue = [];
  let requested = false;

  /** @param {import('./tracker.mjs').MunchkinCall} name */
  function stub(name) {
    return (/** @type {any[]} */ ...callArguments) => {
      // A page may have kept a reference to this stub; its calls must still arrive once the tracker has taken over.
      if (page.MunchkinTracker) {
        page.MunchkinTracker[name](...callArguments);
        return;
      }
      queue.push([name, callArguments]);
      if (name === 'init') requestTracker();
    };
  }

  function requestTracker() {
    if (requested) return;
    requested = true;
    const tracker = document.createElement('script');
    tracker.async = true;
    tracker.src = `${origin}/${version}/munchkin.js`;
    document.head.append(tracker);
  }

  page.Munchkin = {
    init: stub('init'),
    munchkinFunction: stub('munchkinFunction'),
    createTrackingCookie: stub('createTrackingCookie'),
    queue,
  };
  page.mktoMunchkin = page.Munchkin.init;
  page.mktoMunchkinFunction = page.Munchkin.munchkinFunction;
}
