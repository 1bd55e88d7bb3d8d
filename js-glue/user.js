/**
 * Who the visitor is: user id, anonymous id and traits, remembered between pages in localStorage
 * under the names that analytics.js uses, so that nobody is forgotten when a site changes over.
 */

const USER_ID = 'ajs_user_id';
export const TRAITS = 'ajs_user_traits';
const ANONYMOUS_ID = 'ajs_anonymous_id';

/** The lead that was sent last, and when. */
export const LAST_LEAD = 'munchkin_shim_lead';

/**
 * A store that never throws: where localStorage is forbidden or full, the page's memory serves.
 * @param {boolean} persistent
 */
export function createStore(persistent) {
  /** @type {Map<string, any>} */
  const memory = new Map();
  return {
    /** @param {string} key */
    get(key) {
      if (memory.has(key) || !persistent) return memory.get(key);
      let text;
      try {
        text = localStorage.getItem(key);
        return text === null ? undefined : JSON.parse(text);
      } catch (reason) {
        return text; // a text that another library wrote without quotes
      }
    },
    /** @param {string} key @param {unknown} value undefined removes it */
    set(key, value) {
      memory.delete(key);
      try {
        if (!persistent) throw persistent;
        if (value === undefined) localStorage.removeItem(key);
        else localStorage.setItem(key, JSON.stringify(value));
      } catch (reason) {
        memory.set(key, value);
      }
    },
  };
}

/** @typedef {ReturnType<typeof createStore>} Store */

/** A random UUID, as object URLs end with: crypto.randomUUID is missing on pages without https. */
const uuid = () => URL.createObjectURL(new Blob()).slice(-36);

/** @typedef {ReturnType<typeof createUser>} User */

/** @param {Store} store */
export function createUser(store) {
  /**
   * Called without a value, tells; with one, sets (null forgets).
   * @param {string} key
   * @param {() => any} otherwise
   */
  const accessor =
    (key, otherwise) =>
    /** @param {any} [value] */
    (value) => {
      if (value !== undefined) store.set(key, value === null ? undefined : value);
      return store.get(key) ?? otherwise();
    };

  const user = {
    id: accessor(USER_ID, () => null),
    anonymousId: accessor(ANONYMOUS_ID, () => user.anonymousId(uuid())),
    traits: accessor(TRAITS, () => ({})),

    /**
     * The traits of an identify call together with those remembered; another person's are not.
     * @param {string | number | undefined} id
     * @param {Record<string, any>} traits
     * @returns {Record<string, any>}
     */
    merged(id, traits) {
      const known = user.id();
      const same = id === undefined || known === null || String(id) === String(known);
      return same ? { ...user.traits(), ...traits } : { ...traits };
    },

    /** Forgets the visitor. */
    reset() {
      for (const key of [USER_ID, TRAITS, ANONYMOUS_ID, LAST_LEAD]) store.set(key, undefined);
    },
  };
  return user;
}
