import { answerFault, holdBack, isCarriedOut, takeCallFault } from '../call-faults.mjs';
import { answer, onceGone, readBody, RequestError } from '../http.mjs';
import { addActivities } from './activities.mjs';
import { reason, RestError, restError } from './errors.mjs';
import { findLeads, tokenOfCookie } from './find-leads.mjs';
import { keysOf, lookUpLeads, syncLeads } from './sync-leads.mjs';

/** @typedef {import('../http.mjs').Exchange} Exchange */

const JSON_TYPE = 'application/json;charset=UTF-8';

/**
 * One call of REST, read.
 *
 * @typedef {object} RestCall
 * @property {string} path
 * @property {string[]} match
 * @property {URLSearchParams} query   of the body too, for a POST with _method=GET
 * @property {string} contentType
 * @property {string} body
 * @property {import('../traffic.mjs').Call} call
 */

/**
 * What an operation does when its call arrives: it looks, notes which leads it holds, and returns what is to be changed
 * when the answer is due.
 *
 * @typedef {(call: RestCall) => () => object} Operation
 */

/**
 * Marketo's REST API, under the faults that a test has set.
 *
 * @param {object} options
 * @param {import('../leads.mjs').Leads} options.leads
 * @param {import('../fields.mjs').Fields} options.fields
 * @param {import('../traffic.mjs').TrafficControl} options.control
 * @param {import('./token.mjs').Tokens} options.tokens
 * @param {import('../faults.mjs').Faults} options.faults
 * @param {AbortSignal} options.closing  ends waiting answers when the simulator stops
 * @param {boolean} [options.keepBodies]
 * @returns {import('../http.mjs').Route[]}
 */
export function restRoutes({ leads, fields, control, tokens, faults, closing, keepBodies }) {
  const { traffic } = control;
  let requests = 0;

  /** @type {Record<string, Record<string, Operation>>} by the path's name, then by method */
  const operations = {
    '/rest/v1/leads.json': { GET: findOperation, POST: syncOperation },
    '/rest/v1/leads/describe.json': { GET: () => () => ({ result: [...fields.byName.values()].map(descriptionOf) }) },
    '/rest/v1/leads/{id}/associate.json': { POST: associateOperation },
    '/rest/v1/activities/external.json': { POST: activitiesOperation },
  };

  /** @type {Operation} */
  function findOperation({ query, call }) {
    const { records, ...found } = findLeads(query, { fields, leads });
    call.records = records;
    return () => found;
  }

  /** @type {Operation} */
  function syncOperation(request) {
    const sync = lookUpLeads(jsonOf(request), fields, leads);
    request.call.records = sync.records.length;
    control.hold(request.call, keysOf(sync));
    return () => ({ result: syncLeads(sync, { fields, leads, faults }) });
  }

  /** @type {Operation} */
  function associateOperation({ query, path, call }) {
    call.records = 1;
    const id = Number(path.split('/')[4]);
    control.hold(call, [[`Id:${id}`]]);
    const cookie = query.get('cookie');
    if (!cookie) throw restError(1002, 'cookie');
    const token = tokenOfCookie(cookie);
    const lead = leads.byId.get(id);
    if (!lead) throw restError(1004);
    const code = faults.records[lead.email.toLowerCase()];
    if (code !== undefined) throw restError(code);
    return () => {
      leads.tie(token, lead);
      return { result: [] };
    };
  }

  /** @type {Operation} */
  function activitiesOperation(request) {
    const body = jsonOf(request);
    request.call.records = Array.isArray(body.input) ? body.input.length : 0;
    return () => ({ result: addActivities(body, leads) });
  }

  /** @param {Exchange} exchange */
  async function serve(exchange) {
    const { request, response, match } = exchange;
    const name = match[0].replace(/\/\d+\//, '/{id}/');
    const isGet = exchange.query.get('_method') === 'GET' || isForm(request);
    const call = control.begin(isGet ? 'GET' : (request.method ?? ''), name);
    try {
      await carryOut(exchange, name, call);
    } catch (error) {
      control.end(call);
      if (!(error instanceof RequestError)) throw error;
      call.status = error.status;
      answer(response, error.status, 'text/html', `<html><body><h1>${error.message}</h1></body></html>`);
    }
  }

  /**
   * @param {Exchange} exchange
   * @param {string} name
   * @param {import('../traffic.mjs').Call} call
   */
  async function carryOut({ request, response, match, query }, name, call) {
    const { uriBytes, bodyBytes } = traffic.limits;
    if ((request.url ?? '').length > uriBytes) throw new RequestError(414, 'uri_too_long', 'Request-URI Too Long');
    const body = await readBody(request, bodyBytes);
    if (keepBodies) call.body = body;
    const contentType = request.headers['content-type'] ?? '';
    const parameters = isForm(request) ? new URLSearchParams([...query, ...new URLSearchParams(body)]) : query;
    const isDisguised = request.method === 'POST' && call.method === 'GET';
    if (isDisguised && parameters.get('_method') !== 'GET') call.method = 'POST';

    const chosen = faults.choose?.({ method: call.method, path: match[0], query: parameters, body });
    const fault = chosen ?? takeCallFault(faults.calls, { method: call.method, path: match[0], name });
    const operation = operations[name]?.[call.method];
    /** @type {(() => object) | RestError} */
    let change;
    try {
      if (!operations[name]) throw restError(610);
      if (!operation) throw restError(605);
      change = operation({ path: match[0], match, query: parameters, contentType, body, call });
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      change = error;
    }
    // Who may not call is told so first; that the call was looked at changes nothing.
    const refusal = fault?.code !== undefined ? restError(fault.code, ...limitsOf(String(fault.code))) : refusalOf(request, call);
    await holdBack(faults.callDelayMs + (fault?.delayMs ?? 0), closing);
    const body200 = answerOf(refusal, change, fault, call);
    const text = JSON.stringify({ requestId: nextRequestId(), ...body200 });
    if (fault?.answer === 'hang') onceGone(response, () => control.end(call));
    else control.end(call);
    if (fault && answerFault(response, fault, { type: JSON_TYPE, text })) {
      call.status = fault.answer === 'hang' || fault.answer === 'reset' ? 0 : (fault.status ?? 200);
      return;
    }
    call.status = 200;
    answer(response, 200, JSON_TYPE, text);
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('../traffic.mjs').Call} call
   * @returns {RestError | null}
   */
  function refusalOf(request, call) {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const code = tokens.check(token) ?? { concurrency: '615', rate: '606', quota: '607', '': null }[control.admit(call) ?? ''];
    return code === null ? null : restError(code, ...limitsOf(code));
  }

  /** @param {string} code */
  function limitsOf(code) {
    return code === '606' ? [traffic.limits.calls, traffic.limits.windowMs / 1000] : [];
  }

  /**
   * @param {RestError | null} refusal
   * @param {(() => object) | RestError} change
   * @param {import('../faults.mjs').CallFault | undefined} fault
   * @param {import('../traffic.mjs').Call} call
   */
  function answerOf(refusal, change, fault, call) {
    const done = typeof change === 'function' && isCarriedOut(fault) && (!refusal || fault?.carriedOut) ? change() : null;
    const error = refusal ?? (change instanceof RestError ? change : null);
    if (!error) return { ...done, success: true };
    call.code = error.reason.code;
    return { success: false, errors: [error.reason] };
  }

  function nextRequestId() {
    requests += 1;
    return `${(requests & 0xffff).toString(16).padStart(4, '0')}#${Date.now().toString(16)}`;
  }

  /** @param {Exchange} exchange */
  async function giveToken({ request, response, match, query }) {
    const parameters = new URLSearchParams([...query, ...new URLSearchParams(await readBody(request))]);
    control.count(request.method ?? '', match[0]);
    const fault = takeCallFault(faults.calls, { method: request.method ?? '', path: match[0] });
    await holdBack(fault?.delayMs ?? 0, closing);
    const { status, body } = tokens.ask(parameters);
    const text = JSON.stringify(fault?.code === undefined ? body : { success: false, errors: [reason(fault.code)] });
    if (fault && answerFault(response, fault, { type: JSON_TYPE, text })) return;
    answer(response, fault?.code === undefined ? status : 200, JSON_TYPE, text);
  }

  const identity = /^\/identity\/oauth\/token$/;
  return [
    { method: 'GET', path: identity, handle: giveToken },
    { method: 'POST', path: identity, handle: giveToken },
    { method: 'ANY', path: /^\/rest\/.*$/, handle: serve },
  ];
}

/** @param {import('node:http').IncomingMessage} request */
function isForm(request) {
  return /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '');
}

/**
 * @param {RestCall} call
 * @returns {any} an object
 */
function jsonOf({ contentType, body }) {
  if (!/^application\/json\b/i.test(contentType)) throw restError(612);
  try {
    const value = JSON.parse(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Refused below.
  }
  throw restError(609);
}

/** @param {import('../fields.mjs').Field} field */
function descriptionOf({ id, name, soapName, dataType, length, readOnly }) {
  return {
    id,
    displayName: soapName.replace(/([a-z])([A-Z])/g, '$1 $2'),
    dataType,
    ...(length === undefined || dataType === 'text' ? {} : { length }), // Marketo does not tell those of text areas
    rest: { name, readOnly },
    soap: { name: soapName, readOnly },
  };
}
