import { reason } from './errors.mjs';

/** @typedef {import('../leads.mjs').FieldValue} FieldValue */

const DATE = /^\d{4}-\d\d-\d\d$/;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/;
const EMAIL = /^[!-?A-~]+@[!-?A-~]+$/;

/**
 * What Marketo keeps of a value for a field: null takes the value away.
 *
 * @param {import('../fields.mjs').Field} field
 * @param {unknown} value
 * @returns {{value: FieldValue | null} | {refused: import('./errors.mjs').Reason}}
 */
export function fieldValue(field, value) {
  if (value === null || value === '') return { value: null };
  const kept = typeof value === 'object' ? undefined : convert(field.dataType, value);
  if (kept === undefined) return { refused: reason(1001, JSON.stringify(value), field.dataType) };
  if (field.length !== undefined && isTooLong(field, String(kept))) {
    return { refused: { code: '1003', message: `Value for field '${field.name}' exceeds max length ${field.length}` } };
  }
  return { value: kept };
}

/**
 * Text areas are measured in bytes, all else in characters.
 *
 * @param {import('../fields.mjs').Field} field
 * @param {string} text
 */
function isTooLong({ dataType, length = Infinity }, text) {
  if (text.length * 3 <= length) return false;
  return (dataType === 'text' ? Buffer.byteLength(text) : [...text].length) > length;
}

/**
 * @param {string} dataType
 * @param {unknown} value
 * @returns {FieldValue | undefined} undefined if it is none of this type
 */
function convert(dataType, value) {
  const text = String(value);
  switch (dataType) {
    case 'integer':
    case 'score':
      return /^-?\d{1,10}$/.test(text) ? Number(text) : undefined;
    case 'float':
    case 'currency':
    case 'percent':
      return text.trim() !== '' && Number.isFinite(Number(text)) && typeof value !== 'boolean' ? Number(text) : undefined;
    case 'boolean':
      if (/^(true|1|yes)$/i.test(text)) return true;
      return /^(false|0|no)$/i.test(text) ? false : undefined;
    case 'date':
      return DATE.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;
    case 'datetime':
      return DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)) ? text : undefined;
    case 'email':
      return EMAIL.test(text) ? text : undefined;
    default:
      return text;
  }
}

/** @param {unknown} text */
export function isDateTime(text) {
  return typeof text === 'string' && DATE_TIME.test(text) && !Number.isNaN(Date.parse(text));
}
