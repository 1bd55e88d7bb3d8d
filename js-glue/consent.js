/** A visitor's no: what is stored is removed, and what cannot be taken off the page keeps quiet. */

import { asksToOptOut, hasOptedOut } from './delivery.js';
import { munchkinOnPage } from './munchkin.js';
import { STORED } from './user.js';

/** @param {string} text */
const setCookie = (text) => {
  try {
    document.cookie = text;
  } catch (reason) {
    // Some frames may have no cookies.
  }
};

/** @param {string} name @param {string} [more] attributes */
const dropCookie = (name, more = '') => setCookie(`${name}=;max-age=0;path=/${more}`);

/**
 * Removes what was stored, Munchkin's cookie too. That is set for a domain, which no page can read, and goes only by
 * naming the same.
 * @param {import('./analytics.js').Options} options
 */
export function forgetVisitor({ storage }) {
  try {
    if (storage !== 'memory') STORED.forEach((key) => localStorage.removeItem(key));
  } catch (reason) {
    // It is forbidden, so there is nothing in it.
  }
  dropCookie('_mkto_trk');
  const labels = location.hostname.split('.');
  labels.forEach((_, i) => dropCookie('_mkto_trk', `;domain=${labels.slice(i).join('.')}`));
}

/**
 * Is Munchkin on the page, or on its way? The shim may not have asked for it: the snippet does so before the shim is there.
 * @param {import('./analytics.js').Options} options
 */
function isTracked({ munchkinUrl }) {
  const sources = [...document.querySelectorAll('script')].map((script) => script.getAttribute('src') || '');
  return munchkinOnPage() || sources.some((src) => src && (src === munchkinUrl || /\/munchkin\.js\b/.test(src)));
}

/**
 * The same, while the shim is there. Munchkin, once on the page, tracks clicks by itself unless the visitor has opted
 * out: so that is said until the page is left.
 * @param {import('./analytics.js').Options} options
 * @returns {() => void} takes it back
 */
export function refuse(options) {
  forgetVisitor(options);
  if (!isTracked(options)) return () => {};
  /** The attribute by which our cookie is another one than the visitor's own. @type {string | undefined} */
  let ours;
  const begin = () => {
    // Where the host is no domain, as localhost, there is only one.
    for (const domain of [`;domain=${location.hostname}`, '']) {
      if (hasOptedOut()) return; // by the visitor; or another tab has said it, and takes it back when it is left
      setCookie(`mkto_opt_out=true;path=/${domain}`);
      ours = domain;
    }
  };
  const end = () => {
    if (ours || (ours === '' && !asksToOptOut())) dropCookie('mkto_opt_out', ours);
    ours = undefined;
  };
  begin();
  addEventListener('click', begin, true); // before Munchkin hears of it
  addEventListener('pagehide', end);
  addEventListener('pageshow', begin); // come back to, from the browser's cache of whole pages
  return () => {
    end();
    removeEventListener('click', begin, true);
    removeEventListener('pagehide', end);
    removeEventListener('pageshow', begin);
  };
}
