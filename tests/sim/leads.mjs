/**
 * @typedef {object} Lead
 * @property {string} email
 * @property {Record<string, string>} fields  by Marketo field name; a later value replaces an earlier one
 * @property {string[]} tokens                of the cookies whose visits belong to this lead
 */

/**
 * Ties the visitor of an associateLead to the lead it names, as Marketo does: only when the signature is right. A form
 * that was submitted needs none.
 *
 * @param {Map<string, Lead>} leads  by e-mail address in lower case, since Marketo compares addresses without case
 * @param {Pick<import('./web-event.mjs').WebEvent, 'type' | 'signature' | 'leadFields' | 'token'>} event
 */
export function rememberLead(leads, { type, signature, leadFields, token }) {
  const isProven = type === 'formSubmit' || (type === 'associateLead' && signature === 'valid');
  if (!isProven || !leadFields.Email) return;
  const key = leadFields.Email.toLowerCase();
  const lead = leads.get(key) ?? { email: leadFields.Email, fields: {}, tokens: [] };
  leads.set(key, lead);
  Object.assign(lead.fields, leadFields);
  if (!token) return;
  // A cookie belongs to one lead at a time; the last one named has it.
  for (const other of leads.values()) other.tokens = other.tokens.filter((known) => known !== token);
  lead.tokens.push(token);
}
