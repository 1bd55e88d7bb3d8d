/** What the soak found, printed, and whether it has to fail. */

import { goal, ratio, table, tenths, whole } from './table.mjs';

/** @typedef {import('./soak.mjs').Soak} Soak */

/** In a shorter run there is no third minute to hold the last one against. */
const MINUTES_TO_COMPARE = 4;

/** Memory at the end, and what it is held against: the third minute, or, in a short run, what it was once warm. @param {Soak} soak */
function memoryOf({ seconds, megabytes }) {
  const isLong = seconds >= MINUTES_TO_COMPARE * 60;
  const warm = megabytes[isLong ? 2 : 1];
  const last = /** @type {number} */ (megabytes.at(-1));
  return { isLong, warm, last, ratio: last / warm };
}

/** @param {Soak} soak */
export function printSoak(soak) {
  const { sent, kills, starts, faultsByKind } = soak;
  const memory = memoryOf(soak);
  table(`Soak: ${soak.seconds} s at 70 % of the ${whole(soak.most)} requests a second that it takes and carries out; Marketo fails, the server is killed`, ['what', 'measured'], [
    ['what others did with the machine before, load average', ratio(soak.busy)],
    ['requests', whole(sent.requests)],
    ['of these a second', whole(soak.perSecond)],
    ['not answered: the server was killed', whole(sent.cutOff)],
    ['answered 503', whole(sent.refused)],
    ['kills', whole(kills)],
    ['longest start after one, ms', whole(Math.max(...starts))],
    ['faults injected', whole(soak.faults)],
    ['of the calls of REST, %', tenths(100 * soak.shareOfCalls)],
    ['messages acknowledged', whole(soak.acknowledged)],
    ['delivered', whole(soak.delivered)],
    ['lost', whole(soak.lost.length)],
    ['at Marketo, and never said', whole(soak.foreign.length)],
    ['leads in two calls at once', whole(soak.twice.length)],
    [`memory, MB, ${memory.isLong ? 'third minute' : 'once warm'}`, tenths(memory.warm)],
    [`memory, MB, ${memory.isLong ? 'last minute' : 'at the end'}`, tenths(memory.last)],
  ]);
  const times = { ...sent.latencies, "the disk's own sync of another file meanwhile": soak.disk };
  const rows = Object.entries(times).map(([kind, { p50, p99, most }]) => [kind, tenths(p50), tenths(p99), tenths(most)]);
  table('Accepted requests outside restarts', ['kind', 'p50 ms', 'p99 ms', 'longest ms'], rows);
  const kinds = Object.entries(faultsByKind).sort(([, a], [, b]) => b - a);
  table('Faults', ['kind', 'how often'], kinds.map(([kind, count]) => [kind, whole(count)]));
}

/** @param {Soak} soak */
export function soakGoals(soak) {
  const memory = memoryOf(soak);
  const goals = [
    goal('soak: acknowledged and lost', '≤', 0, soak.lost.length, whole),
    goal('soak: leads in two calls at once', '≤', 0, soak.twice.length, whole),
    goal('soak: p99 of accepted requests outside restarts, ms', '≤', 50, sent99(soak), tenths),
  ];
  if (memory.isLong) goals.push(goal('soak: memory, last minute / third', '≤', 1.05, memory.ratio, ratio));
  return goals;
}

/** @param {Soak} soak */
const sent99 = ({ sent }) => sent.latencies.all.p99;

/** What must never be, whatever machine this is: a sentence each. @param {Soak} soak */
export function soakFailures({ lost, foreign, twice, isDrained, kills, faults }) {
  /** @type {string[]} */
  const failures = [];
  const add = (/** @type {string} */ what, /** @type {string[]} */ which) => {
    if (which.length > 0) failures.push(`${whole(which.length)} ${what}: ${which.slice(0, 10).join(', ')}`);
  };
  if (!isDrained) failures.push('The queue did not run dry, so what is said to be lost may still wait.');
  if (kills === 0 || faults === 0) failures.push('Nothing went wrong, so nothing was shown.');
  add('acknowledged messages are lost', lost);
  add('values at Marketo were never said', foreign);
  add('times a lead was in two calls at once', twice);
  return failures;
}
