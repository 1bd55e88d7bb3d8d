/** Marketo's sentences; %s is filled in. */
/** @type {Readonly<Record<string, string>>} */
const MESSAGES = {
  502: 'Bad gateway',
  601: 'Access token invalid',
  602: 'Access token expired',
  603: 'Access denied',
  604: 'Request time-out',
  605: 'HTTP Method not supported',
  606: "Max rate limit '%s' exceeded with in '%s' secs",
  607: 'Daily quota reached',
  608: 'API Temporarily Unavailable',
  609: 'Invalid JSON',
  610: 'Requested resource not found',
  611: 'System error',
  612: 'Invalid Content Type',
  614: 'Invalid Subscription',
  615: 'Concurrent access limit reached',
  713: 'Transient Error',
  719: 'Lock wait timeout exception',
  1001: "Invalid value '%s'. Required of type '%s'",
  1002: "Missing value for the required parameter '%s'",
  1003: 'Invalid data',
  1004: 'Lead not found',
  1005: 'Lead already exists',
  1006: "Field '%s' not found",
  1007: 'Multiple lead match lookup criteria',
  1011: "Field '%s' not supported",
  1012: "Invalid cookie value '%s'",
  1021: 'Company update not allowed',
};

/**
 * @typedef {object} Reason
 * @property {string} code
 * @property {string} message
 */

/**
 * @param {number | string} code
 * @param {...unknown} values  for each %s of Marketo's sentence
 * @returns {Reason}
 */
export function reason(code, ...values) {
  const message = MESSAGES[code] ?? 'Error';
  return { code: String(code), message: message.replaceAll('%s', () => String(values.shift() ?? '')) };
}

/** The whole call is refused. */
export class RestError extends Error {
  /** @param {Reason} reason */
  constructor(reason) {
    super(reason.message);
    this.reason = reason;
  }
}

/**
 * @param {number | string} code
 * @param {...unknown} values
 * @returns {RestError}
 */
export function restError(code, ...values) {
  return new RestError(reason(code, ...values));
}
