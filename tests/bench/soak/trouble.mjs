/** Marketo in trouble: one call in five goes wrong, each time in another way that passes. */

/** @typedef {import('../../sim/faults.mjs').CallFault} CallFault */

/** Calls that go well between two that do not, on average. */
const WELL = 4;
/** So many faults are laid out ahead. */
const AHEAD = 20;

/** @type {Record<string, Partial<CallFault>>} by what is printed of them */
const KINDS = {
  'HTTP 500': { status: 500 },
  'HTTP 503': { status: 503 },
  'connection reset': { answer: 'reset' },
  'done, then reset': { answer: 'reset', carriedOut: true },
  'slow, then reset': { answer: 'reset', delayMs: 2000 },
  'empty answer': { answer: 'empty' },
  rubbish: { answer: 'rubbish' },
  'answer cut off': { answer: 'truncated' },
  '604 timed out': { code: 604 },
  '606 too many': { code: 606 },
  '608 unavailable': { code: 608 },
  '611 system error': { code: 611 },
  '615 at once': { code: 615 },
  '713 transient': { code: 713 },
  '719 lock wait': { code: 719 },
};

/** Never answered, so that the server's patience (90 s) ends it: seldom, since that keeps others waiting. */
const NO_ANSWER = 'no answer at all';
const NO_ANSWER_SHARE = 1 / 40;

/** Web events know no codes, and whatever comes with HTTP 200 means that one was taken. */
const OF_EVENTS = ['HTTP 500', 'HTTP 503', 'connection reset', 'done, then reset', 'slow, then reset', 'answer cut off'];

/** A token that expires, once in so many faults. */
const TOKEN_SHARE = 1 / 25;
const TOKEN = '602 token expired';

/** @param {import('../../sim/simulator.mjs').Simulator} simulator */
export function createTrouble(simulator) {
  const { faults } = simulator;
  /** @type {Record<string, number>} by kind */
  const injected = {};
  let ofCalls = 0;
  /** @type {Map<CallFault, string>} those laid out, by what they are */
  const laidOut = new Map();
  let noAnswers = true;

  /** @param {string[]} kinds @returns {[string, Partial<CallFault>]} */
  function choose(kinds) {
    if (noAnswers && Math.random() < NO_ANSWER_SHARE) return [NO_ANSWER, { answer: 'hang' }];
    const kind = kinds[Math.floor(Math.random() * kinds.length)];
    return [kind, KINDS[kind]];
  }

  /** Faults of one kind of calls, each behind some calls that go well. @param {string[]} kinds @param {{path?: string}} of */
  function layOut(kinds, of) {
    const waiting = [...laidOut.keys()].filter(({ path }) => path === of.path).length;
    for (let more = waiting; more < AHEAD; more++) {
      const well = Math.round(-Math.log(1 - Math.random()) * WELL);
      // Only delayed, and not at all: it goes well.
      if (well > 0) faults.calls.push({ ...of, times: well, delayMs: 0 });
      const [kind, what] = choose(kinds);
      const fault = { ...of, ...what };
      laidOut.set(fault, kind);
      faults.calls.push(fault);
    }
  }

  /** @param {string} kind */
  function note(kind) {
    injected[kind] = (injected[kind] ?? 0) + 1;
  }

  /** Counts those that have happened since. */
  function count() {
    for (const [fault, kind] of laidOut) {
      if (faults.calls.includes(fault)) continue;
      laidOut.delete(fault);
      note(kind);
      ofCalls += fault.path === undefined ? 1 : 0;
      if (faults.token !== '' || Math.random() >= TOKEN_SHARE) continue;
      faults.token = 'expired';
      note(TOKEN);
    }
  }

  return {
    injected,
    /** How many of them were of calls, not of web events. */
    ofCalls: () => ofCalls,
    /** Call it often. */
    goOn() {
      count();
      layOut(Object.keys(KINDS), {});
      layOut(OF_EVENTS, { path: '/webevents/visitWebPage' });
    },
    /** From now on every call is answered, be it badly: who waits for all to be over waits no longer than that. */
    answerAll() {
      count();
      noAnswers = false;
      for (const [fault, kind] of laidOut) {
        if (kind !== NO_ANSWER) continue;
        fault.answer = 'reset';
        laidOut.set(fault, 'connection reset');
      }
    },
    /** From now on all goes well. */
    end() {
      count();
      laidOut.clear();
      Object.assign(faults, { calls: [], token: '' });
    },
  };
}
