/**
 * Who the visitor is: user id, anonymous id and traits, remembered between pages in localStorage
 * under the names that analytics.js uses, so that nobody is forgotten when a site changes over.
 */

export const TRAITS = 'ajs_user_traits';
const USER_ID = 'ajs_user_id';
const ANONYMOUS_ID = 'ajs_anonymous_id';

/** The lead that was sent last, and when. */
export const LAST_LEAD = 'munchkin_shim_lead';

/** The leads that no server has answered for yet: see outbox.js. */
export const KEPT = 'munchkin_shim_kept';

/** No more than so many; the oldest make room. */
export const KEPT_MAX = 10;

/** All that is stored in localStorage. */
export const STORED = [TRAITS, USER_ID, ANONYMOUS_ID, KEPT, LAST_LEAD];

/**
 * A store that never throws: the page's memory, until it is told to use localStorage, and where that is forbidden or
 * full.
 */
export function createStore() {
  let persistent = false;
  /** @type {Record<string, any>} */
  let memory = {};
  const store = {
    /** Another one whenever the visitor is forgotten. */
    visitor: {},
    /** Whether to use localStorage from now on; what is in memory goes there, newer as it is; but an anonymous id that was made is for who has none. */
    persist(/** @type {boolean} */ on) {
      persistent = on;
      const kept = Object.entries(memory);
      memory = {};
      for (const [key, value] of kept) (key === ANONYMOUS_ID && store.get(key)) || store.set(key, value);
    },
    /** @param {string} key */
    get(key) {
      if (key in memory || !persistent) return memory[key];
      let text;
      try {
        text = localStorage.getItem(key);
        return JSON.parse(/** @type {string} */ (text)); // null, if there is none
      } catch (reason) {
        return text; // a text that another library wrote without quotes
      }
    },
    /** @param {string} key @param {unknown} value undefined removes it */
    set(key, value) {
      delete memory[key];
      try {
        if (!persistent) throw persistent;
        // First, since where there is no room for the new value the old one would stay, which may be somebody else's. Leads
        // that are kept are everybody's.
        if (key !== KEPT || !value) localStorage.removeItem(key);
        if (value !== undefined) localStorage.setItem(key, JSON.stringify(value));
      } catch (reason) {
        memory[key] = value;
      }
    },
  };
  return store;
}

/** @typedef {ReturnType<typeof createStore>} Store */

/** A random UUID, as object URLs end with: crypto.randomUUID is missing on pages without https. */
const uuid = () => URL.createObjectURL(new Blob()).slice(-36);

/** @typedef {ReturnType<typeof createUser>} User */

/**
 * @param {Store} store
 * @param {() => boolean} mayRemember false for a visitor who has said no or opted out: whoever asks, they are only forgotten
 */
export function createUser(store, mayRemember) {
  /**
   * Called without a value, tells; with one, sets (null forgets).
   * @param {string} key
   * @param {() => any} otherwise
   */
  const accessor =
    (key, otherwise) =>
    /** @param {any} [value] */
    (value) => {
      if (value === null || (value !== undefined && (mayRemember() || (globalThis.document && key === ANONYMOUS_ID)))) store.set(key, value ?? undefined);
      return store.get(key) ?? otherwise();
    };

  const user = {
    traits: accessor(TRAITS, () => ({})),
    id: accessor(USER_ID, () => null),
    // A server's page is everybody's: nobody is remembered there.
    anonymousId: accessor(ANONYMOUS_ID, () => (globalThis.document ? user.anonymousId(uuid()) : uuid())),

    /** Forgets the visitor. */
    reset() {
      store.visitor = {};
      for (const key of STORED) store.set(key, undefined);
    },

    /**
     * What is remembered of the person whom an identify call is of; if that is another one, nothing.
     * @param {string | number | undefined} id
     * @returns {Record<string, any>}
     */
    traitsOf(id) {
      const known = user.id();
      const same = id === undefined || known === null || String(id) === String(known);
      return same ? user.traits() : {};
    },
  };
  return user;
}
