// The script of the simulator's own page: the newest event on top, each with its parameters to unfold.

/** @typedef {import('../web-event.mjs').WebEvent} WebEvent */

const rows = /** @type {HTMLElement} */ (document.getElementById('events'));
const nothing = /** @type {HTMLElement} */ (document.getElementById('nothing'));
const connection = /** @type {HTMLElement} */ (document.getElementById('connection'));
const clear = /** @type {HTMLButtonElement} */ (document.getElementById('clear'));

/**
 * @param {string} tag
 * @param {...(Node | string)} content
 */
function element(tag, ...content) {
  const created = document.createElement(tag);
  created.append(...content);
  return created;
}

/** @param {WebEvent} event */
function subject(event) {
  if (event.type === 'associateLead') return event.leadFields.Email || '(no e-mail)';
  return event.link || event.host + event.path + (event.params && `?${event.params}`);
}

/** @param {WebEvent} event */
function signature(event) {
  const mark = element('span', event.type === 'associateLead' ? ` signature ${event.signature}` : '');
  mark.className = event.signature;
  return mark;
}

/** @param {WebEvent} event */
function row(event) {
  const parameters = Object.entries(event.query).map(([name, value]) => `${name} = ${value}`);
  const details = element(
    'details',
    element('summary', subject(event), signature(event)),
    element('pre', parameters.join('\n')),
  );
  const time = new Date(event.receivedAt).toLocaleTimeString();
  return element(
    'tr',
    element('td', String(event.number)),
    element('td', time),
    element('td', event.type),
    element('td', details),
  );
}

const stream = new EventSource('/_sim/events/stream');
stream.addEventListener('open', () => connection.replaceChildren('Connected'));
stream.addEventListener('error', () => connection.replaceChildren('Disconnected, trying again…'));
stream.addEventListener('message', (/** @type {MessageEvent<string>} */ message) => {
  nothing.hidden = true;
  rows.prepend(row(JSON.parse(message.data)));
});
stream.addEventListener('reset', () => {
  nothing.hidden = false;
  rows.replaceChildren();
});
clear.addEventListener('click', () => fetch('/_sim/reset', { method: 'POST' }));
