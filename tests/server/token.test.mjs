/** Tokens: who may get a hash, or send a lead, where the server has a secret of the site's back end. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createClock } from '../sim/clock.mjs';
import { createTestClock } from './clock.mjs';
import { askForHash, request } from './http_client.mjs';
import { cookieOf, eventually, intakeFor, REST } from './intake.mjs';
import { inProc } from './process_memory.mjs';
import { KEY, ORIGIN, serverFor, UNDER_VALGRIND } from './server_process.mjs';
import { fromNow, SECRET, tokenFor, tokenVectors } from './tokens.mjs';

const EMAIL = 'ada@example.com';
const TOKENS = { MUNCHKIN_TOKEN_SECRET: SECRET };
const UNLIMITED = ['--rate-limit', '0', '--rate-limit-email', '0'];
const { now, secrets, vectors } = tokenVectors();

/** @param {string} email */
const hashOf = (email) => createHash('sha1').update(KEY + email).digest('hex');

/** As a page sends a lead. @param {{url: string}} server @param {unknown} body @param {string} [origin] */
const sendLead = (server, body, origin = ORIGIN) =>
  request(`${server.url}/v1/lead`, { method: 'POST', headers: { 'Content-Type': 'text/plain', Origin: origin }, body: JSON.stringify(body) });

/** That it is refused, in a way that the page can read. @param {import('./http_client.mjs').Answer} answer @param {string} code @param {string} [about] */
function assertRefused({ status, headers, json, body }, code, about = code) {
  assert.deepEqual([status, json?.error], [code === 'body_too_large' ? 413 : 403, code], about);
  assert.match(json.message, /^[A-Z].+\.$/, about);
  assert.equal(headers['access-control-allow-origin'], ORIGIN, about);
  assert.equal(headers['www-authenticate'], undefined, about);
  assert.ok(!body.includes(hashOf(EMAIL)), about);
}

for (const audience of new Set(vectors.map((vector) => vector.audience))) {
  test(`every token of the vectors, for ${audience ? 'an audience' : 'no audience'}, at both paths`, async (t) => {
    const clock = createTestClock({ clock: createClock() });
    t.after(() => clock.close());
    const server = await serverFor(t, {
      args: [...UNLIMITED, ...(audience ? ['--token-audience', audience] : [])],
      env: { MUNCHKIN_TOKEN_SECRET: secrets[0], MUNCHKIN_TOKEN_SECRET_2: secrets[1], ...clock.env },
    });
    clock.advance(now * 1000 - Date.now());
    const mine = vectors.filter((vector) => vector.audience === audience && !vector.exact);
    assert.ok(mine.length > 10);
    for (const { name, token, email, error } of mine) {
      const asked = email ?? EMAIL;
      if (token.length >= 1 << 20) {
        // Refused by its headers, whoever it is from; who goes on writing may find the connection closed before the answer.
        const answer = await askForHash(server, { email: asked, token }).catch((reason) => reason);
        assert.ok(answer.status === 413 || ['ECONNRESET', 'EPIPE'].includes(answer.code), `${name}: ${answer}`);
        continue;
      }
      const sendings = /** @type {[import('./http_client.mjs').Answer, number][]} */ ([
        [await askForHash(server, { email: asked, token }), 16_384],
        [await sendLead(server, { userId: '1', traits: { email: asked }, token }), 65_536],
      ]);
      for (const [answer, most] of sendings) {
        if (email) assert.deepEqual([answer.status, answer.json], [200, { hash: hashOf(email) }], name);
        else assertRefused(answer, token.length > most ? 'body_too_large' : String(error), name);
      }
    }
  });
}

test('the vectors are what they say', () => {
  for (const { name, token, header, claims } of vectors) {
    const [first, second] = token.split('.');
    // Unless they are about how these are written.
    if (header === undefined || /empty|cut off|Bearer|space|five parts/.test(name)) continue;
    assert.equal(Buffer.from(first, 'base64url').toString(), header, name);
    if (claims !== undefined && !name.startsWith('other claims')) assert.equal(Buffer.from(second, 'base64url').toString(), claims, name);
  }
});

test('without a token, or with what is none, there is no hash', async (t) => {
  const server = await serverFor(t, { args: UNLIMITED, env: TOKENS });
  for (const token of [undefined, null, '']) {
    assertRefused(await askForHash(server, { email: EMAIL, token }), 'token_missing');
    assertRefused(await sendLead(server, { traits: { email: EMAIL }, token }), 'token_missing');
  }
  for (const token of [7, true, {}, [tokenFor(EMAIL)], { token: tokenFor(EMAIL) }, `${tokenFor(EMAIL)}\0`]) {
    assertRefused(await askForHash(server, { email: EMAIL, token }), 'token_invalid');
  }
  // Only the body counts: what is in the URL ends up in logs, and a header would need a preflight.
  const elsewhere = await request(`${server.url}/v1/hash?token=${tokenFor(EMAIL)}`, {
    method: 'POST',
    headers: { Origin: ORIGIN, Authorization: `Bearer ${tokenFor(EMAIL)}`, Cookie: `token=${tokenFor(EMAIL)}` },
    body: JSON.stringify({ email: EMAIL, Token: tokenFor(EMAIL) }),
  });
  assertRefused(elsewhere, 'token_missing');
});

test("the token's e-mail is the request's, but for the case of letters", async (t) => {
  const server = await serverFor(t, { args: UNLIMITED, env: TOKENS });
  const token = tokenFor(EMAIL);
  for (const email of [EMAIL, 'Ada@Example.COM', `  ${EMAIL} `]) {
    assert.deepEqual((await askForHash(server, { email, token })).json, { hash: hashOf(email.trim()) });
    assert.deepEqual((await sendLead(server, { traits: { email }, token })).json, { hash: hashOf(email.trim()) });
  }
  for (const email of ['eve@example.com', 'ada@example.co', 'ada@example.com.evil.example', 'bada@example.com', 'ada+x@example.com', 'a.da@example.com']) {
    assertRefused(await askForHash(server, { email, token }), 'token_email_differs', email);
    assertRefused(await sendLead(server, { traits: { email }, token }), 'token_email_differs', email);
  }
});

test("a lead's e-mail is the one that its rules pick, wherever it says another", async (t) => {
  const server = await serverFor(t, { args: UNLIMITED, env: TOKENS });
  const token = tokenFor(EMAIL);
  for (const lead of [{ userId: EMAIL }, { userId: 'eve@example.com', traits: { Email: EMAIL } }, { userId: EMAIL, traits: {} }]) {
    assert.deepEqual((await sendLead(server, { ...lead, token })).json, { hash: hashOf(EMAIL) }, JSON.stringify(lead));
  }
  for (const lead of [
    { email: EMAIL, traits: { email: 'eve@example.com' } },
    { userId: EMAIL, traits: { email: 'eve@example.com' } },
    { userId: EMAIL, traits: { EMAIL: 'eve@example.com' } },
    { userId: 'eve@example.com', traits: { mail: EMAIL } },
  ]) {
    assertRefused(await sendLead(server, { ...lead, token }), 'token_email_differs', JSON.stringify(lead));
  }
  // Said twice, the one that is signed is the one that was compared.
  const twice = `{"email":"${EMAIL}","email":"eve@example.com","token":"${token}"}`;
  assert.deepEqual((await askForHash(server, twice)).json, { hash: hashOf(EMAIL) });
  assertRefused(await askForHash(server, `{"email":"eve@example.com","email":"${EMAIL}","token":"${token}"}`), 'token_email_differs');
});

test('a token does not stand in for the origin', async (t) => {
  const server = await serverFor(t, { args: UNLIMITED, env: TOKENS });
  const body = { email: EMAIL, traits: { email: EMAIL }, token: tokenFor(EMAIL) };
  for (const answer of [
    await askForHash(server, body, { origin: 'https://evil.example' }),
    await sendLead(server, body, 'https://evil.example'),
  ]) {
    assert.deepEqual([answer.status, answer.json.error], [403, 'origin_not_allowed']);
    assert.equal(answer.headers['access-control-allow-origin'], undefined);
  }
  assert.equal((await askForHash(server, { email: 'none', token: tokenFor(EMAIL) })).json.error, 'email_invalid');
});

test('a token ends, and a minute later is refused', async (t) => {
  const clock = createTestClock({ clock: createClock() });
  t.after(() => clock.close());
  const server = await serverFor(t, { args: UNLIMITED, env: { ...TOKENS, ...clock.env } });
  const token = tokenFor(EMAIL, { claims: { exp: fromNow(300) } });
  const ask = () => askForHash(server, { email: EMAIL, token });
  assert.equal((await ask()).status, 200);
  clock.advance(330_000);
  assert.equal((await ask()).status, 200, 'within the skew of the clocks');
  clock.advance(60_000);
  assertRefused(await ask(), 'token_expired');
});

test('two secrets count at once, so that one can be replaced by the other', async (t) => {
  const [old, next] = ['the old secret of this site, long', 'the new secret of this site, long'];
  const ask = async (/** @type {{url: string}} */ server, /** @type {string} */ secret) =>
    (await askForHash(server, { email: EMAIL, token: tokenFor(EMAIL, { secret }) })).status;
  const both = await serverFor(t, { env: { MUNCHKIN_TOKEN_SECRET: old, MUNCHKIN_TOKEN_SECRET_2: next } });
  assert.deepEqual([await ask(both, old), await ask(both, next), await ask(both, SECRET)], [200, 200, 403]);
  const later = await serverFor(t, { env: { MUNCHKIN_TOKEN_SECRET: next } });
  assert.deepEqual([await ask(later, old), await ask(later, next)], [403, 200]);
  const second = await serverFor(t, { env: { MUNCHKIN_TOKEN_SECRET_2: next } });
  assert.deepEqual([await ask(second, old), await ask(second, next)], [403, 200]);
});

test('what is refused never reaches the queue; what is not, does', async (t) => {
  const { server, simulator, ask, post } = await intakeFor(t, { env: { ...REST, ...TOKENS }, args: ['--linger', '3600'] });
  const lead = (/** @type {string} */ email, /** @type {string | undefined} */ token) =>
    sendLead(server, { userId: '1', traits: { email, plan: 'pro' }, cookie: cookieOf(1), token });
  assertRefused(await lead('eve@example.com', undefined), 'token_missing');
  assertRefused(await lead('eve@example.com', tokenFor(EMAIL)), 'token_email_differs');
  assertRefused(await lead('eve@example.com', tokenFor('eve@example.com', { secret: 'x'.repeat(32) })), 'token_invalid');
  assert.equal(ask('status').leadsWaiting, 0);
  const good = await lead(EMAIL, tokenFor(EMAIL));
  assert.deepEqual([good.status, good.json], [202, { queued: true }]);
  assert.equal(ask('status').leadsWaiting, 1);
  // Servers have their write key, which no page has.
  assert.equal((await post('/v1/identify', { traits: { email: 'bob@example.com' } })).status, 200);
  assert.equal(simulator.leads.get('eve@example.com'), undefined);
});

test("a page's user id is believed if the token says it, and only then", async (t) => {
  const { server, simulator, post } = await intakeFor(t, { env: { ...REST, ...TOKENS } });
  /** @param {unknown} userId @param {string} email @param {object} [claims] */
  const lead = async (userId, email, claims) => {
    const { status } = await sendLead(server, { userId, traits: { email }, token: tokenFor(email, { claims }) });
    assert.equal(status, 202);
    return eventually(() => simulator.leads.get(email), email);
  };
  /** Whose is what a server says of a user id alone? @param {string | number} userId @param {string} plan */
  const said = async (userId, plan) => {
    assert.equal((await post('/v1/identify', { userId, traits: { company: plan } })).status, 200);
    return eventually(() => [...simulator.leads.values()].find(({ fields }) => fields.Company === plan)?.fields.Email, plan);
  };
  await lead('1234', EMAIL, { sub: '1234' });
  assert.equal(await said('1234', 'a'), EMAIL);
  await lead('1234', 'eve@example.com');
  assert.equal(await said('1234', 'b'), EMAIL, 'not who only says so');
  await lead('1234', 'eve@example.com', { sub: '4321' });
  assert.equal(await said('1234', 'c'), EMAIL);
  await lead(77, 'bob@example.com', { sub: 77 });
  assert.equal(await said(77, 'd'), 'bob@example.com');
});

test('the field UserId says what the token does, or nothing', async (t) => {
  const fields = [{ name: 'userId', soapName: 'UserId' }];
  const { server, simulator, post } = await intakeFor(t, { env: { ...REST, ...TOKENS }, simulator: { fields } });
  /** @param {object} body @param {string} email @param {object} [claims] */
  const lead = async (body, email, claims) => {
    const token = tokenFor(email, { claims });
    assert.equal((await sendLead(server, { traits: { email }, ...body, token })).status, 202);
    const { fields } = await eventually(() => simulator.leads.get(email), email);
    return fields.UserId;
  };
  const traitsOf = (/** @type {string} */ email) => ({ traits: { email, userId: '1234', UserID: '1234', 'user id': '1234' } });
  assert.equal(await lead({ userId: '1234' }, 'eve@example.com'), undefined);
  assert.equal(await lead(traitsOf('mal@example.com'), 'mal@example.com'), undefined);
  assert.equal(await lead({ userId: '77', ...traitsOf('bob@example.com') }, 'bob@example.com', { sub: '77' }), '77');
  assert.equal(await lead({ userId: '1' }, 'joe@example.com', { sub: '2' }), undefined);
  // So what a server says of that user id is nobody's yet.
  assert.equal((await post('/v1/identify', { userId: '1234', traits: { company: 'Engines' } })).status, 200);
  await eventually(() => [...simulator.leadsById.values()].find(({ fields }) => fields.Company === 'Engines' && fields.UserId === '1234'), 'a lead of its own');
  for (const email of ['eve@example.com', 'mal@example.com']) assert.equal(simulator.leads.get(email)?.fields.Company, undefined);
});

test("by whatever trait: nobody else's address becomes the lead's", async (t) => {
  const { server, simulator } = await intakeFor(t, { env: { ...REST, ...TOKENS } });
  const token = tokenFor(EMAIL);
  assert.equal((await sendLead(server, { traits: { email: EMAIL, plan: 'a' }, token })).status, 202);
  await eventually(() => simulator.leads.get(EMAIL), 'the lead');
  // From now on it is looked up by its id, so the address is a field like others.
  for (const name of ['e mail', 'E Mail', 'EM AIL', ' e m a i l ']) {
    const answer = await sendLead(server, { traits: { email: EMAIL, [name]: 'bob@example.com', company: name }, token });
    assert.ok(answer.status === 403 || answer.status === 202, String(answer.body));
  }
  assert.equal((await sendLead(server, { traits: { email: EMAIL, title: 'Countess' }, token })).status, 202);
  await eventually(() => simulator.leads.get(EMAIL)?.fields.Title === 'Countess', 'what came last');
  assert.equal(simulator.leads.get('bob@example.com'), undefined);
});

test('the whole way, to Marketo', async (t) => {
  const { server, simulator } = await intakeFor(t, { env: { ...REST, ...TOKENS } });
  assert.equal((await sendLead(server, { traits: { email: EMAIL }, token: tokenFor(EMAIL) })).status, 202);
  await eventually(() => simulator.leads.get(EMAIL), 'the lead');
});

test('without a secret a token does no harm, whatever it is', async (t) => {
  const server = await serverFor(t);
  for (const token of ['x', 7, tokenFor('eve@example.com'), null]) {
    assert.deepEqual((await askForHash(server, { email: EMAIL, token })).json, { hash: hashOf(EMAIL) });
  }
});

test('neither secrets nor tokens nor addresses are in an answer, in the log, or where other processes can look', async (t) => {
  const second = 'another secret of the site, which is new';
  const server = await serverFor(t, { args: UNLIMITED, env: { ...TOKENS, MUNCHKIN_TOKEN_SECRET_2: second } });
  const token = tokenFor(EMAIL);
  const answers = [
    await askForHash(server, { email: EMAIL, token }),
    await askForHash(server, { email: 'eve@example.com', token }),
    await askForHash(server, { email: EMAIL, token: tokenFor(EMAIL, { secret: second, claims: { exp: 0 } }) }),
    await askForHash(server, { email: EMAIL, token: `${token}x` }),
    await request(`${server.url}/metrics`),
  ];
  const seen = [...answers.map(({ headers, body }) => JSON.stringify(headers) + body), server.output()];
  if (!UNDER_VALGRIND) seen.push(...['cmdline', 'environ'].map((name) => String(inProc(server.pid, name)))); // else they are valgrind's own
  for (const text of seen) {
    for (const secret of [SECRET, second, token, token.split('.')[1], EMAIL]) assert.ok(!text.includes(secret), text);
  }
});
