import { fieldValue } from '../rest/values.mjs';
import { childOf, textOf } from './envelope.mjs';
import { SoapFault } from './faults.mjs';

/** @typedef {import('../leads.mjs').Lead} Lead */
/** @typedef {import('../leads.mjs').FieldValue} FieldValue */

/**
 * A syncLead, looked up: by Marketo's id, else the foreign id, else the cookie, else the e-mail address.
 *
 * @typedef {object} LeadSync
 * @property {Lead | undefined} found
 * @property {string[]} keys       by which its lead is known
 * @property {string} foreignId
 * @property {string} token        of the cookie
 * @property {Record<string, FieldValue | null>} values  by SOAP name
 * @property {boolean} returnLead
 */

const FOREIGN_TYPES = ['CUSTOM', 'SFDC', 'NETSUITE'];

/**
 * @param {import('./xml.mjs').Element} parameters
 * @param {object} world
 * @param {import('../fields.mjs').Fields} world.fields
 * @param {import('../leads.mjs').Leads} world.leads
 * @param {import('../faults.mjs').Faults} world.faults
 * @returns {LeadSync}
 */
export function lookUpLead(parameters, { fields, leads, faults }) {
  const record = childOf(parameters, 'leadRecord');
  if (!record) throw new SoapFault(20104);
  const id = textOf(record, 'Id');
  const email = textOf(record, 'Email');
  const foreignId = foreignIdOf(record);
  const token = tokenOf(textOf(parameters, 'marketoCookie'));
  if (!id && !email && !foreignId && !token) throw new SoapFault(20101);
  const code = faults.records[email.toLowerCase()];
  if (code !== undefined) throw new SoapFault(code);
  if (id && !leads.byId.has(Number(id))) throw new SoapFault(20103, `No lead found with IDNUM = ${id}`);
  const found =
    leads.byId.get(Number(id)) ??
    leads.ofForeignId(foreignId) ??
    leads.ofToken(token) ??
    leads.byEmail.get(email.toLowerCase());
  const values = valuesOf(record, email, fields);
  const given = { Id: id, ForeignSysPersonId: foreignId, Cookie: token, Email: email.toLowerCase() };
  const keys = Object.entries(given).filter(([, value]) => value !== '').map(([name, value]) => `${name}:${value}`);
  if (found) keys.push(`Id:${found.id}`);
  return { found, keys, foreignId, token, values, returnLead: textOf(parameters, 'returnLead') === 'true' };
}

/**
 * @param {LeadSync} sync
 * @param {import('../leads.mjs').Leads} leads
 * @returns {{lead: Lead, status: 'CREATED' | 'UPDATED', returnLead: boolean}}
 */
export function syncLead({ found, foreignId, token, values, returnLead }, leads) {
  const lead = found ?? leads.create();
  leads.write(lead, values);
  if (foreignId) leads.setForeignId(lead, foreignId);
  if (token) leads.tie(token, lead);
  return { lead, status: found ? 'UPDATED' : 'CREATED', returnLead };
}

/** @param {import('./xml.mjs').Element} record */
function foreignIdOf(record) {
  const id = textOf(record, 'ForeignSysPersonId');
  if (!id) return '';
  const type = textOf(record, 'ForeignSysType') || 'CUSTOM';
  if (!FOREIGN_TYPES.includes(type)) throw new SoapFault(20110, `ForeignSysType must be one of ${FOREIGN_TYPES.join(', ')}`);
  return `${type}:${id}`;
}

/** @param {string} cookie */
function tokenOf(cookie) {
  if (!cookie) return '';
  const token = /^id:[^&]+&token:(.+)$/.exec(cookie)?.[1];
  if (!token) throw new SoapFault(20110, 'marketoCookie is no cookie of Munchkin');
  return token;
}

/**
 * @param {import('./xml.mjs').Element} record
 * @param {string} email
 * @param {import('../fields.mjs').Fields} fields
 */
function valuesOf(record, email, fields) {
  /** @type {Record<string, FieldValue | null>} */
  const values = {};
  const attributes = childOf(record, 'leadAttributeList')?.children ?? [];
  const given = attributes.map((attribute) => [textOf(attribute, 'attrName'), textOf(attribute, 'attrValue')]);
  for (const [name, value] of [...given, ...(email ? [['Email', email]] : [])]) {
    const field = fields.bySoapName.get(name);
    if (!field || field.readOnly) throw new SoapFault(20105, `Lead attribute ${name} is ${field ? 'read only' : 'unknown'}`);
    const checked = fieldValue(field, value);
    if ('refused' in checked) throw new SoapFault(20105, checked.refused.message);
    values[name] = checked.value;
  }
  return values;
}
