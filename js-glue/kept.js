/**
 * The list of leads that are kept in localStorage, as delivery.js begins it and outbox.js goes on with it. Other tabs write it
 * too: it is read anew for each change.
 */

import { askedMs, DAY_MS, waitMs } from './backoff.js';
import { KEPT } from './user.js';

/**
 * A lead that no server has answered for yet; or, first in the list and with an empty request, the pause that the server is
 * given.
 * @typedef {object} Kept
 * @property {string} request of identify, as JSON; for a pause ''
 * @property {number} [time] when identify was called
 * @property {number} [busy] until then somebody is sending it
 * @property {string} [by] which page that is
 * @property {number} [due] a pause's end
 * @property {number} [wait] its length: the clock may be set back meanwhile
 * @property {number} [asked] its end as far as the server has asked for it
 * @property {number} [tries] how often it has failed
 * @property {string} [error] how it failed last
 */

/** A request takes 10 seconds at most, and so does the one that it waits for. */
const FIRST_SEND_MS = 22000;

/** With a token that has to be fetched, and fetched again. */
const SEND_MS = 45000;

/** @param {import('./user.js').Store} store */
export function createList(store) {
  /** @returns {Kept[]} */
  const all = () => {
    const list = store.get(KEPT);
    return Array.isArray(list) ? list.filter((entry) => typeof entry?.request === 'string') : [];
  };
  /** @param {Kept[]} list */
  const write = (list) => store.set(KEPT, list.length ? list : undefined);

  const list = {
    /** The earlier first, whoever has kept them. */
    leads: () =>
      all()
        .filter(({ request }) => request)
        .sort((a, b) => Number(a.time) - Number(b.time)),
    pause: () => all().find(({ request }) => !request),

    /** @param {Kept[]} leads in place of those there are */
    setLeads: (leads) => write([...all().filter(({ request }) => !request), ...leads]),

    /** @param {Kept} [pause] none ends it */
    setPause: (pause) => write([...(pause && list.leads().length ? [pause] : []), ...list.leads()]),

    /** @param {string} request @param {Partial<Kept>} change unless the lead is gone: the visitor may have been forgotten */
    update: (request, change) =>
      list.setLeads(list.leads().map((lead) => (lead.request === request ? { ...lead, ...change } : lead))),

    /** @param {string} request @param {string} by */
    claim: (request, by) => list.update(request, { busy: Date.now() + SEND_MS, by }),

    /** From now on identify asks the outbox first, which may be sending the same lead: see delivery.js. */
    beginWork: () => list.setPause(list.pause() ?? { request: '', due: 1 }),

    /** Unless it has been called for again since. @param {string} request @param {number | undefined} time */
    remove(request, time) {
      list.setLeads(list.leads().filter((lead) => lead.request !== request || Number(lead.time) > Number(time)));
      if (!list.leads().length) write([]);
    },

    /** Removes the leads that are a day old, unless somebody is sending them. @returns {Kept[]} those */
    giveUp() {
      const now = Date.now();
      const leads = list.leads();
      const isOld = (/** @type {Kept} */ lead) => now - Number(lead.time) > DAY_MS && !busyLeft(lead);
      // One of the future has been kept before the clock was set back.
      const isPast = (/** @type {Kept} */ lead) => Number(lead.time) <= now;
      // Nothing is written without need: another tab may be at it.
      if (leads.some((lead) => isOld(lead) || !isPast(lead))) {
        list.setLeads(leads.filter((lead) => !isOld(lead)).map((lead) => (isPast(lead) ? lead : { ...lead, time: now })));
      }
      return leads.filter(isOld);
    },

    /**
     * The server, or the way to it, has failed: nothing is tried again before the end of a pause.
     * @param {string} request
     * @param {import('./outcome.js').Outcome} outcome
     * @returns {Kept[]} the leads that are given up
     */
    failed(request, { error, retryAfter }) {
      const now = Date.now();
      const asked = askedMs(retryAfter, now);
      const tries = (Number(list.pause()?.tries) || 0) + 1;
      const wait = waitMs(tries, asked);
      list.update(request, { busy: 0 });
      const old = list.giveUp();
      list.setPause({ request: '', due: now + wait, wait, asked: now + asked, tries, error });
      return old;
    },
  };
  return list;
}

/**
 * How long the pause goes on. Never longer than it was to be: if the clock has been set back, it begins again.
 * @param {ReturnType<typeof createList>} list
 * @param {'due' | 'asked'} end
 */
export function pauseLeft(list, end) {
  const pause = list.pause();
  if (!pause) return 0;
  const now = Date.now();
  const wait = Number(pause.wait) || 0;
  const left = (/** @type {'due' | 'asked'} */ name) => Math.max(Number(pause[name]) - now || 0, 0);
  if (left('due') > wait) list.setPause({ ...pause, due: now + wait, asked: Math.min(now + wait, Number(pause.asked)) });
  return Math.min(left(end), wait);
}

/** How long somebody may still be busy with a lead. @param {Kept} lead */
export function busyLeft({ time, busy = Number(time) + FIRST_SEND_MS }) {
  const left = busy - Date.now();
  return left > SEND_MS ? 0 : Math.max(left || 0, 0); // the clock has been set back
}
