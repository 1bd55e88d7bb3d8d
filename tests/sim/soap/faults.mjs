import { encode } from './xml.mjs';

/** @type {Readonly<Record<string, string>>} */
const MESSAGES = {
  10001: 'Internal error',
  20011: 'Internal error',
  20012: 'Request not understood',
  20013: 'Access denied',
  20014: 'Authentication failed',
  20015: 'Request limit exceeded',
  20016: 'Request expired',
  20017: 'Invalid request',
  20019: 'Unsupported operation',
  20023: 'Rate limit exceeded',
  20024: 'Concurrency limit exceeded',
  20101: 'Lead key required',
  20102: 'Lead key bad',
  20103: 'Lead not found',
  20104: 'Lead detail required',
  20105: 'Lead attribute bad',
  20106: 'Lead sync failed',
  20107: 'Activity key bad',
  20108: 'Lead owner not found',
  20109: 'Parameter required',
  20110: 'Bad parameter',
};

/** The call is refused. */
export class SoapFault extends Error {
  /**
   * @param {number | string} code  Marketo's
   * @param {string} [detail]       what is wrong with this very call
   */
  constructor(code, detail) {
    super(detail ?? MESSAGES[code] ?? 'Error');
    this.code = String(code);
  }
}

/**
 * @param {SoapFault} fault
 * @returns {string}
 */
export function faultXml({ code, message }) {
  const isServers = code === '10001' || code === '20011';
  return `<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body><SOAP-ENV:Fault>\
<faultcode>SOAP-ENV:${isServers ? 'Server' : 'Client'}</faultcode>\
<faultstring>${code} - ${encode(MESSAGES[code] ?? message)}</faultstring>\
<detail><ns1:serviceException xmlns:ns1="http://www.marketo.com/mktows/"><name>mktServiceException</name>\
<message>${encode(message)} (${code})</message><code>${code}</code></ns1:serviceException></detail>\
</SOAP-ENV:Fault></SOAP-ENV:Body></SOAP-ENV:Envelope>
`;
}
