/**
 * The argument lists of analytics.js, in which the middle may be left out.
 *
 * Texts are category and name (a single one is the name), objects are properties and then
 * options, the function is the callback; null and undefined hold a place.
 */

/**
 * @typedef {Record<string, any>} Bag
 * @typedef {(result: any) => void} Callback
 * @typedef {{category?: string, name?: string, properties: Bag, options: Bag, callback?: Callback}} PageArguments
 * @typedef {{event?: string, properties: Bag, options: Bag, callback?: Callback}} TrackArguments
 * @typedef {{userId?: string | number, traits: Bag, options: Bag, callback?: Callback}} IdentifyArguments
 */

/** Functions are objects, too. @param {unknown} value @returns {value is Bag} */
const isObject = (value) => Object(value) === value;

/**
 * Empty texts, which forms like to pass, are none. A BigInt is one, though JSON cannot hold it: else the call would be
 * taken for one of the last visitor's.
 * @param {unknown} value @returns {value is string | number}
 */
const isId = (value) => (typeof value === 'string' && value !== '') || typeof value === 'number' || typeof value === 'bigint';

/**
 * Splits the arguments behind the leading texts: up to two objects, each of which null may stand
 * for, then the callback.
 * @param {unknown[]} rest
 * @returns {[Bag, Bag, Callback | undefined]}
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
  const [properties, options, callback] = objectsAndCallback(args.slice(places));
  return { category, name, properties, options, callback };
}

/** @param {unknown[]} args @returns {TrackArguments} */
export function trackArguments([event, ...rest]) {
  const [properties, options, callback] = objectsAndCallback(rest);
  return { event: isId(event) ? String(event) : undefined, properties, options, callback };
}

/** @param {unknown[]} args @returns {IdentifyArguments} */
export function identifyArguments(args) {
  const hasPlaceForId = !isObject(args[0]);
  const [traits, options, callback] = objectsAndCallback(hasPlaceForId ? args.slice(1) : args);
  return { userId: isId(args[0]) ? args[0] : undefined, traits, options, callback };
}
