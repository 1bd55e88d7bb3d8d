/** The way of a call: rules (core), signature (server), Munchkin. */

import { REQUEST_MAX } from './core.js';
import { loadMunchkin, munchkinOnPage } from './munchkin.js';
import { failure, skip } from './outcome.js';
import { requestHash } from './server.js';

/**
 * @typedef {object} Options
 * @property {string} [server] munchkin-server's origin, for identify
 * @property {object} [munchkin] configuration for Munchkin.init, such as {apiOnly: true}
 * @property {string} [munchkinUrl] another munchkin.js
 * @property {'local' | 'memory'} [storage] where the visitor is remembered; 'local'
 * @property {boolean} [hashRouting] a fragment that begins with "/" is the page's path
 * @property {number} [urlLimit] characters of a visit's path; 255
 * @property {number} [paramsLimit] characters of a visit's parameters; 2000
 * @property {Record<string, any>} [integrations] for every call, as in its own options
 * @property {string} [nonce] for scripts that the shim adds
 * @property {string} [fallbackUrl] munchkin-shim.asm.js, for browsers without WebAssembly
 */

/**
 * @typedef {import('./core.js').Core} Core
 * @typedef {import('./core.js').VisitResult} VisitResult
 * @typedef {import('./core.js').LeadResult} LeadResult
 * @typedef {import('./core.js').ErrorResult} ErrorResult
 * @typedef {import('./outcome.js').Outcome} Outcome
 * @typedef {{href?: string} & import('./munchkin.js').HeadStart} HeadStart
 */

/** After this time a lead is sent again though nothing has changed. */
const UNCHANGED_MS = 24 * 3600 * 1000;

/** Where the last lead that was sent is remembered. */
export const LAST_LEAD = 'munchkin_shim_lead';

/** Has the visitor told Munchkin not to track? */
const hasOptedOut = () =>
  /(^|; )mkto_opt_out=true/.test(document.cookie) || /[?&]marketo_opt_out=true/.test(location.search);

const trackingCookie = () => /(?:^|; )_mkto_trk=([^;]*)/.exec(document.cookie)?.[1];

/** @param {Record<string, any>} integrations */
const isDestination = ({ All, ...named }) => !!(named.Marketo ?? named['Marketo V2'] ?? All ?? true);

/**
 * @param {string} munchkinId
 * @param {Options} options
 * @param {HeadStart} headStart
 * @param {Promise<Core>} starting
 * @param {import('./user.js').Store} store
 */
export function createDelivery(munchkinId, options, headStart, starting, store) {
  const { server, integrations, hashRouting, urlLimit, paramsLimit } = options;
  const validId = /^\d{3}-[A-Z]{3}-\d{3}$/.test(munchkinId);
  const loading = validId && loadMunchkin(munchkinId, options, headStart);
  /** The page that Munchkin's own visit is of, until the first page() has been compared with it. */
  let recordedUrl =
    /** @type {any} */ (options.munchkin)?.apiOnly ? undefined : headStart.href || location.href;
  /** The last e-mail that was signed, and the answer. @type {{email?: string, answer?: any}} */
  const signed = {};

  const ready = Promise.all([starting, loading || Promise.reject(munchkinId)]);
  ready.catch(() => {}); // the calls report it

  /** @param {[string, object, string?]} call @returns {Promise<Outcome>} */
  const giveToMunchkin = async (...call) => {
    const munchkin = (await Promise.resolve(loading || undefined).catch(() => undefined)) || munchkinOnPage();
    if (!munchkin) return failure('munchkin_blocked');
    munchkin.munchkinFunction(...call);
    return { ok: true, sent: true, call };
  };

  /** @param {string} email @returns {ReturnType<typeof requestHash>} */
  const hashOf = async (email) => {
    if (signed.email !== email) {
      signed.email = email;
      signed.answer = requestHash(server, email);
    }
    const answer = await signed.answer;
    if (!answer.ok) signed.email = undefined;
    return answer;
  };

  /** @param {Core} core @param {VisitResult} visit */
  const isRecorded = (core, visit) => {
    const url = recordedUrl;
    recordedUrl = undefined;
    if (!url) return false;
    const own = core.page({ url, base: url, hashRouting, urlLimit, paramsLimit });
    return own.ok && own.call[1].url === visit.call[1].url && own.call[1].params === visit.call[1].params;
  };

  return {
    /** Resolves once core and Munchkin are there; rejects if one is not to be had. */
    ready,

    /**
     * Carries out `work` with the core, unless the call is not for us or cannot be.
     * @param {Record<string, any>} callOptions
     * @param {(core: Core) => Promise<Outcome> | Outcome} work
     * @returns {Promise<Outcome>}
     */
    async perform(callOptions, work) {
      if (!isDestination({ ...integrations, ...callOptions.integrations })) return skip('destination_off');
      if (hasOptedOut()) return skip('opted_out');
      if (!validId) return failure('munchkin_id_invalid');
      const core = await starting.catch(() => undefined);
      return core ? work(core) : failure('core_blocked');
    },

    /**
     * @param {Core} core
     * @param {'page' | 'track'} name
     * @param {string} request JSON, an object with at least one member
     * @param {string} href the page's URL when the call was made
     * @returns {Promise<Outcome>}
     */
    async visit(core, name, request, href) {
      const settings = JSON.stringify({ base: href, hashRouting, urlLimit, paramsLimit });
      const visit = /** @type {VisitResult | ErrorResult} */ (core.call(name, `${settings.slice(0, -1)},${request.slice(1)}`));
      if (!visit.ok) return visit;
      if (name === 'page' && isRecorded(core, visit)) return skip('already_recorded');
      return { ...(await giveToMunchkin(...visit.call)), warnings: visit.warnings };
    },

    /**
     * @param {Core} core
     * @param {string} request JSON
     * @param {string | undefined} presigned the hash, if the page has it already
     * @param {Promise<unknown>} earlier the identify call before this one, to be sent first
     * @returns {Promise<Outcome>}
     */
    async associate(core, request, presigned, earlier) {
      const lead = /** @type {LeadResult | ErrorResult} */ (core.call('identify', request));
      if (!lead.ok) return lead;
      // However its traits were ordered.
      const fields = JSON.stringify(Object.entries(lead.call[1]).sort());
      const last = store.get(LAST_LEAD);
      const cookie = trackingCookie();
      // Another cookie is another visitor to Marketo. A new visitor's is not there yet at the first identify.
      if (last?.fields === fields && (last.cookie ?? cookie) === cookie && Date.now() - last.time < UNCHANGED_MS) {
        store.set(LAST_LEAD, { ...last, cookie });
        return skip('unchanged');
      }
      /** @type {any} */
      const answer = presigned ? { ok: true, hash: presigned } : await hashOf(lead.email);
      if (!answer.ok) return answer;
      await earlier;
      const outcome = await giveToMunchkin(...lead.call, answer.hash);
      if (outcome.ok) {
        store.set(LAST_LEAD, { fields, cookie: trackingCookie(), time: Date.now() });
      }
      return { ...outcome, warnings: lead.warnings };
    },
  };
}

/** @param {string} json @returns {boolean} whether core takes a request as long as this */
export const fits = (json) => new TextEncoder().encode(json).length <= REQUEST_MAX;
