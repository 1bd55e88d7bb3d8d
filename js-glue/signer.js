/**
 * Signs associateLead for a site's own back end: what munchkin-server's POST /v1/lead does, as a
 * function of a Request, by the same C. For servers only: it holds the private key.
 */

import { signerBytes } from '#generated/signer-wasm.js';
import { sentences } from '#generated/server-sentences.js';
import { createHost, REQUEST_MAX } from './rules.js';

export { createTokenIssuer } from './token-issuer.js';

/** The longest body. */
const BODY_MAX = 65536;

/** The longest key; as in src/server/secret.c. */
const KEY_MAX = 1024;

/** SHA-1 in hexadecimal. */
const HASH_LENGTH = 40;

/** @type {Record<string, number>} */
const STATUS = {
  origin_not_allowed: 403,
  not_authorized: 403,
  method_not_allowed: 405,
  body_too_large: 413,
  authorize_failed: 500,
};

/**
 * May whoever sent this request have this e-mail signed? With a hash the lead of that address can
 * be overwritten, so say yes only for the address of the person who is signed in.
 * @callback Authorize
 * @param {Request} request
 * @param {string} email
 * @param {any} [incoming] what handleNode was given, with all that Express's middleware has put there
 * @returns {boolean | Promise<boolean>}
 */

/**
 * An IncomingMessage of node:http, node:http2 or Express.
 * @typedef {{method?: string, url?: string, headers: object, body?: unknown, readableDidRead?: boolean,
 *   destroyed?: boolean}} Incoming
 */

/**
 * @typedef {object} SignerOptions
 * @property {string} privateKey the Munchkin API private key
 * @property {Authorize} authorize
 * @property {string[]} [origins] pages of other origins that may ask, such as https://www.example.com
 * @property {WebAssembly.Module} [module] of munchkin-shim/munchkin_signer.wasm, where compiling is
 *   not allowed at run time
 */

/**
 * @typedef {ReturnType<typeof createSigner>} Signer
 * @typedef {import('./token-issuer.js').TokenIssuerOptions} TokenIssuerOptions
 * @typedef {ReturnType<typeof import('./token-issuer.js').createTokenIssuer>} TokenIssuer
 */

/** The C module, with bytes in and text out. @param {WebAssembly.Module} module */
function connectSigner(module) {
  const host = createHost();
  /** @type {any} */
  const { exports } = new WebAssembly.Instance(module, host.imports);
  host.connect(exports);
  const encoder = new TextEncoder();

  /** @param {Uint8Array[]} pieces written one behind the other */
  const input = (...pieces) => {
    let address = exports.ms_input(pieces.reduce((sum, { length }) => sum + length, 0));
    if (address === 0) throw new RangeError('More than 64 KB to sign.');
    for (const piece of pieces) {
      new Uint8Array(exports.memory.buffer, address).set(piece);
      address += piece.length;
    }
  };
  /** @param {number} address @param {number} [length] up to a NUL without it */
  const text = (address, length) => {
    const bytes = new Uint8Array(exports.memory.buffer, address);
    return new TextDecoder().decode(bytes.subarray(0, length ?? bytes.indexOf(0)));
  };

  return {
    /** What a request asks about. @param {Uint8Array} body @returns {{email: string} | {error: string}} */
    emailOf(body) {
      if (body.length > REQUEST_MAX) return { error: 'too_large' };
      input(body);
      const answer = text(exports.ms_email(body.length));
      return answer[0] === ' ' ? { email: answer.slice(1) } : { error: answer };
    },
    /** @param {string} privateKey @param {string} email @returns {string} */
    hash(privateKey, email) {
      const [key, address] = [encoder.encode(privateKey), encoder.encode(email)];
      input(key, address);
      return text(exports.ms_hash(key.length, address.length), HASH_LENGTH);
    },
  };
}

/** A body, or undefined as soon as it is longer than it may be. @param {Request} request */
async function readBody(request) {
  if (Number(request.headers.get('content-length')) > BODY_MAX) return undefined;
  const body = new Uint8Array(BODY_MAX);
  let length = 0;
  const reader = request.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    if (length + part.value.length > BODY_MAX) {
      await reader?.cancel();
      return undefined;
    }
    body.set(part.value, length);
    length += part.value.length;
  }
  return body.subarray(0, length);
}

/** What stands for the origin, which a request in Node.js does not tell. */
const BASE = 'http://localhost';

/** What is to be read yet, or what a body parser has read. @param {Incoming} incoming @returns {any} */
function bodyOf(incoming) {
  const { body = '', readableDidRead, destroyed } = incoming;
  // Express 4 has a body, {}, even where its parser has left the request alone. Of a client that is gone before its end, no
  // Request takes what has come.
  if (readableDidRead === false) return destroyed ? '' : incoming;
  return typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
}

/** A request as fetch has it. Nothing that a client can send may make this throw. @param {Incoming} incoming */
function requestOf(incoming) {
  const { method = '', url = '', headers: received } = incoming;
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    if (name[0] !== ':') headers.set(name, String(value)); // as HTTP/2 has its :method
  }
  const address = new URL(URL.canParse(url, BASE) ? url : '', BASE);
  address.username = address.password = ''; // no Request takes them
  if (method === 'POST') return new Request(address, { method, headers, ...{ body: bodyOf(incoming), duplex: 'half' } });
  // All others are refused alike, but not all are allowed in a Request, such as TRACE.
  return new Request(address, { method: method === 'OPTIONS' ? method : 'GET', headers });
}

/**
 * Throws a TypeError unless there is a key of at most 1,024 bytes and a function that decides who gets a hash.
 * @param {SignerOptions} options
 */
export function createSigner({ privateKey, authorize, origins = [], module }) {
  if (typeof privateKey !== 'string' || privateKey === '') throw new TypeError('createSigner needs a privateKey.');
  if (privateKey.length > KEY_MAX) throw new TypeError('createSigner needs a privateKey of at most 1,024 bytes.');
  if (typeof authorize !== 'function') {
    throw new TypeError('createSigner needs an authorize function: who can get a hash can overwrite that lead.');
  }
  const signer = connectSigner(module || new WebAssembly.Module(signerBytes()));

  /** @param {Request} request */
  const headersFor = (request) => {
    const origin = request.headers.get('origin');
    /** @type {Record<string, string>} */
    const headers = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', Vary: 'Origin' };
    if (origin && origins.includes(origin)) {
      headers['Access-Control-Allow-Origin'] = origin;
      headers['Access-Control-Allow-Credentials'] = 'true';
    }
    return headers;
  };

  /** @param {Request} request @param {Incoming} [incoming] @returns {Promise<{hash: string} | {error: string}>} */
  const answer = async (request, incoming) => {
    const origin = request.headers.get('origin');
    if (origins.length && origin && !origins.includes(origin)) return { error: 'origin_not_allowed' };
    if (request.method !== 'POST') return { error: 'method_not_allowed' };
    let body;
    try {
      body = await readBody(request);
    } catch (reason) {
      return { error: 'json_invalid' }; // the client is gone before its end
    }
    if (!body) return { error: 'body_too_large' };
    const asked = signer.emailOf(body);
    if ('error' in asked) return asked;
    try {
      if ((await authorize(request, asked.email, incoming)) !== true) return { error: 'not_authorized' };
    } catch (reason) {
      console.error('munchkin-shim: authorize threw', reason);
      return { error: 'authorize_failed' };
    }
    return { hash: signer.hash(privateKey, asked.email) };
  };

  /** @param {Request} request @param {Incoming} [incoming] */
  const respond = async (request, incoming) => {
    const headers = headersFor(request);
    if (request.method === 'OPTIONS' && headers['Access-Control-Allow-Origin']) {
      Object.assign(headers, {
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': 'content-type',
        'Access-Control-Max-Age': '86400',
      });
      return new Response(null, { status: 204, headers });
    }
    /** @type {any} */
    const answered = await answer(request, incoming);
    if (answered.hash) return Response.json(answered, { headers });
    const { error } = answered;
    if (error === 'method_not_allowed') headers.Allow = 'POST, OPTIONS';
    return Response.json({ error, message: sentences[error] }, { status: STATUS[error] || 400, headers });
  };

  return {
    /**
     * The hash of an e-mail, for a page that is made with it: `{integrations: {Marketo: {hash}}}`.
     * Throws a RangeError for what is no e-mail.
     * @param {string} email
     */
    hash(email) {
      const asked = signer.emailOf(new TextEncoder().encode(JSON.stringify({ email: String(email) })));
      if ('error' in asked) throw new RangeError(`Not an e-mail address (${asked.error}).`);
      return signer.hash(privateKey, asked.email);
    },

    /**
     * Answers POST …/v1/lead, as munchkin-server does. For Next.js route handlers, Deno, Bun, edge runtimes.
     * @param {Request} request
     * @returns {Promise<Response>}
     */
    handle: (request) => respond(request),

    /**
     * The same for node:http and Express, before or behind a body parser.
     * @param {Incoming} incoming
     * @param {{headersSent?: boolean, writeHead: (status: number, headers: Record<string, string>) => unknown,
     *   end: (text: string) => unknown}} outgoing a ServerResponse
     * @returns {Promise<void>}
     */
    async handleNode(incoming, outgoing) {
      const response = await respond(requestOf(incoming), incoming);
      if (outgoing.headersSent) return; // by a timeout of the site's, which the client was too slow for
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.end(await response.text());
    },
  };
}
