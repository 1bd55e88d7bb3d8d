/**
 * Sends leads in other ways than the usual one, and again if that has failed: what is kept in localStorage goes when the
 * server can be reached again, by one tab, once; with a token; or by a hidden form.
 */

import { alone } from './alone.js';
import { hasOptedOut, isBefore, trackingCookie } from './delivery.js';
import { createFormSender } from './form.js';
import { busyLeft, createList, pauseLeft } from './kept.js';
import { merged, remainder } from './merging.js';
import { failure, skip } from './outcome.js';
import { sendLead } from './server.js';
import { sendWithToken } from './token.js';
import { KEPT, LAST_LEAD } from './user.js';

/** @typedef {import('./kept.js').Kept} Kept */
/** @typedef {import('./outcome.js').Answer} Answer */
/** @typedef {import('./outcome.js').Outcome} Outcome */
/** @typedef {import('./rules.js').LeadResult} LeadResult */
/** @typedef {import('./rules.js').Rules} Rules */

/** The call was for Marketo when it was made. */
const CALL_OPTIONS = { integrations: { Marketo: true } };

/** Another tab sees within this time that a lead is claimed, or gone. */
const CLAIM_MS = 100;

/** Timers are no longer than this, whatever the clock says. */
const LOOK_AGAIN_MS = 3600 * 1000;

/** @param {number} ms */
const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What was sent last, if that can be read. @param {any} last @returns {Record<string, unknown> | undefined} */
function fieldsOf(last) {
  try {
    return Object.fromEntries(JSON.parse(last.fields));
  } catch (reason) {
    return undefined;
  }
}

/**
 * @param {import('./delivery.js').Options} options
 * @param {import('./user.js').Store} store
 * @param {(callOptions: object, work: (rules: Rules) => Promise<Outcome> | Outcome) => Promise<Outcome>} perform
 * @param {(rules: Rules, request: string, send?: (lead: LeadResult) => Promise<Answer>) => Promise<Outcome>} associate
 * @param {(type: string, callback: undefined, outcome: Outcome) => unknown} finish
 * @param {Promise<unknown>} settled Munchkin, or undefined if it does not come in time
 * @param {import('./form.js').AddScript} addScript
 * @param {string} munchkinId
 * @param {() => boolean} mayTrack
 */
export function createOutbox(options, store, perform, associate, finish, settled, addScript, munchkinId, mayTrack) {
  const list = createList(store);
  /** The visitor may have said no since the call was made. */
  const refusal = () => (!mayTrack() ? skip('no_consent') : hasOptedOut() ? skip('opted_out') : undefined);
  const form = options.identify === 'form' && createFormSender(addScript, munchkinId, options, refusal);
  /** Of this page, among all tabs. */
  const name = String(Math.random());
  /** What this page is sending, however long the claim holds. @type {Map<string, Promise<Answer>>} */
  const underWay = new Map();
  let isRunning = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** Resolves once Munchkin's cookie is there, or will not come soon: a script sets it that munchkin.js loads in its turn. */
  const cookieSettled = async () => {
    let turns = (await settled) ? 50 : 0;
    while (turns-- && !trackingCookie()) await after(100);
  };

  const ownCookie = () => trackingCookie() || '';

  /** @param {LeadResult} lead @param {string} request @param {unknown} time @param {string} [cookie] @returns {Promise<Answer>} */
  const postOnce = async (lead, request, time, cookie) => {
    if (form) {
      await cookieSettled(); // it goes along, if it ever comes
      return form.send(lead.call[1]);
    }
    // What others have said since it was called for is newer.
    const aged = (/** @type {string} */ text) => `{"age":${Date.now() - Number(time) || 0},${text.slice(1)}`;
    const send = async (/** @type {string} */ text) => refusal() ?? sendLead(options.server, aged(text), cookie ?? ownCookie());
    return options.token ? sendWithToken(options.token, request, send) : send(request);
  };

  /** @type {typeof postOnce} */
  const post = (lead, request, time, cookie) => {
    list.claim(request, name);
    // Two requests at once may come to the server in any order.
    const posted = Promise.allSettled(underWay.values())
      .then(() => postOnce(lead, request, time, cookie))
      .finally(() => underWay.delete(request));
    underWay.set(request, posted);
    return posted;
  };

  /**
   * Sends a lead of an earlier time: those that the page has called for since are newer, and are not sent by a former visitor.
   * @param {Rules} rules @param {string} request @param {number} time
   * @param {(lead: LeadResult) => Promise<Answer>} [send]
   * @param {object | false} [newer] what was sent since: fields
   */
  const associateAsOf = async (rules, request, time, send, newer) => {
    const before = store.get(LAST_LEAD);
    /** When the answer came: who was sent while it was under way is newer. @type {any} */
    let meanwhile;
    const isOvertaken = () => meanwhile?.time > Math.max(time, before?.time || 0);
    const noting = send && (async (/** @type {LeadResult} */ lead) => {
      const answer = await send(lead);
      meanwhile = store.get(LAST_LEAD);
      // Munchkin takes what it is given last for the newest: resend looks at the lead anew.
      return answer.hash && isOvertaken() ? { ...failure('server_error'), kept: true } : answer;
    });
    const outcome = await associate(rules, request, noting);
    const last = store.get(LAST_LEAD);
    if (outcome.sent && last) {
      const fields = JSON.stringify(Object.entries({ ...fieldsOf(last), ...newer }).sort());
      store.set(LAST_LEAD, isOvertaken() ? meanwhile : { ...last, fields, time });
    }
    return outcome;
  };

  /** @param {LeadResult} lead @param {string} request @param {number} time @returns {Promise<Answer>} */
  const send = async (lead, request, time) => {
    const already = await underWay.get(request);
    // What has been kept is this very lead, and is through; but a server that queues it has taken it for as old as it was.
    if (already?.ok && !already.skipped && (form || already.hash)) return { ok: true, sent: true, call: already.hash ? [...lead.call, already.hash] : ['lead', lead.call[1]] };
    if (!form && pauseLeft(list, 'asked')) return { ...failure(list.pause()?.error || 'server_error'), kept: true };
    const answer = await post(lead, request, time);
    if (!answer.kept) {
      list.setPause();
      setTimeout(run); // once this lead is dealt with
    }
    return answer;
  };

  /** The same of one that delivery.js does not keep. @type {typeof send} */
  const sendKept = async (lead, request, time) => {
    list.setLeads([...list.leads().filter((other) => other.request !== request), { request, time }]);
    const answer = await send(lead, request, time);
    if (answer.kept) failed(request, answer);
    else list.remove(request, time);
    return answer;
  };

  /** Tells the server a new visitor's cookie, unless they are somebody else by then. @param {string} request */
  const tellCookie = async (request) => {
    const { fields, time } = store.get(LAST_LEAD) || {};
    await cookieSettled();
    if (!fields || store.get(LAST_LEAD)?.fields !== fields) return;
    await perform(CALL_OPTIONS, (rules) => {
      const { email } = rules('identify', request);
      // Somebody else has been sent since, whose the cookie is.
      if (fieldsOf({ fields })?.Email !== email) return skip('unchanged');
      // One of the same lead that was called for since is under way, or waits: it takes the cookie along, and this would undo it.
      const isNewer = (/** @type {Kept} */ lead) => Number(lead.time) > time && rules('identify', lead.request).email === email;
      return list.leads().some(isNewer) ? skip('unchanged') : associateAsOf(rules, request, time, (lead) => sendKept(lead, request, time));
    });
  };

  /** @param {Kept[]} leads given up */
  const tell = (leads) => leads.forEach(() => finish('identify', undefined, failure('given_up')));

  /** @param {string} request @param {Outcome} outcome */
  const failed = (request, outcome) => tell(list.failed(request, outcome));

  /**
   * Sends what is left to say of a lead.
   * @param {Rules} rules @param {Kept} lead @returns {Promise<Outcome>}
   */
  const resend = async (rules, { request, time }) => {
    /** @type {Answer | undefined} */
    let answer;
    const last = store.get(LAST_LEAD);
    const newer = isBefore(time, last) && fieldsOf(last);
    const lead = rules('identify', request);
    if (newer && newer.Email !== lead.email) {
      // The visitor is somebody else by now: the cookie is theirs, which Marketo's library sends with every form.
      if (form) return failure('given_up');
      answer = await post(lead, request, time, '');
      if (answer.hash) return failure('given_up');
      return answer.cookie === undefined ? answer : { ok: true, sent: true, call: ['lead', lead.call[1]] };
    }
    const rest = newer && newer.Email === lead.email ? remainder(rules, request, newer) : request;
    if (!rest) return skip('unchanged');
    const outcome = await associateAsOf(rules, rest, newer ? last.time : time, async (lead) => (answer = await post(lead, rest, time)), newer);
    if (answer?.hash && outcome.kept) return resend(rules, { request, time });
    if (answer?.cookie === '') tellCookie(rest);
    // On another page Munchkin may be there.
    return outcome.error === 'munchkin_blocked' ? { ...outcome, kept: true } : outcome;
  };

  /** The first lead that nobody is busy with, unless it has to wait; for a form those of one visitor made one. @param {Rules} rules */
  const nextLead = (rules) => {
    const isFree = (/** @type {Kept} */ lead) => !underWay.has(lead.request) && !busyLeft(lead);
    const leads = list.leads();
    const some = leads.filter(isFree);
    // The server is told of each how old it is; a form says all as of now.
    const free = form ? merged(rules, some) : some.filter(({ request }) => rules('identify', request).ok);
    if (free.length < some.length) list.setLeads([...free, ...leads.filter((lead) => !isFree(lead))]);
    // What is newer is under way: its answer comes first, and says whose the cookie is, and what is left to say.
    const last = store.get(LAST_LEAD);
    // Of those that the last one came after the newest first: what it says is then not said again by an older one.
    const next = free.filter((lead) => isBefore(lead.time, last)).pop() ?? free[0];
    const isOvertaking = leads.some((lead) => !isFree(lead) && Number(lead.time) > Number(next?.time));
    return isOvertaking ? undefined : next;
  };

  /** @param {boolean} isAlone */
  const sendAll = (isAlone) => async (/** @type {Rules} */ rules) => {
    // The visitor may be back after days, and the lead have been changed meanwhile by somebody else.
    tell(list.giveUp());
    while (!pauseLeft(list, 'due')) {
      const lead = nextLead(rules);
      if (!lead) break;
      const { request } = lead;
      list.claim(request, name);
      if (!isAlone) {
        await after(CLAIM_MS * (1 + Math.random()));
        if (list.leads().find((other) => other.request === request)?.by !== name) continue;
      }
      if (hasOptedOut()) return skip('opted_out'); // while it was busy
      list.beginWork();
      /** @type {Outcome} */
      const outcome = await resend(rules, lead).catch((reason) => failure('munchkin_failed', String(reason)));
      // Those of a visitor who has been forgotten meanwhile are gone.
      if (!list.leads().some((other) => other.request === request)) continue;
      if (outcome.kept) {
        failed(request, outcome);
      } else {
        list.setPause();
        list.remove(request, lead.time);
        finish('identify', undefined, outcome);
      }
    }
    return skip('unchanged');
  };

  const run = async () => {
    if (isRunning) return;
    isRunning = true;
    clearTimeout(timer);
    let isOver = false;
    try {
      await alone(async (isAlone) => {
        // Browsers bring what one tab has written to the others a little later: what the last one has sent would come back.
        if (isAlone) await after(CLAIM_MS);
        const { ok, skipped } = await perform(CALL_OPTIONS, sendAll(isAlone));
        if (skipped === 'opted_out') store.set(KEPT, undefined);
        isOver = !ok; // there are no rules here
      });
    } catch (reason) {
      console.error(reason);
    }
    isRunning = false;
    if (!list.leads().length && !pauseLeft(list, 'asked')) list.setPause();
    const [soonest] = list.leads().map(busyLeft).sort((a, b) => a - b);
    if (isOver || soonest === undefined) return;
    const wait = Math.max(soonest, pauseLeft(list, 'due'), 1000);
    timer = setTimeout(run, Math.min(wait, LOOK_AGAIN_MS));
  };

  return {
    /**
     * Sends a lead that delivery.js keeps, unless the server has asked for a pause.
     * @param {LeadResult} lead
     * @param {string} request
     * @param {number} time when it was called for
     * @returns {Promise<Answer>}
     */
    send,

    /**
     * Sees to what is kept.
     * @param {string} [request] a lead that has just been answered for; none: the visitor is back
     * @param {Answer} [answer]
     */
    tend(request, answer) {
      if (!request || !answer) {
        const pause = list.pause();
        // What the server has asked for holds; the way to it may be free again.
        if (pause) list.setPause({ ...pause, due: pause.asked });
      } else if (answer.cookie === '') {
        tellCookie(request);
      } else if (!pauseLeft(list, 'asked')) {
        failed(request, answer);
      }
      run();
    },
  };
}
