/** The shop: its pages, buttons and form, and the analytics calls that they make. */

import { followArrivals } from './arrivals.js';
import { createInspector, makeFoldable } from './inspector.js';

const { analytics, surroundings, firstResult } = /** @type {any} */ (window);
const { simulator, since, run, munchkinId, keyIsGiven } = surroundings;

/** @template {HTMLElement} [T=HTMLElement] @param {string} selector @param {ParentNode} [root] @returns {T[]} */
const all = (selector, root = document) => /** @type {T[]} */ ([...root.querySelectorAll(selector)]);

const panel = all('.inspector')[0];
const inspector = createInspector(panel, Boolean(simulator));
const arrivals = simulator && followArrivals(simulator, since);
makeFoldable(panel);

if (!simulator) {
  const note = all('[data-note]', panel)[0];
  note.hidden = false;
  note.textContent = keyIsGiven
    ? `This is the real Munchkin of account ${munchkinId}.`
    : `This is the real Munchkin of account ${munchkinId}. MARKETO_API_PRIVATE_KEY is not set, so it will not accept the signatures.`;
  for (const remark of all('[data-simulated]')) remark.hidden = true;
}

/**
 * Shows a call in the panel until it has ended and arrived.
 * @param {string} method
 * @param {unknown[]} args
 * @param {Promise<import('./inspector.js').Result>} ending
 */
async function show(method, args, ending) {
  const entry = inspector.add(method, args);
  const result = await ending;
  entry.ended(result);
  arrivals?.expect(entry, result);
}

/** @param {string} method @param {...unknown} args */
const call = (method, ...args) => show(method, args, analytics[method](...args));

/** The shop's pages are views of one document, as in a single-page app. */
const views = all('.view');

function showView() {
  const view = views.find(({ dataset }) => dataset.path === location.pathname) ?? views[0];
  for (const other of views) other.hidden = other !== view;
  for (const link of all('nav a[data-link]')) {
    if (link.getAttribute('href') === view.dataset.path) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = String(view.dataset.title);
}

/** @param {string} path */
function go(path) {
  if (path !== location.pathname) {
    history.pushState(null, '', path);
    showView();
    scrollTo({ top: 0, behavior: 'instant' });
    call('page');
  }
}

function showVisitor() {
  const { name, email } = analytics.user().traits();
  for (const part of all('[data-when]')) part.hidden = (part.dataset.when === 'in') !== Boolean(email);
  all('[data-visitor]')[0].textContent = name || email || '';
}

/** What buttons do, by their data-action. @type {Record<string, () => void>} */
const actions = {
  watch() {
    const shelf = all('.hero')[0];
    shelf.classList.remove('watching');
    void shelf.offsetWidth; // so that the animation starts anew
    shelf.classList.add('watching');
    call('track', 'Watched a week', { seconds: 30 });
  },
  'sign-out'() {
    analytics.reset();
    inspector.add('reset', []).local('Nothing: the visitor is forgotten, here and only here.');
    showVisitor();
  },
  'no-email': () => call('identify', { firstName: 'Ada', email: null }),
  'bad-email': () => call('identify', { firstName: 'Ada', email: 'ada at example.com' }),
};

document.addEventListener('click', (event) => {
  const target = /** @type {HTMLElement} */ (event.target);
  const link = target.closest('a[data-link]');
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    go(String(link.getAttribute('href')));
  }
  const button = /** @type {HTMLElement | null} */ (target.closest('button'));
  const { action, plan, price, jars } = button?.dataset ?? {};
  if (action) actions[action]();
  if (plan) {
    call('track', 'Chose a plan', { plan, price: Number(price), jars: Number(jars) });
    all('select[name=plan]').forEach((select) => (/** @type {HTMLSelectElement} */ (select).value = plan));
    go('/sign-up');
  }
});

all('.sign-up')[0].addEventListener('submit', async (event) => {
  event.preventDefault();
  const { name, email, company, plan } = Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.target)));
  const identified = call('identify', { name, email, ...(company && { company }), plan });
  call('track', 'Signed up', { plan });
  await identified;
  showVisitor();
});

addEventListener('popstate', () => {
  showView();
  call('page');
});

// A simulated Marketo starts empty with every run, so the visitor is a new one too.
firstResult.then(() => {
  if (localStorage.getItem('larder_run') !== run) {
    analytics.reset();
    localStorage.setItem('larder_run', run);
  }
  showVisitor();
});

showView();
show('page', [], firstResult);
