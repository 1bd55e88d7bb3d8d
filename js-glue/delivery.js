/** The way of a call: rules (core), signature (server), Munchkin. */

import { addScript, inTime, loadMunchkin, munchkinOnPage } from './munchkin.js';
import { KEPT, KEPT_MAX, LAST_LEAD } from './user.js';
import { sendLead } from './server.js';
import { failure, skip } from './outcome.js';

/**
 * @typedef {object} Options
 * @property {string | URL} [server] munchkin-server's origin, for identify
 * @property {object} [munchkin] configuration for Munchkin.init, such as {apiOnly: true}
 * @property {string} [munchkinUrl] another munchkin.js
 * @property {string | (() => string | Promise<string>)} [token] who the visitor is, signed by your back end, for the server
 * @property {'local' | 'memory'} [storage] where the visitor is remembered; 'local'
 * @property {boolean} [hashRouting] a fragment that begins with "/" is the page's path
 * @property {number} [urlLimit] characters of a visit's path; 255
 * @property {number} [paramsLimit] characters of a visit's parameters; 2000
 * @property {Record<string, any>} [integrations] for every call, as in its own options
 * @property {boolean} [autoPage] a page() for each route of a single-page app, after the first
 * @property {'auto' | 'form'} [identify] how: as the server says, signed for associateLead or queued there; or a hidden Marketo form
 * @property {string} [formsUrl] for 'form': the origin that serves Forms 2.0, say https://app-sj01.marketo.com
 * @property {string | number} [formId] for 'form': of a form without fields of its own, approved in Marketo
 * @property {boolean | 'pending' | null} [consent] 'pending' does nothing until analytics.consent(true), false nothing at all
 * @property {boolean} [honourGpc] a browser that signals Global Privacy Control has not consented
 * @property {string} [nonce] for scripts that the shim adds
 * @property {string} [fallbackUrl] munchkin-shim.asm.js, for browsers without WebAssembly
 */

/**
 * @typedef {import('./rules.js').Rules} Rules
 * @typedef {import('./rules.js').VisitResult} VisitResult
 * @typedef {import('./rules.js').LeadResult} LeadResult
 * @typedef {import('./rules.js').ErrorResult} ErrorResult
 * @typedef {import('./outcome.js').Outcome} Outcome
 * @typedef {import('./outcome.js').Answer} Answer
 * @typedef {import('./munchkin.js').HeadStart} HeadStart
 * @typedef {import('./munchkin.js').Munchkin} Munchkin
 */

/** After this time a lead is sent again though nothing has changed. */
const UNCHANGED_MS = 24 * 3600 * 1000;

/** All there are, once one is set; undefined in frames that may have none. @param {string} [text] of one @returns {any} */
const cookies = (text) => {
  try {
    if (text) document.cookie = text;
    return document.cookie;
  } catch (reason) {
    // Nor is anything thrown.
  }
};

/** @param {string} name */
const cookie = (name) => RegExp(`(^|; )${name}=([^;]*)`).exec(cookies())?.[2];

export const trackingCookie = () => cookie('_mkto_trk');

/** Does the page's URL say that the visitor is not to be tracked? */
export const asksToOptOut = () => /[?&]marketo_opt_out=true/.test(location.search);

/** Has the visitor told Munchkin not to track? It may not be there to note that for the pages to come. */
export const hasOptedOut = () => {
  const asks = asksToOptOut();
  if (asks) cookies('mkto_opt_out=true;path=/;max-age=63072000');
  return cookie('mkto_opt_out') === 'true' || asks;
};

/**
 * Was a lead called for before the last one that was sent? One of the future was sent before the clock was set back: nothing
 * would be newer for as long as that was.
 * @param {any} time @param {any} last
 */
export const isBefore = (time, last) => last?.time > time && last.time <= Date.now();

/** @param {Record<string, any>} integrations */
const isDestination = (integrations) => integrations.Marketo ?? integrations['Marketo V2'] ?? integrations.All ?? true;

/**
 * @param {string} munchkinId
 * @param {Options} options
 * @param {HeadStart} headStart
 * @param {Promise<Rules>} starting
 * @param {() => Promise<typeof import('./extras.js')>} extras
 * @param {import('./user.js').Store} store
 * @param {() => boolean} mayTrack whether the visitor still consents
 * @param {() => Promise<void>} permission resolves once the visitor does
 * @param {(type: string, callback: undefined, outcome: Outcome) => unknown} finish ends a call
 */
export function createDelivery(munchkinId, options, headStart, starting, extras, store, mayTrack, permission, finish) {
  const { server, integrations, hashRouting, urlLimit, paramsLimit } = options;
  const validId = /^\d{3}-[A-Z]{3}-\d{3}$/.test(munchkinId);
  const loading = validId ? loadMunchkin(munchkinId, options, headStart, permission) : Promise.reject(munchkinId);
  /** Munchkin, once it is there; undefined if it does not come in time. */
  const settled = inTime(loading).catch(() => undefined);
  /** May a page() still be one that Munchkin has recorded itself? */
  let mayBeRecorded = !(/** @type {any} */ (options.munchkin)?.apiOnly);
  /** @type {ReturnType<typeof import('./outbox.js').createOutbox> | undefined} */
  let outbox;
  /** When identify was called last. */
  let called = 0;

  /** Is this lead what was sent last, and nothing else to go yet? @param {string} fields @param {number} time */
  const isUnchanged = (fields, time) => {
    const last = store.get(LAST_LEAD);
    const own = trackingCookie();
    // Another cookie is another visitor to Marketo. A new visitor's, which is not there yet at the first identify, Munchkin
    // finds by itself; a server has to be told, and what it was told is kept.
    const cookie = last?.cookie ?? own;
    const same = last?.fields === fields && (own || '') === (cookie || '') && !allKept().some((other) => other?.time < time) &&
      Date.now() - last.time < UNCHANGED_MS;
    if (same) store.set(LAST_LEAD, { ...last, cookie });
    return same;
  };

  /**
   * Munchkin records the page it is initialised on. The first page() of the same is not sent again;
   * nor is one to come, once the visitor has been elsewhere.
   * @param {Rules} rules @param {VisitResult} visit @param {string} href @param {boolean} early made before that
   */
  const isRecorded = (rules, visit, href, early) => {
    const url = headStart.href;
    if (!mayBeRecorded || !url) return false;
    // Munchkin itself knows no hash routes.
    const own = rules('page', JSON.stringify({ base: url, urlLimit, paramsLimit }));
    const same = JSON.stringify(own.call) === JSON.stringify(visit.call);
    mayBeRecorded = !same && (early || href === url);
    return same;
  };

  /**
   * Puts a lead at the end of those that are kept; or removes it, unless it has been called for again since.
   * @param {string} request @param {import('./outbox.js').Kept[]} lead none removes it @param {number} [time] when that was called for
   */
  const keep = (request, lead, time) => {
    const kept = allKept().filter((other) => (other?.request ?? request) !== request || other?.time > /** @type {number} */ (time));
    // The server's pause, which stands first and has no request, is none of them.
    const leads = kept.concat(lead).filter((other, i, all) => !other.request || i >= all.length - KEPT_MAX);
    store.set(KEPT, leads[0] && leads);
  };

  /** @param {Munchkin | undefined} munchkin @param {[string, object, string?]} call @returns {Outcome} */
  const give = (munchkin, call) => {
    if (!mayTrack()) return skip('no_consent');
    if (!munchkin) return failure('munchkin_blocked');
    munchkin.munchkinFunction(...call);
    return { call, ok: true, sent: true };
  };

  /** What there is may be nothing, or no list, or have anything in it: anybody can write there. @returns {any[]} */
  const allKept = () => /** @type {any[]} */ ([]).concat(store.get(KEPT));

  /** What takes care of leads, from the extras; undefined without them. */
  const loaded = () =>
    inTime(extras()).then(
      ({ createOutbox }) =>
        (outbox ??= createOutbox(options, store, perform, associate, finish, settled, addScript, munchkinId, mayTrack)),
      () => undefined,
    );

  /** Without the extras what is kept waits for the next page, or until the visitor is back on line. @param {[request?: string, answer?: Answer]} answered */
  const tend = async (...answered) => (await loaded())?.tend(...answered);

  const tendKept = () => store.get(KEPT) && tend();

  /**
   * Carries out `work` with the rules, unless the call is not for us or cannot be.
   * @param {Record<string, any>} callOptions
   * @param {(rules: Rules) => Promise<Outcome> | Outcome} work
   * @returns {Promise<Outcome>}
   */
  const perform = async (callOptions, work) => {
    if (!isDestination({ ...integrations, ...callOptions.integrations })) return skip('destination_off');
    if (hasOptedOut()) return skip('opted_out');
    if (!validId) return failure('munchkin_id_invalid');
    const rules = await starting.catch(() => undefined);
    if (!mayTrack()) return skip('no_consent');
    return rules ? work(rules) : failure('core_blocked');
  };

  /**
   * @param {Rules} rules
   * @param {string} request JSON
   * @param {((lead: LeadResult) => Answer | Promise<Answer>) | false | undefined} send in another way than the usual one
   * @param {Promise<unknown>} [earlier] the identify call before this one, to be answered first
   * @param {object} [visitor] whose call it is
   * @returns {Promise<Outcome>}
   */
  const associate = async (rules, request, send, earlier, visitor = store.visitor) => {
    const lead = /** @type {LeadResult | ErrorResult} */ (rules('identify', request));
    if (!lead.ok) return lead;
    // However its traits were ordered.
    const fields = JSON.stringify(Object.entries(lead.call[1]).sort());
    // Of two calls in the same millisecond, too, one is the later; whenever they are answered.
    const time = (called = Math.max(called + 1, Date.now()));
    /** Not of a visitor who has been forgotten meanwhile. */
    const isKnown = () => store.visitor === visitor;
    // Whatever becomes of the page before there is an answer.
    if (isKnown() && !send) keep(request, [{ request, time }]);
    // Two requests at once may come to the server in any order.
    await earlier;
    if (!mayTrack()) return skip('no_consent');
    // One that is there may be sending what is older, which is to come to the server first.
    const byOutbox = options.token || options.identify === 'form' || outbox || allKept()[0]?.due;
    /** @type {Answer} */
    const answer = await (isUnchanged(fields, time)
      ? skip('unchanged')
      : send
        ? send(lead)
        : byOutbox
          ? ((await loaded())?.send(lead, request, time) ?? { kept: true, ...failure('extras_blocked') })
          : sendLead(server, request, trackingCookie() || ''));
    try {
      /** As the server has answered, unless that is an outcome already. @type {Outcome} */
      const outcome = answer.hash
        ? give((await settled) || munchkinOnPage(), [...lead.call, answer.hash])
        : answer.cookie === undefined
          ? answer
          : { call: ['lead', lead.call[1]], ok: true, sent: true };
      // A server that queues leads has those that another tab has called for since as the last; to Marketo's scripts it is this one.
      if (outcome.sent && isKnown() && !(answer.cookie !== undefined && isBefore(time, store.get(LAST_LEAD)))) {
        store.set(LAST_LEAD, { time, fields, cookie: answer.cookie ?? trackingCookie() });
      }
      return { ...outcome, warnings: lead.warnings };
    } finally {
      // Though Munchkin has thrown: it would again.
      if (!send) {
        if (!answer.kept) keep(request, [], time);
        // It is tried again; or the server is told a new visitor's cookie, once there is one.
        if (answer.kept || answer.cookie === '') tend(request, answer);
      }
    }
  };

  addEventListener('online', tendKept);
  tendKept();

  return {
    /** Resolves once core and Munchkin are there; rejects if one is not to be had, which the calls report. */
    complete: Promise.all([loading, starting]),

    perform,
    /**
     * @param {Rules} rules
     * @param {'page' | 'track'} name
     * @param {string} request JSON, an object with at least one member
     * @param {string} href the page's URL when the call was made
     * @returns {Promise<Outcome>}
     */
    async visit(rules, name, request, href) {
      const settings = JSON.stringify({ base: href, hashRouting, urlLimit, paramsLimit });
      const visit = /** @type {VisitResult | ErrorResult} */ (rules(name, `${settings.slice(0, -1)},${request.slice(1)}`));
      if (!visit.ok) return visit;
      const early = !headStart.href;
      const munchkin = (await settled) || munchkinOnPage();
      if (name === 'page' && munchkin && isRecorded(rules, visit, href, early)) return skip('already_recorded');
      return { ...give(munchkin, visit.call), warnings: visit.warnings };
    },

    associate,
  };
}
