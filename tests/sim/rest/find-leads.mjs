import { restError } from './errors.mjs';

/** @typedef {import('../leads.mjs').Lead} Lead */

const DEFAULT_FIELDS = 'id,email,firstName,lastName,createdAt,updatedAt';
const PAGE = 300;
const COOKIE = /^id:[^&]+&token:(.+)$/;

/**
 * GET /rest/v1/leads.json: the leads that have one of the values, each once, in the order of the values; of more
 * than a page can hold the first ones, and a token for the next.
 *
 * @param {URLSearchParams} query
 * @param {object} world
 * @param {import('../fields.mjs').Fields} world.fields
 * @param {import('../leads.mjs').Leads} world.leads
 * @returns {{result: object[], nextPageToken?: string, records: number}}
 */
export function findLeads(query, { fields, leads }) {
  const filterType = required(query, 'filterType');
  const values = required(query, 'filterValues').split(',').filter((value) => value !== '');
  if (values.length > 300) throw restError(1003);
  /** @type {(value: string) => Lead[]} */
  let find;
  if (filterType === 'cookies' || filterType === 'cookie') {
    find = (value) => {
      const lead = leads.ofToken(tokenOfCookie(value));
      return lead ? [lead] : [];
    };
  } else {
    const field = fields.byName.get(filterType);
    if (!field) throw restError(1006, filterType);
    if (!field.searchable) throw restError(1011, filterType);
    find = (value) => leads.find(field.soapName, value);
  }
  const all = [...new Set(values.flatMap(find))];
  const start = Number(query.get('nextPageToken') ?? 0);
  const end = start + PAGE;
  const names = (query.get('fields') || DEFAULT_FIELDS).split(',');
  for (const name of names) {
    if (name !== 'cookies' && !fields.byName.has(name)) throw restError(1006, name);
  }
  const result = all.slice(start, end).map((lead) => describe(lead, names, fields));
  return { result, ...(end < all.length && { nextPageToken: String(end) }), records: values.length };
}

/**
 * @param {string} cookie
 * @returns {string}
 */
export function tokenOfCookie(cookie) {
  const token = COOKIE.exec(cookie)?.[1];
  if (token === undefined) throw restError(1012, cookie);
  return token;
}

/**
 * @param {URLSearchParams} query
 * @param {string} name
 * @returns {string}
 */
function required(query, name) {
  const value = query.get(name);
  if (!value) throw restError(1002, name);
  return value;
}

/**
 * @param {Lead} lead
 * @param {string[]} names
 * @param {import('../fields.mjs').Fields} fields
 * @returns {Record<string, unknown>}
 */
function describe(lead, names, fields) {
  /** @type {Record<string, unknown>} */
  const described = { id: lead.id };
  for (const name of names) {
    if (name === 'id') continue;
    else if (name === 'cookies') described.cookies = lead.tokens.join(',');
    else if (name === 'createdAt' || name === 'updatedAt') described[name] = lead[name];
    else described[name] = lead.fields[fields.byName.get(name)?.soapName ?? ''] ?? null;
  }
  return described;
}
