/**
 * @typedef {object} FieldOptions
 * @property {string} name          in REST, such as favoriteColor__c; a standard field's name replaces that field
 * @property {string} [soapName]    in SOAP and Munchkin; the name with a capital by default
 * @property {string} [dataType]    string by default; see DATA_TYPES
 * @property {number} [length]      in characters; 255 by default for string
 * @property {boolean} [readOnly]
 * @property {boolean} [searchable] whether leads can be looked up by it; by default if the type can be
 */

/**
 * @typedef {object} Field
 * @property {number} id
 * @property {string} name
 * @property {string} soapName
 * @property {string} dataType
 * @property {number} [length]
 * @property {boolean} readOnly
 * @property {boolean} searchable
 */

/**
 * @typedef {object} Fields
 * @property {Map<string, Field>} byName      by REST name
 * @property {Map<string, Field>} bySoapName
 */

export const DATA_TYPES = [
  'string', 'text', 'email', 'phone', 'url', 'integer', 'score', 'float', 'currency', 'percent', 'boolean', 'date', 'datetime',
];

/** @type {Readonly<Record<string, number>>} */
const LENGTHS = { string: 255, text: 30_000, email: 255, phone: 255, url: 255 };

/** @type {FieldOptions[]} */
const STANDARD = [
  { name: 'id', dataType: 'integer', readOnly: true, searchable: true },
  { name: 'email', dataType: 'email', searchable: true },
  { name: 'firstName' },
  { name: 'middleName' },
  { name: 'lastName' },
  { name: 'company' },
  { name: 'phone', dataType: 'phone' },
  { name: 'mobilePhone', dataType: 'phone' },
  { name: 'title' },
  { name: 'address', dataType: 'text' },
  { name: 'city' },
  { name: 'state' },
  { name: 'country' },
  { name: 'postalCode' },
  { name: 'dateOfBirth', soapName: 'DateofBirth', dataType: 'date' },
  { name: 'industry' },
  { name: 'numberOfEmployees', dataType: 'integer' },
  { name: 'annualRevenue', dataType: 'currency' },
  { name: 'website', dataType: 'url' },
  { name: 'leadScore', dataType: 'score' },
  { name: 'unsubscribed', dataType: 'boolean' },
  { name: 'createdAt', dataType: 'datetime', readOnly: true },
  { name: 'updatedAt', dataType: 'datetime', readOnly: true },
];

/**
 * The fields that leads have.
 *
 * @param {FieldOptions[]} custom  beside the standard ones
 * @returns {Fields}
 */
export function createFields(custom) {
  /** @type {Map<string, Field>} */
  const byName = new Map();
  for (const options of STANDARD) byName.set(options.name, describe(options, byName.size + 1, false));
  for (const options of custom) {
    const known = byName.get(options.name);
    const base = known && { soapName: known.soapName, dataType: known.dataType, length: known.length, searchable: known.searchable };
    byName.set(options.name, describe({ ...base, ...options }, known?.id ?? 1000 + byName.size, !known));
  }
  const bySoapName = new Map([...byName.values()].map((field) => [field.soapName, field]));
  return { byName, bySoapName };
}

/**
 * @param {FieldOptions} options
 * @param {number} id
 * @param {boolean} isCustom
 * @returns {Field}
 */
function describe({ name, soapName, dataType = 'string', length, readOnly = false, searchable }, id, isCustom) {
  if (!/^[A-Za-z]\w*$/.test(name)) throw new TypeError(`"${name}" cannot be the name of a field.`);
  if (!DATA_TYPES.includes(dataType)) {
    throw new TypeError(`The type of ${name} must be one of ${DATA_TYPES.join(', ')}, not "${dataType}".`);
  }
  return {
    id,
    name,
    soapName: soapName ?? name[0].toUpperCase() + name.slice(1),
    dataType,
    length: length ?? LENGTHS[dataType],
    readOnly,
    searchable: searchable ?? (isCustom && ['string', 'email', 'integer'].includes(dataType)),
  };
}
