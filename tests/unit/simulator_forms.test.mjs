/** The simulator's forms, as the library and Marketo's own pages talk to them. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startSimulator } from '../sim/simulator.mjs';

const MUNCHKIN_ID = '561-HYG-937';
const TOKEN = '_mch-example.com-1374552656411-90718';
const MAIN = fileURLToPath(new URL('../sim/main.mjs', import.meta.url));

/**
 * @param {import('node:test').TestContext} t
 * @param {import('../sim/simulator.mjs').SimulatorOptions} [options]
 */
async function simulatorFor(t, options) {
  const simulator = await startSimulator(options);
  t.after(() => simulator.close());
  return simulator;
}

/** @param {{url: string}} simulator @param {Record<string, string>} fields in place of and beside the usual ones */
function submit(simulator, fields) {
  const body = new URLSearchParams({ munchkinId: MUNCHKIN_ID, formid: '1001', formVid: '1001', ...fields });
  return fetch(`${simulator.url}/index.php/leadCapture/save2`, { method: 'POST', body });
}

/** @param {{url: string}} simulator @param {Record<string, string>} query */
function describe(simulator, query) {
  return fetch(`${simulator.url}/index.php/form/getForm?${new URLSearchParams(query)}`);
}

test('a submission is received with every part decoded, in the same log as what trackers send', async (t) => {
  const simulator = await simulatorFor(t);
  await fetch(`${simulator.url}/webevents/visitWebPage?_mchRu=/before`, { method: 'POST' });
  const response = await submit(simulator, {
    Email: 'ada@example.com',
    Company: 'Ada & Söhne',
    _mkt_trk: `id:${MUNCHKIN_ID}&token:${TOKEN}`,
    _mktoReferrer: 'https://shop.example:8443/a%20b?x=1&y=%26#top',
  });
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  assert.deepEqual([response.status, await response.json()], [200, { formId: '1001', followUpUrl: '', aliId: '2' }]);
  assert.equal(simulator.events.length, 2);
  const { receivedAt, query, ...event } = simulator.events[1];
  assert.deepEqual(event, {
    number: 2,
    type: 'formSubmit',
    formId: '1001',
    munchkinId: MUNCHKIN_ID,
    token: TOKEN,
    host: 'shop.example',
    path: '/a b',
    params: 'x=1&y=&',
    referrer: '',
    name: '',
    link: '',
    leadFields: { Email: 'ada@example.com', Company: 'Ada & Söhne' },
    hash: '',
    signature: 'unchecked',
    method: 'POST',
    userAgent: 'node',
  });
  assert.equal(query._mktoReferrer, 'https://shop.example:8443/a%20b?x=1&y=%26#top');
  assert.ok(Math.abs(Date.parse(receivedAt) - Date.now()) < 60_000);
  const listed = await (await fetch(`${simulator.url}/_sim/events?type=formSubmit`)).json();
  assert.deepEqual(listed.map((/** @type {any} */ { number, formId }) => [number, formId]), [[2, '1001']]);
});

test('a page that is no URL, or none, is no page', async (t) => {
  const simulator = await simulatorFor(t);
  await submit(simulator, {});
  await submit(simulator, { _mktoReferrer: 'nowhere' });
  await submit(simulator, { _mktoReferrer: 'https://a.example/%ZZ' });
  assert.deepEqual(simulator.events.map(({ host, path }) => [host, path]), [['', ''], ['', ''], ['a.example', '/%ZZ']]);
});

test('a submission makes a lead, by its e-mail in any case, with the cookie it came with', async (t) => {
  const simulator = await simulatorFor(t);
  const cookie = `id:${MUNCHKIN_ID}&token:${TOKEN}`;
  await submit(simulator, { Email: 'Ada@example.com', FirstName: 'Ada', Company: 'Old', _mkt_trk: cookie });
  await submit(simulator, { Email: 'ada@EXAMPLE.com', Company: 'New' });
  assert.deepEqual([...simulator.leads.keys()], ['ada@example.com']);
  const { email, fields, tokens } = /** @type {any} */ (simulator.leads.get('ada@example.com'));
  assert.deepEqual({ email, fields, tokens }, {
    email: 'Ada@example.com',
    fields: { Email: 'ada@EXAMPLE.com', FirstName: 'Ada', Company: 'New' },
    tokens: [TOKEN],
  });

  await submit(simulator, { Email: 'grace@example.com', _mkt_trk: cookie });
  assert.deepEqual([...simulator.leads.values()].map(({ tokens }) => tokens), [[], [TOKEN]]);
});

test('a submission without an e-mail is received, and is no lead', async (t) => {
  const simulator = await simulatorFor(t);
  await submit(simulator, { FirstName: 'Nobody' });
  assert.deepEqual(simulator.events[0].leadFields, { FirstName: 'Nobody' });
  assert.equal(simulator.leads.size, 0);
});

test('forms are described plainly or as JSONP', async (t) => {
  const simulator = await simulatorFor(t, { forms: [7, '8'] });
  const plain = await describe(simulator, { munchkinId: MUNCHKIN_ID, form: '7' });
  const descriptor = await plain.text();
  assert.match(String(plain.headers.get('content-type')), /json/);
  assert.equal(JSON.parse(descriptor).Id, 7);
  const padded = await describe(simulator, { munchkinId: MUNCHKIN_ID, form: '7', callback: 'done_1' });
  assert.match(String(padded.headers.get('content-type')), /javascript/);
  assert.equal(await padded.text(), `done_1(${descriptor});\n`);
  assert.equal((await describe(simulator, { munchkinId: MUNCHKIN_ID, form: '8' })).status, 200);
});

test('what makes no sense is refused with a sentence, and not recorded', async (t) => {
  const simulator = await simulatorFor(t);
  /** @type {[response: Promise<Response>, status: number, code: string, message: RegExp][]} */
  const refusals = [
    [describe(simulator, { munchkinId: MUNCHKIN_ID, form: '9' }), 404, 'form_unknown', /no form 9; there are 1001\./],
    [describe(simulator, { munchkinId: MUNCHKIN_ID }), 404, 'form_unknown', /./],
    [describe(simulator, { form: '1001' }), 400, 'munchkin_id_missing', /whose form/],
    [describe(simulator, { munchkinId: MUNCHKIN_ID, form: '1001', callback: 'a.b()' }), 400, 'callback_invalid', /name/],
    [submit(simulator, { formid: '9', Email: 'a@b.example' }), 404, 'form_unknown', /no form 9/],
    [submit(simulator, { munchkinId: '', Email: 'a@b.example' }), 400, 'munchkin_id_missing', /whose form/],
  ];
  for (const [response, status, code, message] of refusals) {
    const answer = await (await response).json();
    assert.deepEqual([(await response).status, answer.error], [status, code]);
    assert.match(answer.message, message);
  }
  assert.deepEqual(simulator.events, []);
  assert.equal(simulator.leads.size, 0);
});

test('the library is served, and fails as told', async (t) => {
  const simulator = await simulatorFor(t);
  const load = () => fetch(`${simulator.url}/js/forms2/js/forms2.min.js`);
  const library = await load();
  assert.match(String(library.headers.get('content-type')), /javascript/);
  assert.match(await library.text(), /^\(function installForms\(/);
  assert.equal((await fetch(`${simulator.url}/js/forms2/js/forms2.js`)).status, 200);

  simulator.faults.formsStatus = 404;
  const missing = await load();
  assert.deepEqual([missing.status, await missing.text()], [404, '']);

  simulator.reset();
  simulator.faults.formsDelayMs = 80;
  const start = performance.now();
  assert.equal((await load()).status, 200);
  // Timers may fire up to a millisecond early.
  assert.ok(performance.now() - start >= 79);

  simulator.faults.hang = true;
  await assert.rejects(fetch(`${simulator.url}/js/forms2/js/forms2.min.js`, { signal: AbortSignal.timeout(200) }));
});

test('submissions fail as told, and are not recorded then', async (t) => {
  const simulator = await simulatorFor(t);
  simulator.faults.submissionStatus = 500;
  const failed = await submit(simulator, { Email: 'a@b.example' });
  assert.deepEqual([failed.status, await failed.json()], [500, { error: true }]);
  assert.deepEqual([simulator.events.length, simulator.leads.size], [0, 0]);

  simulator.reset();
  simulator.faults.submissionDelayMs = 80;
  const start = performance.now();
  assert.equal((await submit(simulator, { Email: 'a@b.example' })).status, 200);
  assert.ok(performance.now() - start >= 79);
});

test('faults of the forms can be set from outside', async (t) => {
  const simulator = await simulatorFor(t);
  const wanted = { formsStatus: 503, formsDelayMs: 1, submissionStatus: 500, submissionDelayMs: 2 };
  const response = await fetch(`${simulator.url}/_sim/faults`, { method: 'PUT', body: JSON.stringify(wanted) });
  assert.equal(response.status, 200);
  const { formsStatus, formsDelayMs, submissionStatus, submissionDelayMs } = simulator.faults;
  assert.deepEqual({ formsStatus, formsDelayMs, submissionStatus, submissionDelayMs }, wanted);
});

test('the command takes forms', async (t) => {
  const flags = ['--port', '0', '--form', '7', '--form', '8'];
  const simulator = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => simulator.kill('SIGKILL'));
  const [line] = await once(createInterface(simulator.stdout), 'line');
  const url = /http:\/\/127\.0\.0\.1:\d+$/.exec(line)?.[0] ?? '';
  const statuses = ['7', '8', '1001'].map(async (form) => (await describe({ url }, { munchkinId: MUNCHKIN_ID, form })).status);
  assert.deepEqual(await Promise.all(statuses), [200, 200, 404]);

  const mistaken = spawn(process.execPath, [MAIN, '--form', '7a']);
  let message = '';
  mistaken.stderr.on('data', (text) => (message += text));
  assert.deepEqual(await once(mistaken, 'close'), [2, null]);
  assert.match(message, /--form must be a number, not "7a"\./);
});
