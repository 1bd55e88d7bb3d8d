/** munchkin-server with Marketo's SOAP API behind it: what arrives there, and what comes of each of its faults. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startSimulator } from '../sim/simulator.mjs';
import { request } from './http_client.mjs';
import { ORIGIN, runServer, startServer } from './server_process.mjs';

const USER = { id: 'bigcorp1_461839624B16E06BA2D663', key: 'fortesting-5f2c9' };
const WRITE_KEY = 'write-key-1';
const PATH = '/soap/mktows/3_1';
const COOKIE = 'id:561-HYG-937&token:_mch-marketo.com-1374552656411-90718';
const TOKEN = '_mch-marketo.com-1374552656411-90718';
/** What a gateway may answer in Marketo's name. */
const TIMEOUT = `<?xml version="1.0"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>
<SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode><faultstring>The backend did not answer in time</faultstring></SOAP-ENV:Fault>
</SOAP-ENV:Body></SOAP-ENV:Envelope>`;
const LONG_FIELDS = ['long1', 'long2', 'long3'].map((name) => ({ name, dataType: 'text' }));
const FIELDS = ['userId', 'favoriteColor__c', 'a', 'b'].map((name) => ({ name, dataType: 'string' })).concat(LONG_FIELDS);

/**
 * A simulated Marketo and a server that sends to its SOAP API; both go by a clock of the test's.
 * @param {import('node:test').TestContext} t
 * @param {{key?: string, soapUrl?: string, moreEnv?: Record<string, string>}} [options]
 */
async function worldFor(t, { key = USER.key, soapUrl, moreEnv = {} } = {}) {
  const marketo = await startSimulator({ soapUser: USER, fields: FIELDS });
  const folder = mkdtempSync(join(tmpdir(), 'soap-'));
  const clockFile = join(folder, 'clock');
  const env = {
    MUNCHKIN_TEST_CLOCK: clockFile,
    MARKETO_MUNCHKIN_ID: '561-HYG-937',
    MARKETO_SOAP_USER_ID: USER.id,
    MARKETO_SOAP_ENCRYPTION_KEY: key,
    ...moreEnv,
  };
  const activities = join(folder, 'activities.json');
  writeFileSync(activities, '{"Bought": {"activityTypeId": 100001}}');
  const database = ['--db', join(folder, 'munchkin.db')];
  const args = [
    ...database,
    ...['--backend', 'soap', '--soap-url', soapUrl ?? marketo.url + PATH, '--webevents-url', marketo.url],
    ...['--write-key', WRITE_KEY, '--allow-origin', ORIGIN, '--linger', '0', '--activities', activities],
  ];
  let ahead = 0n;
  /** @param {number} milliseconds */
  function advance(milliseconds) {
    marketo.clock.advance(milliseconds);
    ahead += BigInt(milliseconds);
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(ahead);
    writeFileSync(clockFile, bytes, { flag: 'r+' }); // in place: the file is mapped
  }
  writeFileSync(clockFile, Buffer.alloc(8));
  const server = await startServer({ args, env });
  t.after(async () => {
    const code = await server.stop();
    await marketo.close();
    rmSync(folder, { recursive: true });
    assert.equal(code, 0, server.output());
    assert.ok(!server.output().includes(key), 'the key is in no log');
    assert.doesNotMatch(server.output(), /@|requestSignature/, 'no e-mail address is, either');
  });

  /** @param {string} type @param {object} message */
  async function send(type, message) {
    const headers = { Authorization: `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}`, 'Content-Type': 'application/json' };
    const { status, body } = await request(`${server.url}/v1/${type}`, { method: 'POST', headers, body: JSON.stringify(message) });
    assert.equal(status, 200, String(body));
  }

  /** What a command of the server's says. @param {string[]} command */
  async function run(command) {
    const child = runServer(command[0] === '--check' ? [...args, ...command] : [...command, ...database], env);
    const [code] = await once(child.child, 'close');
    return { code, text: child.output() };
  }

  return {
    marketo,
    server,
    send,
    run,
    advance,
    /** @param {string} email @param {object} [traits] */
    identify: (email, traits = {}) => send('identify', { userId: 'u1', traits: { email, ...traits } }),
    /** Lets time pass until something has happened. @param {() => unknown} condition @param {number} [step] */
    async passUntil(condition, step = 1000) {
      for (let i = 0; i < 400; i += 1) {
        await delay(30);
        if (await condition()) return;
        advance(step);
      }
      throw new Error(`In vain: ${condition}\n${JSON.stringify(marketo.soap.calls)}\n${server.output()}`);
    },
    /** Waits, without any time passing by the clock. @param {() => unknown} condition */
    async until(condition) {
      for (let i = 0; i < 500 && !condition(); i += 1) await delay(10);
      assert.ok(condition(), `${condition}\n${JSON.stringify(marketo.soap.calls)}\n${server.output()}`);
    },
    async dead() {
      const { code, text } = await run(['dead', 'list', '--json']);
      assert.equal(code, 0, text);
      return JSON.parse(text);
    },
  };
}

/** @param {import('../sim/simulator.mjs').Simulator} marketo */
const codes = (marketo) => marketo.soap.calls.map(({ code }) => code);

test('leads by e-mail and by cookie, as the Java and Ruby examples send them', async (t) => {
  const { marketo, send, until, passUntil } = await worldFor(t);
  await send('identify', { userId: 'hj2kf92ds212', traits: { email: 'tom@initech.com', name: 'Tom Smykowski' } });
  await send('identify', {
    userId: '019mr8mf4r',
    traits: { firstName: 'Jake', lastName: 'Peterson' },
    context: { Marketo: { marketoCookie: COOKIE } },
  });
  await until(() => marketo.leadsById.size === 2);
  const tom = marketo.leads.get('tom@initech.com');
  assert.deepEqual(tom?.fields, { Email: 'tom@initech.com', FirstName: 'Tom', LastName: 'Smykowski', UserId: 'hj2kf92ds212' });
  const jake = [...marketo.leadsById.values()].find(({ fields }) => fields.FirstName === 'Jake');
  assert.deepEqual(jake?.tokens, [TOKEN]);

  // Its e-mail comes later, by the user id alone: no second lead, and a visit under the cookie's token.
  await send('identify', { userId: '019mr8mf4r', traits: { email: 'jake@segment.example' } });
  await send('track', { userId: '019mr8mf4r', event: 'Signed up', context: { Marketo: { marketoCookie: COOKIE } } });
  await passUntil(() => marketo.leads.has('jake@segment.example') && jake?.visits.length === 1);
  assert.equal(marketo.leadsById.size, 2);
  assert.equal(marketo.leads.get('jake@segment.example')?.fields.LastName, 'Peterson');
  assert.ok(codes(marketo).every((code) => code === ''));
});

test('whatever a field holds arrives as it is, or as XML can say it', async (t) => {
  const { marketo, identify, until } = await worldFor(t);
  await identify('ada@example.com', { a: `<&>"' ]]> \r\n\t Ünï 😀`, b: 'nul\u0000 bell\u0007 \uffff' });
  await until(() => marketo.leads.has('ada@example.com'));
  const { A, B } = marketo.leads.get('ada@example.com')?.fields ?? {};
  assert.equal(A, `<&>"' ]]> \r\n\t Ünï 😀`);
  assert.equal(B, 'nul\ufffd bell\ufffd \ufffd');
});

test('a lead is synced once in 30 seconds, with the newest of its fields', async (t) => {
  const { marketo, identify, until, advance, passUntil } = await worldFor(t);
  await identify('ada@example.com', { a: '1' });
  await until(() => marketo.soap.calls.length === 1);
  for (let i = 2; i <= 5; i += 1) await identify('ada@example.com', { a: String(i), b: `b${i}` });
  advance(29_000);
  await delay(200);
  assert.equal(marketo.soap.calls.length, 1);
  await passUntil(() => marketo.soap.calls.length === 2);
  await until(() => marketo.leads.get('ada@example.com')?.fields.A === '5');
  assert.equal(marketo.leads.get('ada@example.com')?.fields.B, 'b5');
  assert.deepEqual(codes(marketo), ['', '']);
  assert.deepEqual(marketo.soap.overlaps, []);
});

test('the next visitor of a browser does not become the former one', async (t) => {
  const { marketo, server, passUntil, until } = await worldFor(t);
  /** @param {string} email */
  const come = async (email) => {
    const body = JSON.stringify({ traits: { email }, cookie: COOKIE, url: 'https://www.example.com/' });
    const { status } = await request(`${server.url}/v1/lead`, { method: 'POST', headers: { 'Content-Type': 'text/plain', Origin: ORIGIN }, body });
    assert.equal(status, 202);
  };
  await come('ada@example.com');
  await passUntil(() => marketo.leads.get('ada@example.com')?.tokens.includes(TOKEN));
  await come('bob@example.com');
  await until(() => marketo.leads.has('bob@example.com'));
  await passUntil(() => marketo.soap.calls.length >= 4);
  assert.equal(marketo.leadsById.size, 2);
  assert.equal(marketo.leads.get('ada@example.com')?.fields.Email, 'ada@example.com');
});

for (const [code, step] of /** @type {[number, number][]} */ ([[10001, 1000], [20011, 1000], [20023, 1000], [20024, 1000], [20016, 1000], [20014, 60_000], [20013, 60_000], [20015, 300_000], [20012, 1000]])) {
  test(`fault ${code}: tried again, and nothing is lost`, async (t) => {
    const { marketo, identify, passUntil, dead } = await worldFor(t);
    marketo.faults.calls.push({ code, times: 2 });
    await identify('ada@example.com');
    await identify('bob@example.com');
    await passUntil(() => marketo.leads.has('ada@example.com'), step);
    await passUntil(() => marketo.leads.has('bob@example.com'), step);
    assert.deepEqual(codes(marketo).filter(Boolean), [String(code), String(code)]);
    assert.deepEqual(await dead(), []);
  });
}

test('a fault that nobody knows, after an outage in which the lead went in vain: it says nothing of the lead', async (t) => {
  const { marketo, identify, passUntil, dead } = await worldFor(t);
  marketo.faults.calls.push({ path: PATH, status: 503, times: 6 }, { path: PATH, code: 20999 });
  await identify('ada@example.com');
  await passUntil(() => marketo.leads.has('ada@example.com'), 10_000);
  assert.deepEqual(await dead(), []);
});

for (const [what, text] of [['', undefined], [', in a SOAP fault', TIMEOUT]]) {
  test(`a gateway that has given up a call${what}: the lead is sent again once Marketo has surely ended with it`, async (t) => {
    const { marketo, identify, passUntil, until } = await worldFor(t);
    marketo.faults.calls.push({ path: PATH, status: 504, ...(text && { text, type: 'text/xml' }) });
    await identify('ada@example.com');
    await until(() => marketo.soap.calls.length === 1);
    await passUntil(() => marketo.leads.has('ada@example.com'), 5000);
    const [first, second] = marketo.soap.calls;
    assert.ok(second.at - first.at >= 90_000 - 1000, `${second.at - first.at} ms`);
  });
}

test('a proxy that refuses to connect once: the lead has not left, and goes again soon', async (t) => {
  let tunnels = 0;
  const proxy = createServer().on('connect', (_, socket) => {
    tunnels += 1;
    socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => proxy.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (proxy.address());
  const { marketo, identify, passUntil, until } = await worldFor(t, {
    soapUrl: `https://marketo.invalid${PATH}`,
    moreEnv: { https_proxy: `http://127.0.0.1:${port}` },
  });
  await identify('ada@example.com');
  await until(() => tunnels === 1);
  const start = marketo.clock.now();
  await passUntil(() => tunnels === 2);
  assert.ok(marketo.clock.now() - start < 90_000, `${marketo.clock.now() - start} ms`);
});

test('an expired signature is made again at once', async (t) => {
  const { marketo, identify, until } = await worldFor(t);
  marketo.faults.calls.push({ code: 20016 });
  await identify('ada@example.com');
  await until(() => marketo.leads.has('ada@example.com'));
  assert.deepEqual(codes(marketo), ['20016', '']);
});

test('when the day is used up, all wait for midnight, US Central', async (t) => {
  const { marketo, identify, until, advance, passUntil } = await worldFor(t);
  const central = new Intl.DateTimeFormat('en-GB', { timeZone: 'America/Chicago', timeStyle: 'medium' });
  const untilMidnight = () => {
    const [hours, minutes, seconds] = central.format(marketo.clock.now()).split(':').map(Number);
    return 86_400_000 - ((hours * 60 + minutes) * 60 + seconds) * 1000;
  };
  advance(untilMidnight() + 43_200_000); // to a noon: midnight is not to come by while the test looks
  marketo.faults.calls.push({ code: 20015 });
  await identify('ada@example.com');
  await until(() => marketo.soap.calls.length === 1);
  const left = untilMidnight();
  await identify('bob@example.com');
  advance(left - 20_000);
  await delay(200);
  assert.equal(marketo.soap.calls.length, 1);
  await passUntil(() => marketo.leads.size === 2);
});

test('wrong credentials: one call in five minutes, one line in the log, and all goes out once they are right', async (t) => {
  const { marketo, identify, until, passUntil, server, dead } = await worldFor(t);
  marketo.faults.calls.push({ code: 20014, times: 4 });
  await identify('ada@example.com');
  await until(() => marketo.soap.calls.length === 1);
  for (let i = 0; i < 7; i += 1) await identify(`lead${i}@example.com`);
  await passUntil(() => marketo.soap.calls.length === 4, 10_000);
  const times = marketo.soap.calls.map(({ at }) => at);
  const pauses = times.slice(1).map((at, i) => at - times[i]);
  assert.ok(pauses.every((pause) => pause >= 300_000), `${pauses}`);
  await passUntil(() => marketo.leads.size === 8, 60_000);
  assert.equal(server.output().split('marketo_refuses').length, 2);
  assert.match(server.output(), /marketo_recovered/);
  assert.deepEqual(await dead(), []);
});

for (const code of [20101, 20102, 20103, 20104, 20105, 20106, 20107, 20108, 20109, 20110]) {
  test(`fault ${code}: kept as a dead letter, and others go on`, async (t) => {
    const { marketo, identify, until, dead, run, passUntil } = await worldFor(t);
    marketo.faults.records['ada@example.com'] = code;
    await identify('ada@example.com', { firstName: 'Ada' });
    await identify('bob@example.com');
    await until(() => marketo.leads.has('bob@example.com') && marketo.soap.calls.length === 2);
    assert.ok(!marketo.leads.has('ada@example.com'));
    await until(() => codes(marketo).includes(String(code)));
    let letters = await dead();
    for (let i = 0; i < 100 && letters.length === 0; i += 1) letters = await dead();
    assert.equal(letters.length, 1);
    assert.equal(letters[0].code, String(code));
    assert.equal(letters[0].kind, 'lead');
    assert.match(letters[0].reason, new RegExp(`\\(${code}\\)`));

    // Once its fault is mended, a person sends it again.
    delete marketo.faults.records['ada@example.com'];
    assert.equal((await run(['dead', 'retry', 'all'])).code, 0);
    await passUntil(() => marketo.leads.get('ada@example.com')?.fields.FirstName === 'Ada', 10_000);
    assert.deepEqual(await dead(), []);
  });
}

for (const fault of /** @type {import('../sim/call-faults.mjs').CallFault[]} */ ([
  { answer: 'reset' },
  { answer: 'rubbish' },
  { answer: 'truncated' },
  { answer: 'empty' },
  { status: 503 },
  { code: 20011, carriedOut: true },
])) {
  test(`${JSON.stringify(fault)} in place of an answer: tried again, and one lead in the end`, async (t) => {
    const { marketo, identify, passUntil, dead } = await worldFor(t);
    marketo.faults.calls.push({ ...fault, times: 2 });
    await identify('ada@example.com', { a: 'x' });
    await passUntil(() => marketo.soap.calls.some(({ code, status }) => status === 200 && code === '') && marketo.faults.calls.length === 0);
    await passUntil(() => marketo.leads.get('ada@example.com')?.fields.A === 'x');
    assert.equal(marketo.leadsById.size, 1);
    assert.deepEqual(await dead(), []);
  });
}

test('a lead that has come to hold more than a call takes goes in two, and holds up nobody', async (t) => {
  const { marketo, identify, send, until, passUntil, dead } = await worldFor(t);
  const long = 'x'.repeat(25_000);
  marketo.faults.calls.push({ status: 503, delayMs: 3000 });
  await identify('ada@example.com', { long1: long });
  await until(() => marketo.soap.calls.length === 1);
  await identify('ada@example.com', { long2: long });
  await identify('ada@example.com', { long3: long }); // with what is on its way, more than 64 KB
  await passUntil(() => marketo.soap.calls.length > 1);
  await send('identify', { userId: 'u2', traits: { email: 'grace@example.com' } });
  await passUntil(() => marketo.leads.has('grace@example.com'));
  const ada = () => marketo.leads.get('ada@example.com')?.fields ?? {};
  await passUntil(() => ada().Long1 === long && ada().Long2 === long && ada().Long3 === long);
  assert.deepEqual(await dead(), []);
});

test('a lead that somebody else has just synced waits until its lock is over', async (t) => {
  const { marketo, identify, passUntil, dead } = await worldFor(t);
  await identify('ada@example.com', { a: '1' });
  await passUntil(() => marketo.leads.size === 1, 0);
  marketo.soap.limits.lockMs = 45_000;
  await identify('ada@example.com', { a: '2' });
  await passUntil(() => marketo.leads.get('ada@example.com')?.fields.A === '2');
  assert.deepEqual(codes(marketo), ['', '20011', '']);
  assert.deepEqual(await dead(), []);
});

test('a custom activity cannot be said in SOAP, and is a dead letter', async (t) => {
  const { marketo, send, until, dead, passUntil } = await worldFor(t);
  await send('identify', { userId: 'u1', traits: { email: 'ada@example.com' } });
  await until(() => marketo.leads.has('ada@example.com'));
  await send('track', { userId: 'u1', event: 'Bought' });
  /** @type {any[]} */
  let letters = [];
  await passUntil(async () => (letters = await dead()).length > 0);
  assert.deepEqual(letters.map(({ kind, code }) => [kind, code]), [['activity', 'activity_unsupported']]);
});

test('--check tells right credentials from wrong ones, and changes nothing', async (t) => {
  const right = await worldFor(t);
  const good = await right.run(['--check']);
  assert.equal(good.code, 0, good.text);
  assert.match(good.text, /^note +activities +SOAP sends none: .*activity_unsupported$/m);
  right.marketo.faults.calls.push({ code: 20103 });
  assert.equal((await right.run(['--check'])).code, 0);
  right.marketo.faults.calls.push({ answer: 'rubbish' });
  const gateway = await right.run(['--check']);
  assert.notEqual(gateway.code, 0);
  assert.match(gateway.text, /--soap-url/);
  assert.equal(right.marketo.leadsById.size, 0);
  const nobody = await right.run(['--check', '--soap-url', 'http://user:hidden@127.0.0.1:1/soap']);
  assert.notEqual(nobody.code, 0);
  assert.match(nobody.text, /^WRONG +credentials +127\.0\.0\.1:1 does not answer \(Couldn't connect to server\); look at --soap-url and the network\.$/m);

  const wrong = await worldFor(t, { key: 'not the key' });
  const bad = await wrong.run(['--check']);
  assert.notEqual(bad.code, 0);
  assert.match(bad.text, /encryption key/);
  assert.doesNotMatch(bad.text, /not the key/);
});
