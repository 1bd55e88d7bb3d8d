/**
 * The argument lists of analytics.js, in which the middle may be left out.
 *
 * Texts are category and name (a single one is the name), objects are properties and then
 * options, the function is the callback; null and undefined hold a place.
 */

/**
 * @typedef {Record<string, any>} Bag
 * @typedef {(result: any) => void} Callback
 * @typedef {[options: Bag, callback: Callback | undefined]} Common what every call may have
 * @typedef {[category: string | undefined, name: string | undefined, properties: Bag, ...common: Common]} PageArguments
 * @typedef {[event: string | undefined, properties: Bag, ...common: Common]} TrackArguments
 * @typedef {[userId: string | number | undefined, traits: Bag, ...common: Common]} IdentifyArguments
 */

/**
 * What a site's code may pass, as TypeScript checks it. Unions and no overloads: a site that wraps a call gets all of its
 * forms by Parameters<Analytics['track']>.
 * @typedef {Bag | null | undefined} Place an object, or what holds its place
 * @typedef {string | null | undefined} Text
 * @typedef {string | number} Id
 * @typedef {(result: import('./analytics.js').Result) => void} ResultCallback
 * @typedef {[bag?: Place, options?: Place, callback?: ResultCallback | null | undefined]
 *   | [bag: Place, callback: ResultCallback]
 *   | [callback: ResultCallback]} ObjectsAndCallback
 * @typedef {ObjectsAndCallback
 *   | [name: Text, ...rest: ObjectsAndCallback]
 *   | [category: Text, name: Text, ...rest: ObjectsAndCallback]} PageParameters
 * @typedef {[event: Id, ...rest: ObjectsAndCallback]} TrackParameters
 * @typedef {ObjectsAndCallback | [userId: Id | null | undefined, ...rest: ObjectsAndCallback]} IdentifyParameters
 * @typedef {[userId: Id, options?: Place, callback?: ResultCallback | null | undefined]
 *   | [userId: Id, previousId: Id | null | undefined, options?: Place, callback?: ResultCallback | null | undefined]
 *   | [userId: Id, previousId: Place | Id, callback: ResultCallback]
 *   | [userId: Id, callback: ResultCallback]} AliasParameters
 */

/** Functions are objects, too. @param {unknown} value @returns {value is Bag} */
const isObject = (value) => Object(value) === value;

/**
 * Empty texts, which forms like to pass, are none. A BigInt is one, though JSON cannot hold it: else the call would be
 * taken for one of the last visitor's.
 * @param {unknown} value @returns {value is string | number}
 */
const isId = (value) => value !== '' && /number|string|bigint/.test(typeof value);

/**
 * Splits the arguments behind the leading texts: up to two objects, each of which null may stand
 * for, then the callback.
 * @param {unknown[]} rest
 * @returns {[Bag, ...Common]}
 */
function objectsAndCallback(rest) {
  const callback = rest.find((value) => typeof value === 'function');
  const [first, second] = rest.filter((value) => typeof value !== 'function');
  return [
    isObject(first) ? first : {},
    isObject(second) ? second : {},
    /** @type {Callback | undefined} */ (callback),
  ];
}

/** @param {unknown[]} args @returns {PageArguments} */
export function pageArguments(args) {
  const first = [...args, {}].findIndex(isObject);
  const places = Math.min(first, 2);
  const [name, category] = args.slice(0, places).filter((value) => typeof value === 'string').reverse();
  // Places held by null between the texts and the objects: page(null, null, null, options).
  return [category, name, ...objectsAndCallback(args.slice(places))];
}

/** @param {unknown[]} args @returns {TrackArguments} */
export function trackArguments([event, ...rest]) {
  return [isId(event) ? String(event) : undefined, ...objectsAndCallback(rest)];
}

/** @param {unknown[]} args @returns {IdentifyArguments} */
export function identifyArguments(args) {
  const [first, ...rest] = args;
  return [isId(first) ? first : undefined, ...objectsAndCallback(isObject(first) ? args : rest)];
}
