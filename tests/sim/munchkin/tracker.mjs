/**
 * @typedef {object} MunchkinConfig       what a page may pass to `init`; settings not listed here are ignored
 * @property {string[]} [altIds]          Munchkin IDs of further instances, which get a copy of everything
 * @property {boolean} [anonymizeIP]
 * @property {boolean} [apiOnly]          `init` records no visit
 * @property {boolean} [cookieAnon]       false: visitors without a cookie stay unknown and untracked
 * @property {number} [cookieLifeDays]
 * @property {string} [customName]
 * @property {number} [domainLevel]
 * @property {boolean} [domainSelectorV2]
 * @property {boolean} [httpsOnly]
 * @property {boolean} [useBeaconAPI]
 * @property {string} [wsInfo]
 * @property {string} [notifyPrefix]      origin of the collector
 */

/** @typedef {'init' | 'munchkinFunction' | 'createTrackingCookie'} MunchkinCall */
/** @typedef {[name: MunchkinCall, callArguments: any[]]} QueuedCall */
/** @typedef {{[call in MunchkinCall]: (...callArguments: any[]) => void}} MunchkinCalls */

/**
 * @typedef {object} MunchkinWindow  the globals that the loader and the tracker put on the page
 * @property {MunchkinCalls & {queue?: QueuedCall[]}} [Munchkin]
 * @property {MunchkinCalls & {version: string}} [MunchkinTracker]
 * @property {(...callArguments: any[]) => void} [mktoMunchkin]
 * @property {(...callArguments: any[]) => void} [mktoMunchkinFunction]
 */

/**
 * The tracker, served as /<version>/munchkin.js. It is sent to the page as text and called there, so it may use nothing
 * from outside its own body except what it is given.
 *
 * Settings that only pace the sending (`asyncOnly`, `clickTime`) have no effect. As with Marketo's, a request ends with
 * the page unless `useBeaconAPI` is set; only that of a clicked link, for which Marketo's holds the click up, outlives it.
 *
 * @param {{version: string, associateLead: 'honoured' | 'withdrawn'}} served
 * @param {typeof import('./cookie.mjs').trackingCookie} trackingCookie
 */
export function installTracker(served, trackingCookie) {
  const page = /** @type {MunchkinWindow} */ (/** @type {unknown} */ (window));
  if (page.MunchkinTracker) return;

  // Marketo's own tracker sends to https://<munchkin id>.mktoresp.com. Here the collector is where this script came from.
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const scriptOrigin = new URL(script?.src || location.href).origin;

  /** @type {{munchkinId: string, config: MunchkinConfig, cookie: import('./cookie.mjs').TrackingCookie} | null} */
  let session = null;
  let listeningToClicks = false;

  /**
   * @param {string} munchkinId
   * @param {MunchkinConfig | null} [config]
   */
  function init(munchkinId, config) {
    if (!/^\d{3}-[A-Z]{3}-\d{3}$/.test(munchkinId)) {
      console.warn(`Munchkin: init ignored; "${munchkinId}" is not a Munchkin ID, which looks like 561-HYG-937.`);
      return;
    }
    if (session?.munchkinId === munchkinId) return;
    session = { munchkinId, config: config ?? {}, cookie: trackingCookie(munchkinId, config ?? {}) };
    createTrackingCookie(false);
    if (!listeningToClicks) {
      listeningToClicks = true;
      // While capturing, so that a page which stops the event's propagation is tracked too.
      document.addEventListener('click', onClick, { capture: true });
    }
    if (!session.config.apiOnly) visitOnArrival();
  }

  /** @param {boolean} [force] make the cookie even where the page asked to leave unknown visitors alone */
  function createTrackingCookie(force) {
    if (!session || session.cookie.optedOut()) return;
    if (force || session.config.cookieAnon !== false) session.cookie.create();
  }

  /**
   * @param {string} name
   * @param {any} [attributes]
   * @param {string} [hash]
   */
  function munchkinFunction(name, attributes, hash) {
    if (!session) {
      console.warn(`Munchkin: ${name} ignored; call Munchkin.init first.`);
      return;
    }
    if (name === 'visitWebPage') visitWebPage(attributes ?? {});
    else if (name === 'clickLink') clickLink(attributes ?? {});
    else if (name === 'associateLead') associateLead(attributes ?? {}, hash);
    else console.warn(`Munchkin: there is no function called "${name}".`);
  }

  function visitOnArrival() {
    send('visitWebPage', {
      _mchHa: decoded(location.hash),
      _mchRe: decoded(document.referrer),
      _mchQp: wireParams(location.search.slice(1)),
    });
  }

  /** @param {{url?: string, params?: string, name?: string}} visit */
  function visitWebPage({ url, params, name }) {
    send('visitWebPage', {
      ...(name ? { _mchCn: name } : {}),
      ...(url ? { _mchRu: decoded(url) } : {}),
      _mchHa: '',
      // A visit reported by the page's own code comes from the page that is being looked at.
      _mchRe: decoded(location.href),
      _mchQp: wireParams(params ?? ''),
    });
  }

  /** @param {{href?: string}} link */
  function clickLink({ href }) {
    if (href) send('clickLink', { _mchHr: decoded(href) });
  }

  /**
   * @param {Record<string, unknown>} lead
   * @param {string} [hash]
   */
  function associateLead(lead, hash) {
    if (served.associateLead === 'withdrawn') {
      console.log('Munchkin: associateLead is no longer available; nothing was sent.');
      return;
    }
    createTrackingCookie(true);
    const fields = Object.entries(lead).map(([field, value]) => [`_mchAt${field}`, String(value ?? '')]);
    send('associateLead', { ...Object.fromEntries(fields), _mchKy: hash ?? '' });
  }

  /** @param {MouseEvent} event */
  function onClick(event) {
    // The path also shows links inside shadow trees, where `target` is only the tree's host.
    const anchor = event.composedPath().find((node) => node instanceof HTMLAnchorElement);
    if (anchor instanceof HTMLAnchorElement) clickLink({ href: anchor.href });
  }

  /**
   * Munchkin decodes what it is given, so that the collector, which decodes the query string, sees plain text.
   *
   * @param {unknown} text
   */
  function decoded(text) {
    try {
      return decodeURIComponent(String(text));
    } catch {
      return String(text);
    }
  }

  /**
   * The separators are replaced before decoding: an `&` inside a value stays distinguishable on the wire.
   *
   * @param {unknown} params
   */
  function wireParams(params) {
    return decoded(String(params).replaceAll('&', '__-__'));
  }

  /**
   * @param {string} type
   * @param {Record<string, string>} parameters
   */
  function send(type, parameters) {
    if (!session || session.cookie.optedOut()) return;
    const { munchkinId, config } = session;
    const token = config.cookieAnon === false ? session.cookie.read() : session.cookie.create();
    if (!token) return;
    const collector = (config.notifyPrefix ?? scriptOrigin).replace(/\/+$/, '');
    for (const id of [munchkinId, ...(config.altIds ?? [])]) {
      const query = queryString({
        _mchNc: String(Date.now()),
        _mchCn: config.customName ?? '',
        _mchId: id,
        _mchTk: token,
        _mchHo: location.hostname,
        _mchPo: location.port,
        _mchRu: decoded(location.pathname),
        _mchPc: location.protocol,
        _mchVr: served.version,
        ...(config.anonymizeIP ? { aip: '1' } : {}),
        ...(config.wsInfo ? { _mchWs: config.wsInfo } : {}),
        ...parameters,
      });
      post(`${collector}/webevents/${type}?${query}`, config.useBeaconAPI === true, type === 'clickLink');
    }
  }

  /** @param {Record<string, string>} parameters */
  function queryString(parameters) {
    return Object.entries(parameters)
      // Half of a surrogate pair has no UTF-8 form, and encodeURIComponent would throw.
      .map((pair) => pair.map((text) => encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'))).join('='))
      .join('&');
  }

  /**
   * @param {string} url
   * @param {boolean} asBeacon
   * @param {boolean} keepalive
   */
  function post(url, asBeacon, keepalive) {
    if (asBeacon && navigator.sendBeacon?.(url)) return;
    // Nobody on the page waits for the answer, and a collector that cannot be reached must not show up as an error of
    // the page.
    fetch(url, { method: 'POST', mode: 'no-cors', keepalive }).catch(() => {});
  }

  const queue = page.Munchkin?.queue ?? [];
  const calls = { init, munchkinFunction, createTrackingCookie };
  page.MunchkinTracker = { version: served.version, ...calls };
  page.Munchkin = Object.assign(page.Munchkin ?? {}, calls);
  page.mktoMunchkin = init;
  page.mktoMunchkinFunction = munchkinFunction;
  for (const [name, callArguments] of queue.splice(0)) {
    page.MunchkinTracker[name](...callArguments);
  }
}
