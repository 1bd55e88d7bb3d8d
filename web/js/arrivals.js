/** Which call each web event that arrived at the simulated Marketo belongs to. */

/**
 * @typedef {import('./inspector.js').Arrival} Arrival
 * @typedef {import('./inspector.js').Result} Result
 * @typedef {{arrived: (arrival: Arrival) => void}} Entry
 */

/** @param {Result} result @param {Arrival} arrival */
function belongs(result, arrival) {
  // Munchkin's own visit, at its start, is what a call that was "already recorded" is about.
  if (result.skipped === 'already_recorded') return arrival.type === 'visitWebPage';
  if (!result.sent || !result.call) return false;
  const [name, fields] = result.call;
  if (name !== arrival.type) return false;
  return name === 'associateLead'
    ? fields.Email === arrival.leadFields.Email
    : fields.url === arrival.path && fields.params === arrival.params;
}

/**
 * @param {string} simulator its origin
 * @param {number} since the number of the last event that has nothing to do with this page
 */
export function followArrivals(simulator, since) {
  /** @type {Arrival[]} */
  const unmatched = [];
  /** @type {{entry: Entry, result: Result}[]} */
  const expecting = [];

  function match() {
    for (const wanted of [...expecting]) {
      const found = unmatched.findIndex((arrival) => belongs(wanted.result, arrival));
      if (found < 0) continue;
      expecting.splice(expecting.indexOf(wanted), 1);
      wanted.entry.arrived(unmatched.splice(found, 1)[0]);
    }
  }

  const stream = new EventSource(`${simulator}/_sim/events/stream?since=${since}`);
  stream.addEventListener('message', ({ data }) => {
    unmatched.push(JSON.parse(data));
    match();
  });

  return {
    /** @param {Entry} entry @param {Result} result */
    expect(entry, result) {
      expecting.push({ entry, result });
      match();
    },
  };
}
