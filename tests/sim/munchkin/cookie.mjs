/**
 * @typedef {object} TrackingCookie
 * @property {() => string | null} read  the visitor's token, or null when there is no cookie valid for this Munchkin ID
 * @property {() => string} create       the token of the existing cookie, or of a new one
 * @property {() => boolean} optedOut    true when the visitor wants no tracking; deletes the cookie then
 */

/**
 * The cookies of the tracker: `_mkto_trk`, which holds the visitor's token, and `mkto_opt_out`. Sent to the page as
 * text together with the tracker, so it may use nothing from outside its own body.
 *
 * @param {string} munchkinId
 * @param {import('./tracker.mjs').MunchkinConfig} config
 * @returns {TrackingCookie}
 */
export function trackingCookie(munchkinId, config) {
  const secondsPerDay = 24 * 60 * 60;
  const domain = cookieDomain();

  /** @param {string} name */
  function valuesOf(name) {
    // The same name can be there more than once, set for different domain levels.
    return document.cookie
      .split('; ')
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => pair.slice(name.length + 1));
  }

  /**
   * @param {string} name
   * @param {string} value
   * @param {number} days
   * @param {string | null} ofDomain
   */
  function write(name, value, days, ofDomain) {
    const attributes = [`${name}=${value}`, 'path=/', `max-age=${Math.round(days * secondsPerDay)}`];
    if (ofDomain) attributes.push(`domain=.${ofDomain}`);
    if (config.httpsOnly && location.protocol === 'https:') attributes.push('secure');
    document.cookie = attributes.join('; ');
  }

  /** The domain attribute, or null where browsers accept none: single names such as localhost, and IP addresses. */
  function cookieDomain() {
    const labels = location.hostname.split('.');
    const isAddress = /^[\d.]+$|:/.test(location.hostname);
    if (labels.length < 2 || isAddress) return null;
    if (config.domainLevel) return labels.slice(-config.domainLevel).join('.');
    if (config.domainSelectorV2) return broadestAccepted(labels);
    // Two-letter top levels are mostly countries, whose registrations are one level deeper: example.co.jp.
    const isCountry = labels[labels.length - 1].length === 2;
    return labels.slice(isCountry ? -3 : -2).join('.');
  }

  /**
   * Asks the browser, which knows the public suffixes: it ignores a cookie whose domain is one.
   *
   * @param {string[]} labels
   */
  function broadestAccepted(labels) {
    for (let level = 2; level <= labels.length; level++) {
      const candidate = labels.slice(-level).join('.');
      write('mkto_domain_probe', 'true', 1, candidate);
      const accepted = valuesOf('mkto_domain_probe').length > 0;
      write('mkto_domain_probe', '', 0, candidate);
      if (accepted) return candidate;
    }
    return null;
  }

  /** @param {string} value */
  function decoded(value) {
    try {
      return decodeURIComponent(value);
    } catch {
      return value;
    }
  }

  function read() {
    for (const value of valuesOf('_mkto_trk').map(decoded)) {
      // Older trackers ended the token with two numbers; newer ones end it with 32 hexadecimal digits.
      const match = /^id:([^&]+)&token:(_mch-.+-(?:[0-9a-f]{32}|\d+-\d+))$/.exec(value);
      if (match && match[1] === munchkinId) return match[2];
    }
    return null;
  }

  function create() {
    const existing = read();
    if (existing) return existing;
    const random = crypto.getRandomValues(new Uint8Array(16));
    const tail = Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
    const token = `_mch-${domain ?? location.hostname}-${tail}`;
    write('_mkto_trk', `id:${munchkinId}&token:${token}`, config.cookieLifeDays ?? 730, domain);
    return token;
  }

  function optedOut() {
    if (new URLSearchParams(location.search).get('marketo_opt_out') === 'true') {
      write('mkto_opt_out', 'true', 730, domain);
    }
    if (!valuesOf('mkto_opt_out').includes('true')) return false;
    write('_mkto_trk', '', 0, domain);
    write('_mkto_trk', '', 0, null);
    return true;
  }

  return { read, create, optedOut };
}
