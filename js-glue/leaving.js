/** Tracking what makes the visitor leave the page: links and forms. */

/** @typedef {(event: string, properties: object) => Promise<unknown>} Track */

/** The visitor waits no longer than this for a call to be sent. */
const PATIENCE_MS = 300;

/** @param {any} elements one element or several, in an array, a NodeList or jQuery's list */
const listed = (elements) => (!elements ? [] : elements instanceof Element ? [elements] : [...elements]);

/** @param {any} value @param {Element} element @returns {any} what the value is, or says, for the element */
const valueFor = (value, element) => (typeof value === 'function' ? value(element) : value);

/** @param {Promise<unknown>} sent @param {() => void} leave */
function leaveAfter(sent, leave) {
  let left = false;
  const once = () => {
    if (!left) leave();
    left = true;
  };
  setTimeout(once, PATIENCE_MS);
  sent.then(once, once);
}

/**
 * Calls `track` for every click on the links; one that leads away in this window waits for it.
 * @param {Track} track
 * @param {any} links
 * @param {string | ((link: Element) => string)} event
 * @param {object | ((link: Element) => object)} [properties]
 */
export function trackLink(track, links, event, properties) {
  for (const link of listed(links)) {
    link.addEventListener('click', (/** @type {MouseEvent} */ click) => {
      const sent = track(valueFor(event, link), valueFor(properties, link));
      const staysHere =
        click.defaultPrevented || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey ||
        (link.target && link.target !== '_self') || !link.href || link.hasAttribute('download');
      if (staysHere) return;
      click.preventDefault();
      leaveAfter(sent, () => location.assign(link.href));
    });
  }
}

/**
 * Calls `track` for every submission of the forms, which then goes on.
 * @param {Track} track
 * @param {any} forms
 * @param {string | ((form: Element) => string)} event
 * @param {object | ((form: Element) => object)} [properties]
 */
export function trackForm(track, forms, event, properties) {
  for (const form of listed(forms)) {
    form.addEventListener('submit', (/** @type {SubmitEvent} */ submit) => {
      const sent = track(valueFor(event, form), valueFor(properties, form));
      if (submit.defaultPrevented) return;
      submit.preventDefault();
      leaveAfter(sent, () => HTMLFormElement.prototype.submit.call(form));
    });
  }
}
