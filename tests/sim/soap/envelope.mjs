import { createHmac, timingSafeEqual } from 'node:crypto';
import { SoapFault } from './faults.mjs';
import { encode, parseXml, XmlError } from './xml.mjs';

/** @typedef {import('./xml.mjs').Element} Element */

const ENVELOPE = 'http://schemas.xmlsoap.org/soap/envelope/';
const MKTOWS = 'http://www.marketo.com/mktows/';
const W3C_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const SIGNATURE_LIFE_MS = 600_000;

/**
 * @param {string} text
 * @returns {{authentication: Element | undefined, operation: Element}}
 */
export function readEnvelope(text) {
  let envelope;
  try {
    envelope = parseXml(text);
  } catch (error) {
    if (error instanceof XmlError) throw new SoapFault(20012, error.message);
    throw error;
  }
  const isEnvelope = envelope.name === 'Envelope' && envelope.namespace === ENVELOPE;
  const header = envelope.children.find(({ name, namespace }) => name === 'Header' && namespace === ENVELOPE);
  const body = envelope.children.find(({ name, namespace }) => name === 'Body' && namespace === ENVELOPE);
  if (!isEnvelope || body?.children.length !== 1) throw new SoapFault(20012);
  const authentication = header?.children.find(({ name, namespace }) => name === 'AuthenticationHeader' && namespace === MKTOWS);
  const [operation] = body.children;
  if (operation.namespace !== MKTOWS) throw new SoapFault(20012);
  return { authentication, operation };
}

/**
 * @param {Element | undefined} authentication
 * @param {{id: string, key: string} | undefined} user  without one nobody is let in
 * @param {number} now
 */
export function checkAuthentication(authentication, user, now) {
  const [userId, signature, timestamp] = ['mktowsUserId', 'requestSignature', 'requestTimestamp'].map((name) => textOf(authentication, name));
  if (!user || userId !== user.id || !W3C_TIME.test(timestamp)) throw new SoapFault(20014);
  const expected = createHmac('sha1', user.key).update(timestamp).update(userId).digest('hex');
  const isRight = signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
  if (!isRight) throw new SoapFault(20014);
  if (!(Math.abs(Date.parse(timestamp) - now) <= SIGNATURE_LIFE_MS)) throw new SoapFault(20016);
}

/**
 * A child by its name. In Marketo's schema it has no namespace; gateways also take Marketo's.
 *
 * @param {Element | undefined} parent
 * @param {string} name
 * @returns {Element | undefined}
 */
export function childOf(parent, name) {
  return parent?.children.find((child) => child.name === name && (child.namespace === '' || child.namespace === MKTOWS));
}

/**
 * @param {Element | undefined} parent
 * @param {string} name
 * @returns {string} empty if there is none
 */
export function textOf(parent, name) {
  return childOf(parent, name)?.text ?? '';
}

/**
 * @param {{lead: import('../leads.mjs').Lead, status: 'CREATED' | 'UPDATED', returnLead: boolean}} result
 * @returns {string}
 */
export function successXml({ lead, status, returnLead }) {
  const record = returnLead ? `<leadRecord>${recordXml(lead)}</leadRecord>` : '<leadRecord xsi:nil="true"/>';
  return `<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="${ENVELOPE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:ns1="${MKTOWS}">\
<SOAP-ENV:Body><ns1:successSyncLead><result><leadId>${lead.id}</leadId>\
<syncStatus><leadId>${lead.id}</leadId><status>${status}</status><error xsi:nil="true"/></syncStatus>\
${record}</result></ns1:successSyncLead></SOAP-ENV:Body></SOAP-ENV:Envelope>
`;
}

/** @param {import('../leads.mjs').Lead} lead */
function recordXml(lead) {
  const [type, id] = lead.foreignId.split(/:(.*)/s);
  const attributes = Object.entries(lead.fields)
    .filter(([name]) => name !== 'Email')
    .map(([name, value]) => `<attribute><attrName>${encode(name)}</attrName><attrValue>${encode(value)}</attrValue></attribute>`);
  return `<Id>${lead.id}</Id><Email>${encode(lead.email)}</Email>\
<ForeignSysPersonId>${encode(id ?? '')}</ForeignSysPersonId><ForeignSysType>${encode(type)}</ForeignSysType>\
<leadAttributeList>${attributes.join('')}</leadAttributeList>`;
}
