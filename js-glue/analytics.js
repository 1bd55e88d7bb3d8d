/**
 * The analytics API: identify, page, track and what belongs to them.
 *
 * Every call ends with one result, which its promise resolves with and its callback is given; one
 * with an error goes to the listeners of `error` too. Nothing here throws into the page.
 */

import { identifyArguments, pageArguments, trackArguments } from './arguments.js';
import { createDelivery, hasOptedOut } from './delivery.js';
import { createStore, createUser } from './user.js';
import { failure, skip } from './outcome.js';
import { callSafely, createEvents } from './events.js';
import { inTime } from './munchkin.js';

/**
 * @typedef {import('./delivery.js').Options} Options
 * @typedef {import('./outcome.js').Outcome & {type: string, sent: boolean}} Result
 * @typedef {import('./arguments.js').ResultCallback} Callback
 * @typedef {import('./arguments.js').Common} Common
 */

/**
 * A call that waits: method, arguments, what to resolve its promise with, the page's URL.
 * @typedef {[string, any[], (result: any) => void, string]} QueuedCall
 */

/**
 * @callback Load
 * @param {string} munchkinId like 123-ABC-456
 * @param {Options | null} [options]
 * @param {import('./delivery.js').HeadStart} [headStart] what the <head> snippet has begun
 * @param {QueuedCall[]} [queued] what it has kept
 * @returns {void}
 */

/**
 * The public API. Argument lists are those of analytics.js: the middle may be left out.
 * @typedef {import('./arguments.js').PageParameters} PageParameters
 * @typedef {import('./arguments.js').TrackParameters} TrackParameters
 * @typedef {import('./arguments.js').IdentifyParameters} IdentifyParameters
 * @typedef {import('./arguments.js').AliasParameters} AliasParameters
 * @typedef {object} Analytics
 * @property {(munchkinId: string, options?: Options) => void} load
 * @property {(...args: PageParameters) => Promise<Result>} page ([category], [name], [properties], [options], [callback])
 * @property {(...args: TrackParameters) => Promise<Result>} track (event, [properties], [options], [callback])
 * @property {(...args: IdentifyParameters) => Promise<Result>} identify ([userId], [traits], [options], [callback])
 * @property {(...args: IdentifyParameters) => Promise<Result>} group Marketo has no such call: skipped
 * @property {(...args: AliasParameters) => Promise<Result>} alias Marketo has no such call: skipped
 * @property {(url?: string) => Promise<Result>} pageview
 * @property {(links: any, event: any, properties?: any) => Promise<Result | void>} trackLink resolves once clicks are tracked
 * @property {(forms: any, event: any, properties?: any) => Promise<Result | void>} trackForm likewise
 * @property {(given: boolean) => void} consent the visitor's yes or no, where load was told to wait for it, or later
 * @property {(listener?: () => void) => Promise<void>} ready calls it, and resolves, once Munchkin is there
 * @property {(event: string, listener: (...args: any[]) => void) => Analytics} on
 * @property {(event: string, listener: (...args: any[]) => void) => Analytics} once
 * @property {(event: string, listener?: (...args: any[]) => void) => Analytics} off
 * @property {() => import('./user.js').User} user
 * @property {(id: string) => void} setAnonymousId
 * @property {() => void} reset forgets the visitor
 * @property {(on?: boolean) => void} debug writes every result to the console
 */

/** Bytes of a lead; the cookie and the age, which go along to the server, come on top. */
const LEAD_MAX = 6e4;

/** What a trait's name has in all the ways to spell it, which core makes one field of. @param {string} name */
const bareName = (name) => name.replace(/ /g, '').toLowerCase();

/**
 * Adds the API to `target`, an object that the page may hold already, and returns it.
 * @param {(options: Options) => Promise<import('./rules.js').Rules>} startRules
 * @param {(options: Options) => Promise<typeof import('./extras.js')>} loadExtras rejects if they cannot be had
 * @param {any} [target]
 * @returns {Analytics & {load: Load}}
 */
export const createAnalytics = (startRules, loadExtras, target = {}) => {
  const { listening, emit } = createEvents(target);
  /** Calls made before load, or before the visitor has agreed. @type {QueuedCall[]} */
  let waiting = [];
  const store = createStore();
  const user = createUser(store, () => !!globalThis.document && consent !== false && !hasOptedOut());
  let isDebugging = false;
  /** @type {(value?: any) => void} */
  let setReady = () => {};
  const whenReady = new Promise((resolve) => (setReady = resolve));
  /** What load was given. @type {Options | undefined} */
  let settings;
  /** Has the visitor agreed? @type {unknown} */
  let consent;
  /** Lets go on what waits for a yes. @type {(value?: any) => void} */
  let agree = () => {};
  /** Begins all that needs the visitor's consent. @type {() => void} */
  let begin;
  /** Takes the last no back, once it has been carried out. @type {(() => void) | void} */
  let takeBack;
  /** @type {ReturnType<typeof createDelivery> | undefined} */
  let delivery;
  /** @type {Promise<unknown>} */
  let lastIdentify = Promise.resolve();

  /**
   * Ends a call.
   * @param {string} type
   * @param {Callback | undefined} callback
   * @param {import('./outcome.js').Outcome} outcome
   * @returns {Result}
   */
  const finish = (type, callback, outcome) => {
    const result = { type, sent: false, ...outcome };
    if (isDebugging) console.log('munchkin-shim:', result);
    if (!result.ok) emit('error', result);
    emit('result', result);
    callSafely(callback, result);
    return result;
  };

  /** @param {'page' | 'track'} name @param {object} request @param {Common} common @param {string} href */
  const visit = (name, request, common, href) => {
    const text = JSON.stringify(request); // at once, since the page may change its objects after the call
    return perform(name, common, (rules) => /** @type {any} */ (delivery).visit(rules, name, text, href));
  };

  /**
   * Carries out a call, and ends it.
   * @param {string} type
   * @param {Common} common
   * @param {(rules: import('./rules.js').Rules) => Promise<import('./outcome.js').Outcome> | import('./outcome.js').Outcome} work
   * @returns {Promise<Result>}
   */
  const perform = async (type, [options, callback], work) => {
    const failed = (/** @type {unknown} */ reason) => failure('munchkin_failed', String(reason));
    return finish(type, callback, await (consent ? /** @type {any} */ (delivery).perform(options, work).catch(failed) : skip('no_consent')));
  };

  /** The calls, which wait for load. @type {Record<string, (href: string, args: any[]) => any>} */
  const calls = {
    page(href, args) {
      const [category, name, properties, ...common] = pageArguments(args);
      emit('page', category, name, properties, common[0]);
      return visit('page', { url: properties.url ?? '' }, common, href);
    },

    track(href, args) {
      const [event, properties, ...common] = trackArguments(args);
      emit('track', event, properties, common[0]);
      return visit('track', { event, properties }, common, href);
    },

    identify(_, args) {
      const [userId, traits, ...common] = identifyArguments(args);
      emit('identify', userId, traits, common[0]);
      const known = { ...user.traitsOf(userId) };
      // What is said now of the same, however that is spelled, is newer.
      for (const name in known) for (const said in traits) if (bareName(name) === bareName(said)) delete known[name];
      const request = JSON.stringify({ userId: userId ?? user.id(), traits: { ...known, ...traits } });
      const isTooLarge = new Blob([request]).size > LEAD_MAX;
      // Of what is too large nothing is remembered, but who it was of.
      user.traits(isTooLarge ? known : JSON.parse(request).traits);
      user.id(userId);
      const earlier = lastIdentify;
      const { visitor } = store;
      const hash = common[0].integrations?.Marketo?.hash;
      const presigned = hash && (() => ({ ok: true, hash }));
      const ended = perform('identify', common, (rules) =>
        isTooLarge ? failure('too_large') : /** @type {any} */ (delivery).associate(rules, request, presigned, earlier, visitor),
      );
      // One that fails ends at once, and may be over before those that it came after.
      lastIdentify = ended.then(() => earlier);
      return ended;
    },

    // This and reset are no calls of Marketo's, but keep their place among those that wait.
    setAnonymousId: (_, [id]) => user.anonymousId(id),
    pageview: (href, [url]) => calls.page(href, [{ url }]),
    reset() {
      user.reset();
      emit('reset');
    },
  };

  /** Ends a call that goes no further. @param {string} name @param {any[]} args @param {import('./outcome.js').Outcome} outcome */
  const end = async (name, args, outcome) =>
    finish(name, args.find((value) => typeof value === 'function'), outcome);

  /** @type {Promise<typeof import('./extras.js')> | null | undefined} */
  let extras;
  /** However late they come; but the next may have more luck than one that fails or hangs. */
  const extrasOnce = () => {
    const loading = (extras ??= loadExtras(/** @type {Options} */ (settings)));
    inTime(loading).catch(() => {
      extras = null;
    });
    return loading;
  };

  /**
   * Does what takes the extras; without them, or if it throws, the call ends with the error.
   * @param {string} name
   * @param {ReturnType<typeof loadExtras>} loading
   * @param {(extras: typeof import('./extras.js')) => void} work
   */
  const withExtras = async (name, loading, work) => {
    let error = 'extras_blocked';
    try {
      const loaded = await loading;
      error = 'arguments_invalid';
      work(loaded);
    } catch (reason) {
      return end(name, [], failure(error)); // a function among the arguments is no callback, but says what to track
    }
  };

  for (const name of /** @type {const} */ (['trackLink', 'trackForm'])) {
    calls[name] = (_, args) =>
      withExtras(name, inTime(extrasOnce()), (loaded) => loaded[name](target.track, .../** @type {[any, any]} */ (args)));
  }

  for (const name of ['alias', 'group']) {
    calls[name] = (_, args) => {
      emit(name, ...args);
      return end(name, args, skip('not_supported'));
    };
  }

  /** Nothing that a page may pass throws back: no getter, no circle, no BigInt. @param {string} name @param {string} href @param {any[]} args */
  const call = (name, href, args) => {
    try {
      return calls[name](href, args);
    } catch (reason) {
      return end(name, args, failure('arguments_invalid'));
    }
  };

  for (const name of Object.keys(calls)) {
    /** @param {...any} args */
    target[name] = (...args) =>
      !globalThis.document
        ? end(name, args, failure('not_a_browser'))
        : settings && typeof consent === 'boolean'
          ? call(name, location.href, args)
          : new Promise((resolve) => {
              waiting.push([name, args, resolve, location.href]);
            });
  }

  /** Does what the visitor's yes or no asks for, as soon as there is one and load has been called. */
  const heed = () => {
    if (!settings) return;
    if (settings.honourGpc && /** @type {any} */ (navigator).globalPrivacyControl) consent = false;
    if (typeof consent !== 'boolean') return;
    store.persist(settings.storage !== 'memory');
    if (!consent) {
      user.reset();
      store.persist(false);
      withExtras('consent', extrasOnce(), ({ refuse }) => {
        // Unless there has been a yes meanwhile, or it is the second no.
        if (!consent) takeBack ||= refuse(/** @type {Options} */ (settings));
      });
    } else {
      agree();
      takeBack = takeBack?.(); // at once: the calls after a yes are sent
      if (!delivery) begin();
    }
    const kept = waiting;
    waiting = [];
    for (const [name, args, resolve, href] of kept) {
      // A method that is no call, such as `on`, is what the snippet has kept of the API; a yes or no has been heeded already.
      resolve(calls[name] ? call(name, href, args) : name === 'consent' || target[name]?.(...args));
    }
  };

  return Object.assign(target, {
    /** @type {Load} */
    load(munchkinId, given, headStart = {}, queued = []) {
      if (settings || !globalThis.document) return;
      // Who passes a consent that is null or undefined has asked for none yet.
      const options = (settings = { consent: true, ...given });
      consent ??= options.consent;
      // What the snippet has kept, an array, into which others may have put what is no call; a yes or no among it counts
      // before the calls around it.
      waiting = queued.filter((entry) => typeof entry?.[2] === 'function' && entry[1]?.map).concat(waiting);
      for (const [name, [given]] of waiting) if (name === 'consent') consent = given === true;
      begin = () => {
        const mayTrack = () => !!consent;
        const permission = async () => {
          while (!consent) await new Promise((resolve) => (agree = resolve));
        };
        delivery = createDelivery(munchkinId, options, headStart, startRules(options), extrasOnce, store, mayTrack, permission, finish);
        delivery.complete.then(
          () => {
            emit('ready');
            setReady();
          },
          () => {},
        );
        if (options.autoPage) {
          const start = location.href;
          withExtras('page', extrasOnce(), ({ followRoutes }) => followRoutes(target.page, options.hashRouting, start));
        }
      };
      hasOptedOut(); // what the URL says of that is noted, whether there are calls or not
      heed();
    },

    /** @param {boolean} given */
    consent(given) {
      consent = given === true;
      heed();
    },

    /** @param {() => void} [listener] */
    ready: (listener) => whenReady.then(() => callSafely(listener)),

    ...listening,

    debug(on = true) {
      isDebugging = on;
    },
    user: () => user,
  });
};
