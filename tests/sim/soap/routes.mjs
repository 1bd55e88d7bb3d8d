import { answerFault, holdBack, isCarriedOut, takeCallFault } from '../call-faults.mjs';
import { answer, onceGone, readBody, RequestError } from '../http.mjs';
import { checkAuthentication, readEnvelope, successXml } from './envelope.mjs';
import { faultXml, SoapFault } from './faults.mjs';
import { lookUpLead, syncLead } from './sync-lead.mjs';

/** @typedef {import('./sync-lead.mjs').LeadSync} LeadSync */

const XML_TYPE = 'text/xml; charset=utf-8';
const REFUSED = { concurrency: 20024, rate: 20023, quota: 20015 };

/**
 * Marketo's SOAP API as it was, as far as syncLead goes.
 *
 * @param {object} options
 * @param {{id: string, key: string} | undefined} options.user  the one API user that there is, with the encryption key
 * @param {import('../leads.mjs').Leads} options.leads
 * @param {import('../fields.mjs').Fields} options.fields
 * @param {import('../traffic.mjs').TrafficControl} options.control
 * @param {import('../clock.mjs').Clock} options.clock
 * @param {import('../faults.mjs').Faults} options.faults
 * @param {AbortSignal} options.closing  ends waiting answers when the simulator stops
 * @returns {{routes: import('../http.mjs').Route[], clear: () => void}}
 */
export function soapRoutes({ user, leads, fields, control, clock, faults, closing }) {
  /** @type {Map<import('../leads.mjs').Lead, number>} when each was last synced */
  const syncs = new Map();

  /** @param {import('../http.mjs').Exchange} exchange */
  async function serve({ request, response, match }) {
    const [path] = match;
    const call = control.begin('POST', path);
    try {
      await carryOut(request, response, path, call);
    } catch (error) {
      control.end(call);
      if (error instanceof RequestError) call.status = error.status;
      throw error;
    }
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   * @param {string} path
   * @param {import('../traffic.mjs').Call} call
   */
  async function carryOut(request, response, path, call) {
    const body = await readBody(request, control.traffic.limits.bodyBytes);
    const fault = takeCallFault(faults.calls, { method: 'POST', path, name: path });
    /** @type {LeadSync | SoapFault} */
    let sync = caught(() => lookUp(body, call));
    // A fault on demand comes in place of what would be said.
    if (fault?.code !== undefined && !(fault.carriedOut && !(sync instanceof SoapFault))) sync = new SoapFault(fault.code);
    await holdBack(faults.callDelayMs + (fault?.delayMs ?? 0), closing);
    /** @type {string | SoapFault} */
    let text = sync instanceof SoapFault || !isCarriedOut(fault) ? '' : caught(() => change(/** @type {LeadSync} */ (sync)));
    if (sync instanceof SoapFault) text = sync;
    else if (fault?.code !== undefined) text = new SoapFault(fault.code);
    call.code = text instanceof SoapFault ? text.code : '';
    call.status = text instanceof SoapFault ? 500 : 200;
    const xml = text instanceof SoapFault ? faultXml(text) : text;
    if (fault?.answer === 'hang') onceGone(response, () => control.end(call));
    else control.end(call);
    if (fault && answerFault(response, fault, { type: XML_TYPE, text: xml })) {
      call.status = fault.answer === 'hang' || fault.answer === 'reset' ? 0 : (fault.status ?? 200);
      return;
    }
    answer(response, call.status, XML_TYPE, xml);
  }

  /**
   * @param {string} body
   * @param {import('../traffic.mjs').Call} call
   * @returns {LeadSync}
   */
  function lookUp(body, call) {
    const { authentication, operation } = readEnvelope(body);
    checkAuthentication(authentication, user, clock.now());
    const refused = control.admit(call);
    if (refused) throw new SoapFault(REFUSED[refused]);
    if (operation.name !== 'paramsSyncLead') throw new SoapFault(20019, `${operation.name} is not simulated`);
    call.records = 1;
    const sync = lookUpLead(operation, { fields, leads, faults });
    control.hold(call, [sync.keys]);
    return sync;
  }

  /**
   * @param {LeadSync} sync
   * @returns {string}
   */
  function change(sync) {
    const last = sync.found && syncs.get(sync.found);
    if (last !== undefined && clock.now() - last < control.traffic.limits.lockMs) {
      throw new SoapFault(20011, 'Exceeded lock attempts');
    }
    const result = syncLead(sync, leads);
    syncs.set(result.lead, clock.now());
    return successXml(result);
  }

  return {
    routes: [{ method: 'POST', path: /^\/soap\/mktows\/[23]_\d$/, handle: serve }],
    clear: () => syncs.clear(),
  };
}

/**
 * @template Result
 * @param {() => Result} attempt
 * @returns {Result | SoapFault}
 */
function caught(attempt) {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof SoapFault) return error;
    throw error;
  }
}
