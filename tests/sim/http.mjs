const BODY_LIMIT_BYTES = 64 * 1024;

/**
 * @typedef {object} Exchange
 * @property {import('node:http').IncomingMessage} request
 * @property {import('node:http').ServerResponse} response
 * @property {RegExpExecArray} match   of the route's path
 * @property {URLSearchParams} query
 */

/**
 * @typedef {object} Route
 * @property {'GET' | 'POST' | 'PUT' | 'ANY'} method  ANY: whatever it is, and what no other route of the path takes
 * @property {RegExp} path
 * @property {(exchange: Exchange) => void | Promise<void>} handle
 */

/** A request that cannot be served; it is answered with this status, code and sentence, as JSON. */
export class RequestError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {string} contentType
 * @param {string} body
 */
export function answer(response, status, contentType, body) {
  // Faults can change what a URL answers from one request to the next, so nothing may be kept.
  response.writeHead(status, { 'Content-Type': contentType, 'Cache-Control': 'no-store' });
  response.end(body);
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {unknown} value
 */
export function answerJson(response, status, value) {
  answer(response, status, 'application/json; charset=utf-8', JSON.stringify(value));
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {() => void} then  is called once nobody waits for the answer any more
 */
export function onceGone(response, then) {
  if (response.destroyed) then();
  else response.once('close', then);
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {number} [limit]  in bytes
 * @returns {Promise<string>}
 */
export async function readBody(request, limit = BODY_LIMIT_BYTES) {
  /** @type {Buffer[]} */
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // What exceeds the limit is read but not kept: a sender that is cut off would not see the answer.
    if (size <= limit) chunks.push(chunk);
  }
  if (size > limit) {
    throw new RequestError(413, 'body_too_large', `The body has ${size} bytes; at most ${limit} are taken.`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * @param {Route[]} routes
 * @returns {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => void}
 */
export function createRequestListener(routes) {
  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async function respond(request, response) {
    const target = request.url ?? '/';
    const questionMark = target.indexOf('?');
    const path = questionMark < 0 ? target : target.slice(0, questionMark);
    // URLSearchParams takes any text: percent signs that encode nothing stay as they are.
    const query = new URLSearchParams(questionMark < 0 ? '' : target.slice(questionMark + 1));
    const candidates = routes.filter((route) => route.path.test(path));
    if (candidates.length === 0) throw new RequestError(404, 'not_found', 'The simulator serves nothing at this path.');

    const methods = [...new Set(candidates.map((route) => route.method))].join(', ');
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', methods);
      response.setHeader('Access-Control-Allow-Headers', '*');
      response.writeHead(204).end();
      return;
    }
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = candidates.find((candidate) => candidate.method === method || candidate.method === 'ANY');
    if (!route) {
      response.setHeader('Allow', methods);
      throw new RequestError(405, 'method_not_allowed', `This path takes ${methods}.`);
    }
    const match = /** @type {RegExpExecArray} */ (route.path.exec(path));
    await route.handle({ request, response, match, query });
  }

  return (request, response) => {
    // Pages of any origin are under test, and they may look at everything here.
    response.setHeader('Access-Control-Allow-Origin', '*');
    respond(request, response).catch((error) => {
      if (response.destroyed || response.headersSent) return;
      if (error instanceof RequestError) {
        answerJson(response, error.status, { error: error.code, message: error.message });
      } else {
        answerJson(response, 500, { error: 'internal', message: String(error) });
      }
    });
  };
}
