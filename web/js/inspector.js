/** The panel: for each call what was called, what Munchkin was given, and what arrived at Marketo. */

import { sourceOf } from './source.js';

/**
 * What analytics.js calls resolve with, as far as the panel tells of it.
 * @typedef {{ok: boolean, sent: boolean, call?: [string, Record<string, unknown>, string?], error?: string, skipped?: string,
 *   message?: string, warnings?: {code: string, name?: string}[]}} Result
 * @typedef {{type: string, path: string, params: string, leadFields: Record<string, string>, signature: string}} Arrival
 */

/** @param {string} tag @param {string} className @param {...(Node | string)} content */
function element(tag, className, ...content) {
  const created = document.createElement(tag);
  if (className) created.className = className;
  created.append(...content);
  return created;
}

/** @param {string} text @param {'good' | 'mild' | 'bad' | ''} kind */
const badge = (text, kind) => element('span', `badge ${kind}`, text);

/** One row of an entry: a name, a badge once there is one, and what it is. @param {string} name */
function createRow(name) {
  const term = element('dt', '', name);
  const content = element('dd', '');
  return {
    row: element('div', '', term, content),
    /** @param {HTMLElement | undefined} mark @param {...(Node | string)} parts */
    show(mark, ...parts) {
      term.replaceChildren(name, ...(mark ? [mark] : []));
      content.replaceChildren(...parts);
    },
  };
}

const SKIPPED = /** @type {Record<string, string>} */ ({
  already_recorded: 'Nothing: Munchkin recorded this visit itself, when it started.',
  unchanged: 'Nothing: Marketo was told of the same lead within the last 24 hours.',
  opted_out: 'Nothing: this visitor has opted out.',
});

/** @param {Arrival} arrival */
function arrivalParts(arrival) {
  if (arrival.type !== 'associateLead') {
    return [element('code', '', arrival.path + (arrival.params ? `?${arrival.params}` : ''))];
  }
  const fields = Object.entries(arrival.leadFields).flatMap(([name, value]) => [element('span', '', name), element('span', '', String(value))]);
  return [element('div', 'fields', ...fields)];
}

/** @param {Arrival} arrival */
function arrivalBadge({ type, signature }) {
  if (type !== 'associateLead') return badge('visit', '');
  return signature === 'valid' ? badge('signature valid', 'good') : badge(`signature ${signature}`, 'bad');
}

/**
 * @param {HTMLElement} panel
 * @param {boolean} simulated whether what arrives can be seen
 */
export function createInspector(panel, simulated) {
  const list = /** @type {HTMLElement} */ (panel.querySelector('.entries'));
  const count = /** @type {HTMLElement} */ (panel.querySelector('[data-count]'));
  let calls = 0;

  return {
    /**
     * Adds a call, newest on top.
     * @param {string} method
     * @param {unknown[]} args
     */
    add(method, args) {
      const made = createRow('Called');
      const given = createRow('Munchkin was given');
      const arrived = createRow('Arrived at Marketo');
      made.show(undefined, element('code', '', sourceOf(`analytics.${method}`, args)));
      given.show(undefined, element('span', 'waiting', 'waiting …'));
      arrived.show(undefined, element('span', 'waiting', 'waiting …'));
      list.prepend(element('li', 'entry', element('dl', '', made.row, given.row, arrived.row)));
      list.scrollTop = 0;
      calls += 1;
      count.textContent = calls === 1 ? '1 call' : `${calls} calls`;

      return {
        /** @param {Result} result */
        ended(result) {
          if (result.error) {
            given.show(badge(result.error, 'bad'), `Nothing. ${result.message ?? ''}`);
          } else if (result.skipped) {
            given.show(badge(result.skipped, 'mild'), SKIPPED[result.skipped] ?? 'Nothing.');
          } else if (result.call) {
            const [name, fields, hash] = result.call;
            const shown = hash ? [name, fields, `${hash.slice(0, 8)}…`] : [name, fields];
            const warning = result.warnings?.map(({ code }) => code).join(', ');
            given.show(warning ? badge(warning, 'mild') : undefined, element('code', '', sourceOf('Munchkin.munchkinFunction', shown)));
          }
          if (!simulated && result.sent) arrived.show(undefined, 'Look in your Marketo account: Database, then the activity log.');
          if (!result.sent && result.skipped !== 'already_recorded') arrived.row.remove();
        },
        /** @param {Arrival} arrival */
        arrived: (arrival) => arrived.show(arrivalBadge(arrival), ...arrivalParts(arrival)),
        /** A call that sends nothing, such as reset. @param {string} sentence */
        local(sentence) {
          given.show(undefined, sentence);
          arrived.row.remove();
        },
      };
    },
  };
}

/** On a narrow screen the panel can be folded away. @param {HTMLElement} panel */
export function makeFoldable(panel) {
  const fold = /** @type {HTMLButtonElement} */ (panel.querySelector('.fold'));
  const entries = /** @type {HTMLElement} */ (panel.querySelector('.entries'));
  fold.addEventListener('click', () => {
    const isOpen = fold.getAttribute('aria-expanded') === 'true';
    fold.setAttribute('aria-expanded', String(!isOpen));
    fold.textContent = isOpen ? 'Show' : 'Hide';
    entries.hidden = isOpen;
    document.documentElement.style.setProperty('--dock', isOpen ? '3.4rem' : '40vh');
  });
}
