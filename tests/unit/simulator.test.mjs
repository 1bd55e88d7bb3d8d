import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startSimulator } from '../sim/simulator.mjs';

const PRIVATE_KEY = 'a pretended key';
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

/**
 * @param {{url: string}} simulator
 * @param {string} type
 * @param {Record<string, string>} parameters
 */
function post(simulator, type, parameters) {
  return fetch(`${simulator.url}/webevents/${type}?${new URLSearchParams(parameters)}`, { method: 'POST' });
}

/** @param {string} text */
function sha1(text) {
  return createHash('sha1').update(text).digest('hex');
}

/**
 * Reads server-sent events until one satisfies the predicate.
 *
 * @param {Response} response
 */
function eventStream(response) {
  assert.ok(response.body);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    /** @param {RegExp} pattern */
    async until(pattern) {
      while (!pattern.test(text)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`The stream ended before ${pattern}:\n${text}`);
        text += value;
      }
      const seen = text;
      text = '';
      return seen;
    },
    cancel: () => reader.cancel(),
  };
}

test('a visit is received with every part decoded', async (t) => {
  const simulator = await simulatorFor(t);
  const response = await post(simulator, 'visitWebPage', {
    _mchNc: '1700000000000',
    _mchCn: 'Pricing',
    _mchId: '561-HYG-937',
    _mchTk: '_mch-example.com-1374552656411-90718',
    _mchHo: 'www.example.com',
    _mchRu: '/äpfel & birnen',
    _mchRe: 'https://search.example/?q=x',
    _mchQp: 'a=1__-__b=100%__-__c=',
  });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  const [{ receivedAt, query, userAgent, ...event }] = simulator.events;
  assert.deepEqual(event, {
    number: 1,
    type: 'visitWebPage',
    munchkinId: '561-HYG-937',
    token: '_mch-example.com-1374552656411-90718',
    host: 'www.example.com',
    path: '/äpfel & birnen',
    params: 'a=1&b=100%&c=',
    referrer: 'https://search.example/?q=x',
    name: 'Pricing',
    link: '',
    leadFields: {},
    hash: '',
    signature: 'unchecked',
    method: 'POST',
  });
  assert.equal(query._mchQp, 'a=1__-__b=100%__-__c=');
  assert.equal(query._mchNc, '1700000000000');
  assert.ok(Math.abs(Date.parse(receivedAt) - Date.now()) < 60_000);
  assert.equal(userAgent, 'node');
});

test('GET is received, from either name of the link, and so is a form body', async (t) => {
  const simulator = await simulatorFor(t);
  await fetch(`${simulator.url}/webevents/clickLink?_mchLr=%2Fold`);
  await fetch(`${simulator.url}/webevents/clickLink?_mchId=561-HYG-937`, {
    method: 'POST',
    body: new URLSearchParams({ _mchHr: '/new' }),
  });
  const seen = simulator.events.map(({ method, link, munchkinId }) => [method, link, munchkinId]);
  assert.deepEqual(seen, [
    ['GET', '/old', ''],
    ['POST', '/new', '561-HYG-937'],
  ]);
});

test('malformed percent-encoding and odd names are received as they are', async (t) => {
  const simulator = await simulatorFor(t);
  const response = await fetch(`${simulator.url}/webevents/visitWebPage?_mchRu=%2Fa%ZZ%&__proto__=x&_mchAt__proto__=y`);
  assert.equal(response.status, 200);
  assert.equal(simulator.events[0].path, '/a%ZZ%');
  assert.deepEqual(Object.keys(simulator.events[0].query), ['_mchRu', '__proto__', '_mchAt__proto__']);
  assert.deepEqual(Object.keys(simulator.events[0].leadFields), ['__proto__']);
});

test('a preflight request is allowed', async (t) => {
  const simulator = await simulatorFor(t);
  const response = await fetch(`${simulator.url}/webevents/visitWebPage`, { method: 'OPTIONS' });
  assert.equal(response.status, 204);
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  assert.equal(response.headers.get('access-control-allow-methods'), 'GET, POST');
  assert.equal(response.headers.get('access-control-allow-headers'), '*');
  assert.deepEqual(simulator.events, []);
});

test('a right signature is valid and makes a lead', async (t) => {
  const simulator = await simulatorFor(t, { privateKey: PRIVATE_KEY });
  const hash = sha1(`${PRIVATE_KEY}Ada@example.com`);
  await post(simulator, 'associateLead', {
    _mchTk: 'token-1',
    _mchAtEmail: 'Ada@example.com',
    _mchAtFirstName: 'Ada',
    _mchKy: hash,
  });
  const [event] = simulator.events;
  assert.equal(event.signature, 'valid');
  assert.equal(event.hash, hash);
  assert.deepEqual(event.leadFields, { Email: 'Ada@example.com', FirstName: 'Ada' });
  const { id, email, fields, tokens } = /** @type {any} */ (simulator.leads.get('ada@example.com'));
  assert.deepEqual({ id, email, fields, tokens }, {
    id: 1,
    email: 'Ada@example.com',
    fields: { Email: 'Ada@example.com', FirstName: 'Ada' },
    tokens: ['token-1'],
  });
});

test('a lead gathers fields and cookies, and a cookie belongs to the lead named last', async (t) => {
  const simulator = await simulatorFor(t, { privateKey: PRIVATE_KEY });
  /** @type {[token: string, email: string, fields: Record<string, string>][]} */
  const associations = [
    ['token-1', 'ada@example.com', { _mchAtFirstName: 'Ada', _mchAtCompany: 'Old' }],
    ['token-2', 'ada@example.com', { _mchAtCompany: 'New' }],
    ['token-1', 'bob@example.com', {}],
  ];
  for (const [token, email, fields] of associations) {
    const hash = sha1(PRIVATE_KEY + email);
    await post(simulator, 'associateLead', { _mchTk: token, _mchAtEmail: email, _mchKy: hash, ...fields });
  }
  const leads = await (await fetch(`${simulator.url}/_sim/leads`)).json();
  for (const lead of leads) {
    for (const time of ['createdAt', 'updatedAt']) {
      assert.ok(Math.abs(Date.parse(lead[time]) - Date.now()) < 60_000);
      delete lead[time];
    }
  }
  const nothingElse = { foreignId: '', visits: [], activities: [] };
  assert.deepEqual(leads, [
    {
      id: 1,
      email: 'ada@example.com',
      fields: { Email: 'ada@example.com', FirstName: 'Ada', Company: 'New' },
      tokens: ['token-2'],
      ...nothingElse,
    },
    { id: 2, email: 'bob@example.com', fields: { Email: 'bob@example.com' }, tokens: ['token-1'], ...nothingElse },
  ]);
});

test('a wrong signature is invalid and makes no lead', async (t) => {
  const simulator = await simulatorFor(t, { privateKey: PRIVATE_KEY });
  const right = sha1(`${PRIVATE_KEY}ada@example.com`);
  for (const hash of [right.toUpperCase(), sha1('ada@example.com'), '']) {
    await post(simulator, 'associateLead', { _mchAtEmail: 'ada@example.com', _mchKy: hash });
  }
  await post(simulator, 'associateLead', { _mchKy: sha1(PRIVATE_KEY) });
  assert.deepEqual(simulator.events.map((event) => event.signature), ['invalid', 'invalid', 'invalid', 'invalid']);
  assert.equal(simulator.leads.size, 0);
});

test('without a private key no signature is checked', async (t) => {
  const simulator = await simulatorFor(t);
  await post(simulator, 'associateLead', { _mchAtEmail: 'ada@example.com', _mchKy: 'anything' });
  assert.equal(simulator.events[0].signature, 'unchecked');
  assert.equal(simulator.leads.size, 0);
});

test('waitFor finds past events, later events, and tells what came when none fits', async (t) => {
  const simulator = await simulatorFor(t);
  await post(simulator, 'visitWebPage', { _mchRu: '/past', _mchQp: 'a=1' });
  assert.equal((await simulator.waitFor((event) => event.path === '/past')).number, 1);

  const later = simulator.waitFor((event) => event.path === '/later');
  await post(simulator, 'visitWebPage', { _mchRu: '/other' });
  await post(simulator, 'visitWebPage', { _mchRu: '/later' });
  assert.equal((await later).number, 3);

  await assert.rejects(
    simulator.waitFor(() => false, { timeout: 1 }),
    /within 1 ms\. Received:\n {2}#1 visitWebPage \/past\?a=1\n {2}#2 visitWebPage \/other\n {2}#3/,
  );
  const failing = simulator.waitFor((event) => {
    if (event.path === '/bad') throw new RangeError('from the predicate');
  });
  await Promise.all([assert.rejects(failing, RangeError), post(simulator, 'visitWebPage', { _mchRu: '/bad' })]);
});

test('events are listed, by number and by type', async (t) => {
  const simulator = await simulatorFor(t);
  await post(simulator, 'visitWebPage', { _mchRu: '/one' });
  await post(simulator, 'clickLink', { _mchHr: '/two' });
  await post(simulator, 'visitWebPage', { _mchRu: '/three' });
  /** @param {string} query */
  const numbers = async (query) => {
    const response = await fetch(`${simulator.url}/_sim/events${query}`);
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    /** @type {{number: number}[]} */
    const events = await response.json();
    return events.map(({ number }) => number);
  };
  assert.deepEqual(await numbers(''), [1, 2, 3]);
  assert.deepEqual(await numbers('?since=1'), [2, 3]);
  assert.deepEqual(await numbers('?type=visitWebPage'), [1, 3]);
  assert.deepEqual(await numbers('?since=1&type=visitWebPage'), [3]);
  const response = await fetch(`${simulator.url}/_sim/events?since=soon`);
  assert.equal(response.status, 400);
  assert.equal((await response.json()).error, 'number_invalid');
});

test('the event stream replays, goes on, and tells of a reset', async (t) => {
  const simulator = await simulatorFor(t);
  await post(simulator, 'visitWebPage', { _mchRu: '/one' });
  await post(simulator, 'visitWebPage', { _mchRu: '/two' });

  const all = eventStream(await fetch(`${simulator.url}/_sim/events/stream`));
  const replayed = await all.until(/id: 2\n.*\n\n/);
  assert.match(replayed, /id: 1\ndata: \{.*"path":"\/one".*\}\n\nid: 2\ndata: \{.*"path":"\/two".*\}\n\n$/);

  const resumed = eventStream(
    await fetch(`${simulator.url}/_sim/events/stream`, { headers: { 'Last-Event-ID': '1' } }),
  );
  assert.doesNotMatch(await resumed.until(/id: 2\n.*\n\n/), /id: 1\n/);

  await post(simulator, 'visitWebPage', { _mchRu: '/three' });
  assert.match(await all.until(/id: 3\n.*\n\n/), /"path":"\/three"/);
  simulator.reset();
  await all.until(/event: reset\ndata:\n\n/);
  await Promise.all([all.cancel(), resumed.cancel()]);
});

test('a reset forgets events, leads and faults, while numbers go on', async (t) => {
  const simulator = await simulatorFor(t, { privateKey: PRIVATE_KEY });
  const { events } = simulator;
  const hash = sha1(`${PRIVATE_KEY}ada@example.com`);
  await post(simulator, 'associateLead', { _mchAtEmail: 'ada@example.com', _mchKy: hash });
  simulator.faults.loaderStatus = 503;
  const response = await fetch(`${simulator.url}/_sim/reset`, { method: 'POST' });
  assert.equal(response.status, 200);
  assert.equal(events.length, 0);
  assert.equal(simulator.leads.size, 0);
  assert.equal(simulator.faults.loaderStatus, 200);
  await post(simulator, 'visitWebPage', {});
  assert.deepEqual(events.map(({ number }) => number), [2]);
});

test('the scripts are served, and fail as told', async (t) => {
  const simulator = await simulatorFor(t);
  /** @param {string} path */
  const load = async (path) => {
    const response = await fetch(simulator.url + path);
    return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
  };
  /** @param {object} faults */
  const putFaults = async (faults) => {
    const body = JSON.stringify(faults);
    return (await fetch(`${simulator.url}/_sim/faults`, { method: 'PUT', body })).json();
  };
  const loader = await load('/munchkin.js');
  assert.deepEqual([loader.status, loader.type], [200, 'text/javascript; charset=utf-8']);
  assert.match(loader.text, /\("163"\);\n$/);
  assert.match((await load('/151/munchkin.js')).text, /"version":"151","associateLead":"honoured"/);

  assert.equal((await putFaults({ loaderStatus: 503, trackerStatus: 404 })).loaderStatus, 503);
  assert.deepEqual([(await load('/munchkin.js')).status, (await load('/163/munchkin.js')).status], [503, 404]);

  await putFaults({ loaderDelayMs: 80 });
  const start = performance.now();
  assert.deepEqual([(await load('/munchkin.js')).status, (await load('/163/munchkin.js')).status], [200, 200]);
  // Timers may fire up to a millisecond early.
  assert.ok(performance.now() - start >= 79);

  await putFaults({ eventsStatus: 500 });
  assert.equal((await post(simulator, 'visitWebPage', {})).status, 500);
  assert.deepEqual(simulator.events, []);

  await putFaults({});
  assert.equal((await post(simulator, 'visitWebPage', {})).status, 200);
  const faults = await (await fetch(`${simulator.url}/_sim/faults`)).json();
  assert.deepEqual(faults, {
    loaderStatus: 200,
    loaderDelayMs: 0,
    trackerStatus: 200,
    trackerDelayMs: 0,
    hang: false,
    eventsStatus: 200,
    formsStatus: 200,
    formsDelayMs: 0,
    submissionStatus: 200,
    submissionDelayMs: 0,
    callDelayMs: 0,
    token: '',
    calls: [],
    records: {},
  });
});

test('faults that make no sense are refused with a sentence, and change nothing', async (t) => {
  const simulator = await simulatorFor(t);
  /** @type {[body: string, code: string, message: RegExp][]} */
  const refusals = [
    ['{"loaderstatus": 503}', 'fault_unknown', /no fault called "loaderstatus"; there are loaderStatus,/],
    ['{"hang": true, "loaderStatus": 99}', 'fault_invalid', /loaderStatus must be a whole number from 200 to 599/],
    ['{"trackerDelayMs": "5"}', 'fault_invalid', /trackerDelayMs must be a whole number/],
    ['{"hang": 1}', 'fault_invalid', /hang must be true or false/],
    ['{"calls": {}}', 'fault_invalid', /calls must be a list of faults/],
    ['{"calls": [null]}', 'fault_invalid', /calls must be a list of objects/],
    ['{"calls": [{"code": 606}, {"cod": 606}]}', 'fault_invalid', /calls must be .*"cod" is none of path, .*code/],
    ['{"calls": [{"answer": "late"}]}', 'fault_invalid', /"answer" is none of .*, or is wrong/],
    ['{"records": {"a@b.example": "no"}}', 'fault_invalid', /records must be an object of error codes/],
    ['{"records": []}', 'fault_invalid', /records must be an object of error codes/],
    ['{"token": "old"}', 'fault_invalid', /token must be "expired" or "invalid"/],
    ['[]', 'json_invalid', /must be a JSON object/],
    ['{', 'json_invalid', /must be a JSON object/],
  ];
  for (const [body, code, message] of refusals) {
    const response = await fetch(`${simulator.url}/_sim/faults`, { method: 'PUT', body });
    const answer = await response.json();
    assert.deepEqual([response.status, answer.error], [400, code]);
    assert.match(answer.message, message);
  }
  assert.equal(simulator.faults.hang, false);
});

test('unknown paths, wrong methods and big bodies are answered as JSON', async (t) => {
  const simulator = await simulatorFor(t);
  for (const path of ['/nothing', '/webevents/', '/webevents/%ZZ', '/_sim', '//', '/munchkin.js/']) {
    const response = await fetch(simulator.url + path);
    assert.deepEqual([path, response.status, (await response.json()).error], [path, 404, 'not_found']);
  }
  const wrong = await fetch(`${simulator.url}/_sim/faults`, { method: 'DELETE' });
  assert.deepEqual([wrong.status, wrong.headers.get('allow')], [405, 'GET, PUT']);
  const url = `${simulator.url}/webevents/visitWebPage`;
  const big = await fetch(url, { method: 'POST', body: 'x'.repeat(65_537) });
  assert.deepEqual([big.status, (await big.json()).error], [413, 'body_too_large']);
  assert.equal((await fetch(url, { method: 'POST', body: 'x'.repeat(65_536) })).status, 200);
  assert.equal(simulator.events.length, 1);
});

test('its own page says what it is', async (t) => {
  const simulator = await simulatorFor(t);
  const response = await fetch(simulator.url);
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(await response.text(), /<h1>Marketo simulator<\/h1>/);
});

test('close ends at once with a stream, a hanging and a delayed answer open', async () => {
  const simulator = await startSimulator();
  const stream = await fetch(`${simulator.url}/_sim/events/stream`);
  simulator.faults.trackerDelayMs = 600_000;
  const delayed = fetch(`${simulator.url}/163/munchkin.js`);
  const awaited = simulator.waitFor(() => false, { timeout: 600_000 });
  await fetch(`${simulator.url}/_sim/events`);
  simulator.faults.hang = true;
  const hanging = fetch(`${simulator.url}/munchkin.js`);
  await fetch(`${simulator.url}/_sim/events`);
  const ended = [stream.text(), delayed, hanging].map((promise) => assert.rejects(promise));
  const failed = assert.rejects(awaited, /closed while an event was awaited\. None was received\./);
  await simulator.close();
  await simulator.close();
  await Promise.all([...ended, failed]);
});

test('wrong options are refused', async () => {
  const options = /** @type {any} */ ({ associateLead: 'maybe' });
  await assert.rejects(startSimulator(options), /must be "honoured" or "withdrawn", not "maybe"/);
});

/** @param {string[]} flags */
async function runToEnd(flags) {
  const simulator = spawn(process.execPath, [MAIN, ...flags]);
  let out = '';
  let err = '';
  simulator.stdout.on('data', (text) => (out += text));
  simulator.stderr.on('data', (text) => (err += text));
  const [code] = await once(simulator, 'close');
  return { code, out, err };
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  test(`the command prints one line and ends cleanly on ${signal}`, async (t) => {
    const flags = ['--port', '0', '--private-key', PRIVATE_KEY, '--associate-lead', 'withdrawn'];
    const simulator = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => simulator.kill('SIGKILL'));
    /** @type {string[]} */
    const lines = [];
    const output = createInterface(simulator.stdout).on('line', (line) => lines.push(line));
    const [line] = await once(output, 'line');
    const url = /http:\/\/127\.0\.0\.1:\d+$/.exec(line)?.[0] ?? '';
    assert.match(await (await fetch(`${url}/163/munchkin.js`)).text(), /"associateLead":"withdrawn"/);
    await post({ url }, 'associateLead', { _mchAtEmail: 'a@b.example', _mchKy: sha1(`${PRIVATE_KEY}a@b.example`) });
    assert.equal((await (await fetch(`${url}/_sim/events`)).json())[0].signature, 'valid');
    const stream = await fetch(`${url}/_sim/events/stream`);
    const streamEnds = assert.rejects(stream.text());
    simulator.kill(signal);
    assert.deepEqual(await once(simulator, 'close'), [0, null]);
    await streamEnds;
    assert.equal(lines.length, 1);
  });
}

test('the command refuses wrong flags with a sentence and exit code 2', async () => {
  /** @type {[flags: string[], message: RegExp][]} */
  const mistakes = [
    [['--prot', '8090'], /Unknown option '--prot'/],
    [['--port', '80a'], /--port must be a number from 0 to 65535, not "80a"\./],
    [['--port', '65536'], /--port must be a number from 0 to 65535, not "65536"\./],
    [['--associate-lead', 'maybe'], /--associate-lead must be "honoured" or "withdrawn", not "maybe"\./],
    [['--private-key', ''], /--private-key must not be empty\./],
    [['--host', ''], /--host must not be empty\./],
    [['--rest-client', 'secret'], /--rest-client must be two texts with a colon between them\. Try/],
    [['--soap-user', ':key'], /--soap-user must be two texts with a colon between them\./],
    [['--field', 'plan'], /--field must be a name and a type, one of string, .*, not "plan"\./],
    [['--field', 'plan:text:writable'], /--field must be/],
    [['--daily-quota', '-1'], /--daily-quota/],
    [['extra'], /Unexpected argument 'extra'/],
  ];
  const runs = await Promise.all(mistakes.map(([flags]) => runToEnd(flags)));
  for (const [index, { code, out, err }] of runs.entries()) {
    assert.match(err, mistakes[index][1]);
    assert.deepEqual([code, out], [2, '']);
  }
});

test('the command tells how to use it, and when the port is taken', async (t) => {
  const help = await runToEnd(['--help']);
  assert.deepEqual([help.code, help.err], [0, '']);
  for (const flag of ['--port', '--host', '--private-key', '--associate-lead', '--rest-client', '--soap-user', '--field', '--daily-quota', '--help']) {
    assert.ok(help.out.includes(flag));
  }
  const simulator = await simulatorFor(t);
  const taken = await runToEnd(['--port', new URL(simulator.url).port]);
  assert.deepEqual([taken.code, taken.out], [1, '']);
  assert.match(taken.err, /EADDRINUSE/);
});
