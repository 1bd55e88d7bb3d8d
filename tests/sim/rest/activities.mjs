import { reason } from './errors.mjs';
import { inputOf } from './sync-leads.mjs';
import { isDateTime } from './values.mjs';

/** @typedef {{id?: number, status: 'added' | 'skipped', reasons?: import('./errors.mjs').Reason[]}} ActivityResult */

/**
 * POST /rest/v1/activities/external.json.
 *
 * @param {any} body
 * @param {import('../leads.mjs').Leads} leads
 * @returns {ActivityResult[]}
 */
export function addActivities(body, leads) {
  return inputOf(body).map((record) => {
    const refused = check(record);
    if (refused) return { status: 'skipped', reasons: [refused] };
    const lead = leads.byId.get(record.leadId);
    if (!lead) return { status: 'skipped', reasons: [reason(1004)] };
    const { leadId, activityDate, activityTypeId, primaryAttributeValue, attributes = [] } = record;
    const { id } = leads.addActivity(lead, { leadId, activityDate, activityTypeId, primaryAttributeValue, attributes });
    return { id, status: 'added' };
  });
}

/**
 * @param {any} record
 * @returns {import('./errors.mjs').Reason | null}
 */
function check(record) {
  if (typeof record !== 'object' || record === null) return reason(1003);
  for (const name of ['leadId', 'activityDate', 'activityTypeId', 'primaryAttributeValue']) {
    if (record[name] === undefined || record[name] === null || record[name] === '') return reason(1002, name);
  }
  for (const name of ['leadId', 'activityTypeId']) {
    if (!Number.isInteger(record[name])) return reason(1001, record[name], 'integer');
  }
  if (!isDateTime(record.activityDate)) return reason(1001, record.activityDate, 'datetime');
  const { attributes = [] } = record;
  const isList = Array.isArray(attributes) && attributes.every((/** @type {any} */ attribute) => {
    return typeof attribute?.apiName === 'string' && ['string', 'number', 'boolean'].includes(typeof attribute.value);
  });
  return isList ? null : reason(1001, JSON.stringify(attributes), 'attributes');
}
