import { reason, RestError, restError } from './errors.mjs';
import { fieldValue } from './values.mjs';

/** @typedef {import('../leads.mjs').Lead} Lead */
/** @typedef {import('../leads.mjs').FieldValue} FieldValue */
/** @typedef {import('../fields.mjs').Field} Field */

/** @typedef {{id?: number, status: 'created' | 'updated' | 'skipped', reasons?: import('./errors.mjs').Reason[]}} SyncResult */

const ACTIONS = ['createOrUpdate', 'createOnly', 'updateOnly', 'createDuplicate'];

/**
 * The whole call, checked.
 *
 * @typedef {object} SyncCall
 * @property {string} action
 * @property {Field} lookup
 * @property {Record<string, unknown>[]} records
 * @property {Lead[][]} matches  the leads that each record's key finds when the call arrives
 */

/**
 * POST /rest/v1/leads.json, up to the lookups.
 *
 * @param {any} body
 * @param {import('../fields.mjs').Fields} fields
 * @param {import('../leads.mjs').Leads} leads
 * @returns {SyncCall}
 */
export function lookUpLeads(body, fields, leads) {
  const { action = 'createOrUpdate', lookupField = 'email' } = body;
  if (!ACTIONS.includes(action)) throw restError(1001, action, 'action');
  const lookup = fields.byName.get(lookupField);
  if (!lookup) throw restError(1006, lookupField);
  if (!lookup.searchable) throw restError(1011, lookupField);
  const records = inputOf(body);
  const matches = records.map((record) => (hasKey(record, lookup) ? leads.find(lookup.soapName, record[lookup.name]) : []));
  return { action, lookup, records, matches };
}

/**
 * @param {any} body
 * @returns {any[]} 1 to 300 records
 */
export function inputOf(body) {
  if (!Array.isArray(body.input) || body.input.length === 0) throw restError(1002, 'input');
  if (body.input.length > 300) throw new RestError({ code: '1003', message: 'Invalid data: the limit is 300 records' });
  return body.input;
}

/**
 * By what each record's lead is known, for telling which calls hold it.
 *
 * @param {SyncCall} call
 * @returns {string[][]}
 */
export function keysOf({ lookup, records, matches }) {
  return records.map((record, index) => [
    ...(hasKey(record, lookup) ? [`${lookup.soapName}:${String(record[lookup.name]).toLowerCase()}`] : []),
    ...matches[index].map((lead) => `Id:${lead.id}`),
  ]);
}

/**
 * Carries the call out. Two calls that look for the same new lead at the same time both make it: so it happens in
 * Marketo.
 *
 * @param {SyncCall} call
 * @param {object} world
 * @param {import('../fields.mjs').Fields} world.fields
 * @param {import('../leads.mjs').Leads} world.leads
 * @param {import('../faults.mjs').Faults} world.faults
 * @returns {SyncResult[]}
 */
export function syncLeads({ action, lookup, records, matches }, { fields, leads, faults }) {
  /** @type {Map<string, Lead>} by key: what this call has made is there for its later records */
  const made = new Map();

  /**
   * @param {Record<string, unknown>} record
   * @param {Lead[]} found
   * @returns {SyncResult}
   */
  function sync(record, found) {
    const checked = checkRecord(record, { action, lookup, fields, faults });
    if ('refused' in checked) return skipped(checked.refused);
    const key = String(record[lookup.name] ?? '').toLowerCase();
    const earlier = made.get(key);
    const existing = action === 'createDuplicate' ? [] : earlier ? [earlier] : found;
    if (existing.length > 1) return skipped(reason(1007));
    if (existing.length === 1 && action === 'createOnly') return skipped(reason(1005));
    if (existing.length === 0 && (action === 'updateOnly' || lookup.name === 'id')) return skipped(reason(1004));
    const lead = existing[0] ?? leads.create();
    leads.write(lead, checked.values);
    if (existing.length === 0) made.set(key, lead);
    return { id: lead.id, status: existing.length === 0 ? 'created' : 'updated' };
  }

  return records.map((record, index) => sync(record, matches[index]));
}

/**
 * @param {Record<string, unknown>} record
 * @param {object} call
 * @param {string} call.action
 * @param {Field} call.lookup
 * @param {import('../fields.mjs').Fields} call.fields
 * @param {import('../faults.mjs').Faults} call.faults
 * @returns {{values: Record<string, FieldValue | null>} | {refused: import('./errors.mjs').Reason}}
 */
function checkRecord(record, { action, lookup, fields, faults }) {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return { refused: reason(1003) };
  const code = typeof record.email === 'string' ? faults.records[record.email.toLowerCase()] : undefined;
  if (code !== undefined) return { refused: reason(code) };
  if (!hasKey(record, lookup)) return { refused: missing(lookup.name) };
  if (action === 'createOnly' && lookup.name === 'id') return { refused: reason(1003) };
  /** @type {Record<string, FieldValue | null>} */
  const values = {};
  for (const [name, value] of Object.entries(record)) {
    if (name === 'id' && lookup.name === 'id') continue;
    const field = fields.byName.get(name);
    if (!field) return { refused: reason(1006, name) };
    if (field.readOnly) return { refused: { code: '1003', message: `Invalid data: field '${name}' is read only` } };
    const checked = fieldValue(field, value);
    if ('refused' in checked) return checked;
    values[field.soapName] = checked.value;
  }
  return { values };
}

/** @param {string} name @returns {import('./errors.mjs').Reason} */
function missing(name) {
  return { code: '1003', message: `Invalid data: value for lookup field '${name}' not found` };
}

/** @param {import('./errors.mjs').Reason} why @returns {SyncResult} */
function skipped(why) {
  return { status: 'skipped', reasons: [why] };
}

/**
 * @param {any} record
 * @param {Field} lookup
 */
function hasKey(record, lookup) {
  const value = record?.[lookup.name];
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}
