/**
 * What was said of whom, and what of it the server has acknowledged: to be compared with what Marketo has at the end.
 *
 * Of a person one message at a time is under way, so that of two values of a field it is known which is the newer one. A
 * message sets one field, the next message another, to its own number: each field of a lead says which message it is from.
 * A message that is lost is found out as long as nothing newer sets its field: who is to be looked at in the end, as what they
 * were when the server was killed, is let alone from then on.
 */

/** Messages in a row of one person set so many fields, one each. */
const FIELDS_PER_PERSON = 8;

/** For the simulator: the fields that messages set. */
export const FIELDS = Array.from({ length: FIELDS_PER_PERSON }, (_, index) => ({ name: `part${index}` }));

/**
 * What a ledger holds, as it is handed from one thread to another.
 * @typedef {object} LedgerRecord
 * @property {number[]} said          by person: the number of their last message
 * @property {number[][]} acknowledged  by person: the numbers of the messages that were
 * @property {number} visits          how many visits were sent; they are numbered from 1
 * @property {number[]} acknowledgedVisits
 */

/**
 * @typedef {object} Comparison
 * @property {number} acknowledged  messages and visits
 * @property {number} delivered     of these: Marketo has it, or, of the same field, what came after it
 * @property {string[]} lost        the others
 * @property {string[]} foreign     what Marketo has and nobody said
 */

/** @param {number} person */
export const emailOf = (person) => `person${person}@example.com`;

/** @param {number} visit */
export const visitorOf = (visit) => `_mch-example.com-1763967600000-${visit}`;

export function createLedger() {
  /** @type {LedgerRecord} */
  const record = { said: [], acknowledged: [], visits: 0, acknowledgedVisits: [] };
  return {
    record,
    /** Somebody of whom nothing was said yet. */
    meet() {
      record.acknowledged.push([]);
      return record.said.push(0) - 1;
    },
    /** The person's next message: its number, and what it sets. @param {number} person */
    say(person) {
      const number = ++record.said[person];
      return { number, traits: { [`part${number % FIELDS_PER_PERSON}`]: `message ${number}` } };
    },
    /** @param {number} person @param {number} number */
    acknowledge(person, number) {
      record.acknowledged[person].push(number);
    },
    visit: () => ++record.visits,
    /** @param {number} number */
    acknowledgeVisit(number) {
      record.acknowledgedVisits.push(number);
    },
  };
}

/**
 * @param {LedgerRecord} record
 * @param {Pick<import('../../sim/simulator.mjs').Simulator, 'leads' | 'events'>} simulator
 * @returns {Comparison}
 */
export function compare(record, simulator) {
  /** @type {Comparison} */
  const comparison = { acknowledged: 0, delivered: 0, lost: [], foreign: [] };

  /** @param {string} what @param {boolean} isThere */
  function count(what, isThere) {
    comparison.acknowledged += 1;
    if (isThere) comparison.delivered += 1;
    else comparison.lost.push(what);
  }

  for (const [person, said] of record.said.entries()) {
    const email = emailOf(person);
    const newest = newestOf(simulator.leads.get(email)?.fields ?? {});
    for (const [field, number] of newest.entries()) {
      const isSaid = number === 0 || (number <= said && number % FIELDS_PER_PERSON === field);
      if (!isSaid) comparison.foreign.push(`${email} part${field}: message ${number}`);
    }
    for (const number of record.acknowledged[person]) {
      count(`${email} message ${number}`, newest[number % FIELDS_PER_PERSON] >= number);
    }
  }
  const visits = visitsOf(simulator.events);
  for (const number of record.acknowledgedVisits) count(`visit ${number}`, visits.has(number));
  for (const number of visits) {
    if (!(number >= 1 && number <= record.visits)) comparison.foreign.push(`visit ${number}`);
  }
  return comparison;
}

/** By field: the message whose value it has; 0 for none, NaN for what no message says. @param {Record<string, unknown>} fields */
function newestOf(fields) {
  return FIELDS.map((_, index) => {
    const value = fields[`Part${index}`];
    return value === undefined ? 0 : Number(/^message (\d+)$/.exec(String(value))?.[1]);
  });
}

/** @param {import('../../sim/web-event.mjs').WebEvent[]} events */
function visitsOf(events) {
  return new Set(
    events.map(({ path, token }) => {
      const number = Number(/^\/event\/e(\d+)$/.exec(path)?.[1]);
      return token === visitorOf(number) ? number : NaN;
    })
  );
}
