/** Tracking what makes the visitor leave the page: links and forms. */

/** @typedef {(event: string, properties: object) => Promise<{sent: boolean}>} Track */

/** The visitor waits no longer than this for a call to be sent. */
const PATIENCE_MS = 300;

/** Does what goes there take the page's place? Else nothing ends, and nothing needs to wait. @param {string | null | undefined} target an attribute */
const isInPlace = (target) =>
  /^(_self|_parent|_top|)$/i.test(target ?? document.querySelector('base[target]')?.getAttribute('target') ?? '');

/**
 * Resolves once the visit that `track` reports has reached Marketo, or is not to be sent. Munchkin does not say when its
 * request is through, and by default sends it in a way that ends with the page; the browser's list of requests does.
 * @param {() => Promise<{sent: boolean}>} track
 */
async function delivered(track) {
  const start = performance.now();
  /** @type {PerformanceObserver | undefined} */
  let observer;
  const through = new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS);
    if (!window.PerformanceObserver) return;
    observer = new PerformanceObserver((list) => {
      // Not a visit that was under way before.
      const isOurs = (/** @type {PerformanceEntry} */ { name, startTime }) =>
        startTime >= start && name.includes('/webevents/visitWebPage');
      if (list.getEntries().some(isOurs)) resolve(undefined);
    });
    observer.observe({ type: 'resource' });
  });
  try {
    const { sent } = await track();
    if (sent) await through;
  } catch (reason) {
    console.error(reason); // of the page's own function, which says what to track
  }
  observer?.disconnect();
}

/** @param {any} elements one element or several, in an array, a NodeList or jQuery's list, which cannot be iterated before 1.12 */
const listed = (elements) => (!elements ? [] : elements instanceof Element ? [elements] : [...(elements.toArray?.() ?? elements)]);

/** @param {any} value @param {Element} element @returns {any} what the value is, or says, for the element */
const valueFor = (value, element) => (typeof value === 'function' ? value(element) : value);

/**
 * Holds back what an event does by default until the call is sent, unless a listener of the page, of
 * which the last are the window's, has prevented it: then a router or a script does the rest.
 * @param {Event} event
 * @param {Promise<unknown>} sent
 * @param {() => () => void} prepare called at once where it is held back; what it gives leaves
 */
function leaveAfter(event, sent, prepare) {
  const decide = (/** @type {Event} */ last) => {
    if (last !== event || event.defaultPrevented) return;
    const leave = prepare();
    event.preventDefault();
    let left = false;
    const once = () => {
      if (!left) leave();
      left = true;
    };
    // The visitor may come back to this page, from the browser's cache of whole pages, and is not to be sent away again.
    addEventListener('pagehide', () => (left = true), { once: true });
    setTimeout(once, PATIENCE_MS);
    // Not while the event is still on its way, when no form can be submitted.
    sent.then(() => setTimeout(once));
  };
  addEventListener(event.type, decide, { once: true });
}

/**
 * Goes on with what an event would have done, with all that the element says of it. Its listeners have agreed: they are not
 * asked again, of whom one may let a form go once only.
 * @param {string} type
 * @param {() => void} go makes the browser dispatch another such event
 */
function goOn(type, go) {
  const hide = (/** @type {Event} */ event) => event.stopImmediatePropagation();
  addEventListener(type, hide, true);
  go();
  removeEventListener(type, hide, true);
}

/** What the browser would send, with what the page's own listeners add to it. @param {HTMLFormElement} form @param {HTMLElement | null} submitter */
function dataOf(form, submitter) {
  try {
    return new FormData(form, submitter);
  } catch (reason) {
    return new FormData(form); // the button is gone already
  }
}

/** @typedef {[name: string, value: string | null][]} Attributes null: it has none */

/** Where a form goes, how, and whether the browser looks at it first. @param {HTMLFormElement} form @returns {Attributes} */
const wayOf = (form) => ['action', 'method', 'enctype', 'target', 'novalidate'].map((name) => [name, form.getAttribute(name)]);

/** @param {Element} element @param {Attributes} attributes */
function setAttributes(element, attributes) {
  for (const [name, value] of attributes) {
    if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
}

/**
 * With its button, which has a name and may have an action of its own, if it is still there; and with the data of then: many
 * pages disable fields and buttons, empty them, or take the form or its address away, as soon as it is on its way.
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 * @param {FormData} data
 * @param {Attributes} way
 */
function submitAgain(form, submitter, data, way) {
  const restore = (/** @type {FormDataEvent} */ event) => {
    event.stopImmediatePropagation(); // the page has been asked
    const { formData } = event;
    // What browsers put there by themselves stays: the name of the form's encoding, and, before 2023, the button.
    const entries = [...data].filter(([name]) => name !== '_charset_');
    for (const [name] of entries) formData.delete(name);
    for (const [name, value] of entries) formData.append(name, value);
  };
  addEventListener('formdata', restore, true);
  const isGone = !form.isConnected;
  const now = wayOf(form);
  setAttributes(form, [...way, ['novalidate', '']]); // it was valid then
  if (isGone) document.head.append(form);
  try {
    HTMLFormElement.prototype.requestSubmit.call(form, submitter?.isConnected ? submitter : null);
  } catch (reason) {
    HTMLFormElement.prototype.submit.call(form);
  }
  if (isGone) form.remove();
  setAttributes(form, now);
  removeEventListener('formdata', restore, true);
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
      const sent = delivered(() => track(valueFor(event, link), valueFor(properties, link)));
      const staysHere =
        click.metaKey || click.ctrlKey || click.shiftKey || click.altKey ||
        !isInPlace(link.getAttribute('target')) || typeof link.href !== 'string' || !link.href || link.hasAttribute('download');
      if (!staysHere) {
        leaveAfter(click, sent, () => {
          const { href } = link; // many pages take it away, so that nobody follows it twice
          return () => {
            if (link.isConnected && link.href === href) goOn('click', () => HTMLElement.prototype.click.call(link));
            else location.assign(href);
          };
        });
      }
    });
  }
}

/**
 * Calls `track` for every submission of the forms, which then goes on; one in this window waits for it.
 * @param {Track} track
 * @param {any} forms
 * @param {string | ((form: Element) => string)} event
 * @param {object | ((form: Element) => object)} [properties]
 */
export function trackForm(track, forms, event, properties) {
  for (const form of listed(forms)) {
    form.addEventListener('submit', (/** @type {SubmitEvent} */ submit) => {
      const sent = delivered(() => track(valueFor(event, form), valueFor(properties, form)));
      // What the visitor has typed goes at once where it does not end the page, which may empty the form then.
      if (isInPlace(submit.submitter?.getAttribute('formtarget') ?? form.getAttribute('target'))) {
        leaveAfter(submit, sent, () => {
          const data = dataOf(form, submit.submitter);
          const way = wayOf(form);
          return () => goOn('submit', () => submitAgain(form, submit.submitter, data, way));
        });
      }
    });
  }
}
