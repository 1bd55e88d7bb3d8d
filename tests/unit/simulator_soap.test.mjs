/** The simulator's SOAP API: syncLead, its signature, its locks and its faults. */

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startSimulator } from '../sim/simulator.mjs';
import { parseXml, XmlError } from '../sim/soap/xml.mjs';

const USER = { id: 'user_1', key: 'a pretended key' };
const PATH = '/soap/mktows/3_1';
const COOKIE = 'id:561-HYG-937&token:_mch-example.com-1374552656411-90718';
const TOKEN = '_mch-example.com-1374552656411-90718';

/**
 * @param {import('node:test').TestContext} t
 * @param {import('../sim/simulator.mjs').SimulatorOptions} [options]
 */
async function worldFor(t, options) {
  const simulator = await startSimulator({ soapUser: USER, ...options });
  t.after(() => simulator.close());
  /** @param {string} record @param {EnvelopeOptions} [more] */
  const sync = (record, more) => send(simulator.url, envelope({ now: simulator.clock.now(), record, ...more }));
  return { simulator, sync };
}

/** @typedef {{now?: number, user?: string, key?: string, timestamp?: string, signature?: string, cookie?: string, more?: string, operation?: string}} EnvelopeOptions */

/** @param {EnvelopeOptions & {record?: string}} options */
function envelope({ now = 0, record = '', user = USER.id, key = USER.key, timestamp, signature, cookie, more = '', operation = 'paramsSyncLead' }) {
  const time = timestamp ?? new Date(now).toISOString().replace(/\.\d+Z$/, '+00:00');
  const signed = signature ?? createHmac('sha1', key).update(time + user).digest('hex');
  return `<?xml version="1.0" encoding="UTF-8"?>
    <e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://www.marketo.com/mktows/">
      <e:Header><m:AuthenticationHeader><mktowsUserId>${user}</mktowsUserId><requestSignature>${signed}</requestSignature>
        <requestTimestamp>${time}</requestTimestamp></m:AuthenticationHeader></e:Header>
      <e:Body><m:${operation}>${record && `<leadRecord>${record}</leadRecord>`}<returnLead>false</returnLead>
        ${cookie ? `<marketoCookie>${cookie.replace('&', '&amp;')}</marketoCookie>` : ''}${more}</m:${operation}></e:Body>
    </e:Envelope>`;
}

/** @param {string} url @param {string} body @returns {Promise<{status: number, code: string, message: string, lead: string, state: string, text: string}>} */
async function send(url, body) {
  const response = await fetch(url + PATH, { method: 'POST', body, headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: 'mktowsApi' } });
  const text = await response.text();
  assert.match(String(response.headers.get('content-type')), /^text\/xml/);
  const root = parseXml(text.trimEnd());
  /** @param {string} name @param {import('../sim/soap/xml.mjs').Element} [element] @returns {string} */
  const find = (name, element = root) => (element.name === name ? element.text : element.children.map((child) => find(name, child)).find((found) => found !== '') ?? '');
  return { status: response.status, code: find('code'), message: find('message'), lead: find('leadId'), state: find('status'), text };
}

/** @param {Record<string, string>} values */
function attributes(values) {
  const list = Object.entries(values).map(([name, value]) => `<attribute><attrName>${name}</attrName><attrType>string</attrType><attrValue>${value}</attrValue></attribute>`);
  return `<leadAttributeList>${list.join('')}</leadAttributeList>`;
}

test('a lead is created, then updated, and REST would find the same one', async (t) => {
  const { simulator, sync } = await worldFor(t);
  const created = await sync(`<Email>Ada@example.com</Email>${attributes({ FirstName: 'Ada &amp; &#x1F642;', Company: '<![CDATA[<Old>]]>' })}`);
  assert.deepEqual([created.status, created.lead, created.state], [200, '1', 'CREATED']);
  simulator.clock.advance(30_000);
  const updated = await sync(`<Email>ada@example.com</Email>${attributes({ Company: 'New' })}`);
  assert.deepEqual([updated.lead, updated.state], ['1', 'UPDATED']);
  assert.deepEqual(simulator.leads.get('ada@example.com')?.fields, { FirstName: 'Ada & 🙂', Company: 'New', Email: 'ada@example.com' });
  assert.equal(updated.text, `<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xmlns:ns1="http://www.marketo.com/mktows/"><SOAP-ENV:Body><ns1:successSyncLead><result><leadId>1</leadId><syncStatus><leadId>1</leadId>\
<status>UPDATED</status><error xsi:nil="true"/></syncStatus><leadRecord xsi:nil="true"/></result></ns1:successSyncLead></SOAP-ENV:Body></SOAP-ENV:Envelope>
`);
  assert.deepEqual(simulator.soap.callsByPath, { [`POST ${PATH}`]: 2 });
});

test('who signs wrongly is 20014, and who signed too long ago 20016', async (t) => {
  const { simulator, sync } = await worldFor(t);
  const record = '<Email>ada@example.com</Email>';
  const minutesAgo = (/** @type {number} */ minutes) => ({ timestamp: new Date(simulator.clock.now() - minutes * 60_000).toISOString() });
  const right = createHmac('sha1', USER.key).update('2013-06-09T14:04:54-08:00user_1').digest('hex');
  /** @type {[options: EnvelopeOptions, code: string][]} */
  const refusals = [
    [{ key: 'another' }, '20014'],
    [{ user: 'somebody' }, '20014'],
    [{ timestamp: '2013-06-09T14:04:54-08:00', signature: right.toUpperCase() }, '20014'],
    [{ timestamp: '2013-06-09T14:04:54-08:00', signature: right }, '20016'],
    [{ timestamp: '2013-06-09 14:04:54' }, '20014'],
    [{ signature: '' }, '20014'],
    [minutesAgo(11), '20016'],
    [minutesAgo(-11), '20016'],
  ];
  for (const [options, code] of refusals) {
    const answer = await sync(record, options);
    assert.deepEqual([answer.status, answer.code], [500, code]);
  }
  assert.equal(simulator.leadsById.size, 0);
  simulator.clock.set('2013-06-09T22:10:00Z');
  const timely = await sync(record, { timestamp: '2013-06-09T14:04:54-08:00', signature: right });
  assert.equal(timely.state, 'CREATED');
  const headless = envelope({ record }).replace(/<e:Header>[^]*<\/e:Header>/, '');
  assert.equal((await send(simulator.url, headless)).code, '20014');
  const nobody = await startSimulator();
  t.after(() => nobody.close());
  assert.equal((await send(nobody.url, envelope({ now: Date.now(), record }))).code, '20014');
});

test('a fault has the shape that Marketo gave it', async (t) => {
  const { sync } = await worldFor(t);
  const { text } = await sync('<Email>ada@example.com</Email>', { key: 'another' });
  assert.equal(text, `<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body><SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode>\
<faultstring>20014 - Authentication failed</faultstring><detail><ns1:serviceException xmlns:ns1="http://www.marketo.com/mktows/">\
<name>mktServiceException</name><message>Authentication failed (20014)</message><code>20014</code></ns1:serviceException></detail></SOAP-ENV:Fault>\
</SOAP-ENV:Body></SOAP-ENV:Envelope>
`);
});

test('keys: Marketo\'s id before the foreign id before the cookie before the e-mail', async (t) => {
  const { simulator, sync } = await worldFor(t, { soapLimits: { lockMs: 0 } });
  await fetch(`${simulator.url}/webevents/visitWebPage?_mchTk=${TOKEN}&_mchRu=/before`, { method: 'POST' });
  await sync('<Email>mail@x.example</Email>');
  await sync('<Email>cookie@x.example</Email>', { cookie: COOKIE });
  await sync('<ForeignSysPersonId>f1</ForeignSysPersonId><ForeignSysType>CUSTOM</ForeignSysType>');
  await sync('<Email>id@x.example</Email>');
  assert.deepEqual(simulator.leadsById.get(2)?.visits.map(({ path }) => path), ['/before']);
  const foreign = '<ForeignSysPersonId>f1</ForeignSysPersonId>';
  const email = '<Email>mail@x.example</Email>';
  /** @type {[record: string, options: EnvelopeOptions, lead: string][]} */
  const lookups = [
    [email, {}, '1'],
    ['', { more: '<leadRecord/>', cookie: COOKIE }, '2'],
    [`${attributes({ City: 'London' })}`, { cookie: COOKIE }, '2'],
    [`${foreign}<Email>third@x.example</Email>`, { cookie: COOKIE }, '3'],
    [`<Id>4</Id>${foreign}`, {}, '4'],
    [foreign, {}, '4'],
  ];
  for (const [record, options, lead] of lookups) {
    const answer = await sync(record, options);
    assert.deepEqual([answer.lead, answer.state], [lead, 'UPDATED'], record);
  }
  assert.deepEqual([simulator.leadsById.get(3)?.tokens, simulator.leadsById.get(2)?.tokens], [[TOKEN], []]);
  assert.equal(simulator.leads.get('third@x.example')?.id, 3);
  assert.equal(simulator.leadsById.get(4)?.foreignId, 'CUSTOM:f1');
});

test('what makes no sense is a fault of the record\'s or of the request\'s', async (t) => {
  const { simulator, sync } = await worldFor(t, { fields: [{ name: 'rank', readOnly: true }] });
  simulator.faults.records['refused@x.example'] = 20106;
  const email = '<Email>a@x.example</Email>';
  /** @type {[answer: Awaited<ReturnType<typeof sync>>, code: string][]} */
  const answers = [
    [await sync(''), '20104'],
    [await sync(attributes({ City: 'London' })), '20101'],
    [await sync('<Id>9</Id>'), '20103'],
    [await sync(email + attributes({ Planet: 'Earth' })), '20105'],
    [await sync(email + attributes({ Rank: '1' })), '20105'],
    [await sync(email + attributes({ NumberOfEmployees: 'many' })), '20105'],
    [await sync('<Email>nobody</Email>'), '20105'],
    [await sync('<ForeignSysPersonId>1</ForeignSysPersonId><ForeignSysType>OTHER</ForeignSysType>'), '20110'],
    [await sync(email, { cookie: 'cookie' }), '20110'],
    [await sync('<Email>Refused@x.example</Email>'), '20106'],
    [await sync(email, { operation: 'paramsGetLead' }), '20019'],
    [await send(simulator.url, ''), '20012'],
    [await send(simulator.url, '{"email": "a@x.example"}'), '20012'],
    [await send(simulator.url, '<Envelope/>'), '20012'],
  ];
  for (const [answer, code] of answers) assert.deepEqual([answer.status, answer.code], [500, code]);
  assert.equal(simulator.leadsById.size, 0);
});

test('a lead is locked for 30 seconds after each sync', async (t) => {
  const { simulator, sync } = await worldFor(t);
  const record = '<Email>ada@example.com</Email>';
  assert.equal((await sync(record)).state, 'CREATED');
  simulator.clock.advance(20_000);
  const refused = await sync(record + attributes({ City: 'London' }));
  assert.deepEqual([refused.status, refused.code, refused.message], [500, '20011', 'Exceeded lock attempts (20011)']);
  assert.equal((await sync('<Email>grace@example.com</Email>')).state, 'CREATED');
  assert.equal('City' in (simulator.leads.get('ada@example.com')?.fields ?? {}), false);
  simulator.clock.advance(10_000);
  assert.equal((await sync(record)).state, 'UPDATED');
});

test('limits are 20023, 20024 and 20015', async (t) => {
  const { simulator, sync } = await worldFor(t, { soapLimits: { calls: 2, daily: 3 } });
  // Noon US Central: the day of the quota does not end meanwhile.
  simulator.clock.set('2026-11-24T18:00:00Z');
  assert.equal(simulator.soap.limits.atOnce, 10);
  await sync('<Email>a@x.example</Email>');
  await sync('<Email>b@x.example</Email>');
  assert.equal((await sync('<Email>c@x.example</Email>')).code, '20023');
  simulator.clock.advance(20_000);
  simulator.soap.limits.atOnce = 0;
  assert.equal((await sync('<Email>c@x.example</Email>')).code, '20024');
  simulator.soap.limits.atOnce = 10;
  simulator.soap.limits.daily = 0;
  assert.equal((await sync('<Email>c@x.example</Email>')).code, '20015');
  assert.equal((await (await fetch(`${simulator.url}/_sim/soap`)).json()).calls[3].code, '20024');
  assert.deepEqual(simulator.rest.calls, []);
});

test('calls fail as told', async (t) => {
  const { simulator, sync } = await worldFor(t);
  const codes = [10001, 20011, 20014, 20015, 20016, 20023, 20024, 20101, 20110];
  simulator.faults.calls.push(...codes.map((code) => ({ path: PATH, code })));
  for (const code of codes) {
    const answer = await sync('<Email>a@x.example</Email>');
    assert.deepEqual([answer.status, answer.code], [500, String(code)]);
  }
  assert.equal(simulator.leadsById.size, 0);
  simulator.faults.calls.push({ answer: 'reset', carriedOut: true }, { status: 502 }, { answer: 'truncated' });
  await assert.rejects(sync('<Email>a@x.example</Email>'));
  const raw = () => fetch(simulator.url + PATH, { method: 'POST', body: envelope({ now: simulator.clock.now(), record: '<Email>b@x.example</Email>' }) });
  assert.equal((await raw()).status, 502);
  assert.deepEqual([...simulator.leads.keys()], ['a@x.example']);
  assert.doesNotMatch(await (await raw()).text(), /<\/SOAP-ENV:Envelope>/);
  assert.deepEqual([...simulator.leads.keys()], ['a@x.example', 'b@x.example']);
});

test('a lead in two calls at the same time is noted', async (t) => {
  const { simulator, sync } = await worldFor(t, { soapLimits: { lockMs: 0 } });
  await sync('<Email>a@x.example</Email>', { cookie: COOKIE });
  simulator.faults.calls.push({ delayMs: 60_000 });
  sync('<Email>A@x.example</Email>').catch(() => {});
  while (simulator.soap.calls.filter(({ records }) => records > 0).length < 2) await new Promise((resolve) => setImmediate(resolve));
  await sync('<Email>b@x.example</Email>');
  assert.equal(simulator.soap.overlaps.length, 0);
  await sync('<Id>1</Id>');
  assert.deepEqual(simulator.soap.overlaps.map(({ key, calls }) => [key, calls[0].number, calls[1].number]), [['Id:1', 2, 4]]);
});

test('a call whose client has gone is carried out all the same, and holds its lead until then', async (t) => {
  const { simulator, sync } = await worldFor(t, { soapLimits: { lockMs: 0 } });
  simulator.faults.calls.push({ delayMs: 500 });
  const stop = new AbortController();
  const body = envelope({ now: simulator.clock.now(), record: '<Email>a@x.example</Email>' });
  const gone = fetch(simulator.url + PATH, { method: 'POST', body, signal: stop.signal });
  gone.catch(() => {});
  while (!simulator.soap.calls.some(({ records }) => records > 0)) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await assert.rejects(gone);
  await delay(100);
  await sync('<Email>a@x.example</Email>');
  assert.deepEqual(simulator.soap.overlaps.map(({ key }) => key), ['Email:a@x.example']);
  while (simulator.leadsById.size < 2) await delay(10);
});

test('XML is read strictly', () => {
  const root = parseXml('\ufeff<?xml version="1.0"?>\n<!-- a - b --><a xmlns="u:1" xmlns:p=\'u:2\'>x<p:b c="&quot;" p:c=""/>\r\n<b xmlns="">&lt;&#65;<![CDATA[<&]]></b></a>\n');
  assert.deepEqual([root.name, root.namespace, root.text], ['a', 'u:1', 'x\n']);
  assert.deepEqual(root.children.map(({ name, namespace, text }) => [name, namespace, text]), [['b', 'u:2', ''], ['b', '', '<A<&']]);
  const wrong = [
    '', 'text', '<a>', '<a></b>', '</a>', '<a/><a/>', '<a/>text', '<a', '<a b=c/>', '<a b="1" b="2"/>', '<a b="<"/>', '<p:a/>', '<a p:b=""/>',
    '<a>&nbsp;</a>', '<a>& b</a>', '<a>&#0;</a>', '<a>&#xD800;</a>', '<a>\u0001</a>', '<a>]]></a>', '<a><!-- -- --></a>', '<a><![CDATA[</a>',
    '<!DOCTYPE a><a/>', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', '<a><?php ?></a>', ' <?xml version="1.0"?><a/>', '<1/>',
  ];
  for (const text of wrong) assert.throws(() => parseXml(text), XmlError, text);
});
