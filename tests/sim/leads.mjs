/** @typedef {import('./web-event.mjs').WebEvent} WebEvent */

/** @typedef {string | number | boolean} FieldValue */

/**
 * @typedef {object} Lead
 * @property {number} id
 * @property {string} email                   empty if it has none
 * @property {string} foreignId               SOAP's ForeignSysType:ForeignSysPersonId; empty if it has none
 * @property {Record<string, FieldValue>} fields  by Marketo's SOAP name; a later value replaces an earlier one
 * @property {string[]} tokens                of the cookies that are tied to this lead
 * @property {WebEvent[]} visits              and clicks: those of its cookies, from before they were tied, too
 * @property {Activity[]} activities          custom ones
 * @property {string} createdAt               ISO 8601
 * @property {string} updatedAt
 */

/**
 * @typedef {object} Activity
 * @property {number} id
 * @property {number} leadId
 * @property {string} activityDate
 * @property {number} activityTypeId
 * @property {FieldValue} primaryAttributeValue
 * @property {{apiName: string, value: FieldValue}[]} attributes
 */

/**
 * What Marketo knows of people. All that it takes or finds costs the same, however many there are.
 *
 * @typedef {object} Leads
 * @property {Map<string, Lead>} byEmail  in lower case, since Marketo compares addresses without case; of several leads
 *   with one address, the oldest
 * @property {Map<number, Lead>} byId
 * @property {() => Lead} create
 * @property {(lead: Lead, fields: Record<string, FieldValue | null>) => void} write  null takes a field away
 * @property {(soapName: string, value: unknown) => Lead[]} find
 * @property {(lead: Lead, foreignId: string) => void} setForeignId
 * @property {(foreignId: string) => Lead | undefined} ofForeignId
 * @property {(token: string) => Lead | undefined} ofToken
 * @property {(token: string, lead: Lead) => void} tie  a cookie belongs to one lead at a time; the last one named has it
 * @property {(event: WebEvent) => void} remember
 * @property {(lead: Lead, activity: Omit<Activity, 'id'>) => Activity} addActivity
 * @property {() => void} clear
 */

/**
 * @param {import('./clock.mjs').Clock} clock
 * @returns {Leads}
 */
export function createLeads(clock) {
  /** @type {Map<string, Lead>} */
  const byEmail = new Map();
  /** @type {Map<number, Lead>} */
  const byId = new Map();
  /** @type {Map<string, Lead>} */
  const byForeignId = new Map();
  /** @type {Map<string, Lead>} */
  const byToken = new Map();
  /** @type {Map<string, WebEvent[]>} by token */
  const anonymousVisits = new Map();
  /** @type {Map<string, Map<string, Set<Lead>>>} by SOAP name, then by value; made when first asked for */
  const indexes = new Map();
  let lastActivity = 0;

  function create() {
    const now = new Date(clock.now()).toISOString();
    /** @type {Lead} */
    const lead = {
      id: byId.size + 1,
      email: '',
      foreignId: '',
      fields: {},
      tokens: [],
      visits: [],
      activities: [],
      createdAt: now,
      updatedAt: now,
    };
    byId.set(lead.id, lead);
    return lead;
  }

  /** @type {Leads['write']} */
  function write(lead, fields) {
    for (const [name, value] of Object.entries(fields)) {
      const index = indexes.get(name);
      if (index) unlist(index, lead, lead.fields[name]);
      if (value === null) delete lead.fields[name];
      else lead.fields[name] = value;
      if (index) list(index, lead, value);
      if (name === 'Email') setEmail(lead, String(value ?? ''));
    }
    lead.updatedAt = new Date(clock.now()).toISOString();
  }

  /**
   * @param {Lead} lead
   * @param {string} email
   */
  function setEmail(lead, email) {
    const [before, now] = [keyOf(lead.email), keyOf(email)];
    if (before === now) return;
    lead.email = email;
    if (byEmail.get(before) === lead) {
      const [next] = find('Email', before);
      if (next) byEmail.set(before, next);
      else byEmail.delete(before);
    }
    if (now && !byEmail.has(now)) byEmail.set(now, lead);
  }

  /** @type {Leads['find']} */
  function find(soapName, value) {
    if (soapName === 'Id') {
      const lead = byId.get(Number(value));
      return lead ? [lead] : [];
    }
    let index = indexes.get(soapName);
    if (!index) {
      index = new Map();
      for (const lead of byId.values()) list(index, lead, lead.fields[soapName]);
      indexes.set(soapName, index);
    }
    return [...(index.get(keyOf(value)) ?? [])];
  }

  /** @type {Leads['setForeignId']} */
  function setForeignId(lead, foreignId) {
    byForeignId.delete(lead.foreignId);
    lead.foreignId = foreignId;
    byForeignId.set(foreignId, lead);
  }

  /** @type {Leads['tie']} */
  function tie(token, lead) {
    const owner = byToken.get(token);
    if (owner === lead) return;
    if (owner) owner.tokens = owner.tokens.filter((known) => known !== token);
    byToken.set(token, lead);
    lead.tokens.push(token);
    const visits = anonymousVisits.get(token);
    if (!visits) return;
    // What another lead's visits were stay that lead's.
    anonymousVisits.delete(token);
    lead.visits.push(...visits);
    lead.visits.sort((one, other) => one.number - other.number);
  }

  /** @type {Leads['remember']} */
  function remember(event) {
    if (event.type === 'visitWebPage' || event.type === 'clickLink') rememberVisit(event);
    else rememberLead(event);
  }

  /** @param {WebEvent} event */
  function rememberVisit(event) {
    if (!event.token) return;
    const visits = byToken.get(event.token)?.visits ?? anonymousVisits.get(event.token);
    if (visits) visits.push(event);
    else anonymousVisits.set(event.token, [event]);
  }

  /**
   * Ties the visitor of an associateLead to the lead it names, as Marketo does: only when the signature is right. A form
   * that was submitted needs none.
   *
   * @param {WebEvent} event
   */
  function rememberLead({ type, signature, leadFields, token }) {
    const isProven = type === 'formSubmit' || (type === 'associateLead' && signature === 'valid');
    if (!isProven || !leadFields.Email) return;
    const lead = byEmail.get(keyOf(leadFields.Email)) ?? create();
    write(lead, leadFields);
    if (token) tie(token, lead);
  }

  /** @type {Leads['addActivity']} */
  function addActivity(lead, activity) {
    const added = { id: ++lastActivity, ...activity };
    lead.activities.push(added);
    return added;
  }

  function clear() {
    for (const map of [byEmail, byId, byForeignId, byToken, anonymousVisits, indexes]) map.clear();
    lastActivity = 0;
  }

  return {
    byEmail,
    byId,
    create,
    write,
    find,
    setForeignId,
    ofForeignId: (foreignId) => byForeignId.get(foreignId),
    ofToken: (token) => byToken.get(token),
    tie,
    remember,
    addActivity,
    clear,
  };
}

/** @param {unknown} value */
function keyOf(value) {
  return String(value ?? '').toLowerCase();
}

/**
 * @param {Map<string, Set<Lead>>} index
 * @param {Lead} lead
 * @param {unknown} value
 */
function list(index, lead, value) {
  const key = keyOf(value);
  if (key === '') return;
  const leads = index.get(key);
  if (leads) leads.add(lead);
  else index.set(key, new Set([lead]));
}

/**
 * @param {Map<string, Set<Lead>>} index
 * @param {Lead} lead
 * @param {unknown} value
 */
function unlist(index, lead, value) {
  const key = keyOf(value);
  const leads = index.get(key);
  leads?.delete(lead);
  if (leads?.size === 0) index.delete(key);
}
