/** One connection that stays open, for requests whose text is made beforehand: what it costs is the server's, not ours. */

import { connect } from 'node:net';

/** @typedef {{status: number, body: string}} Answer  0: the connection ended without one */
/** @typedef {ReturnType<typeof createConnection>} Connection */

/** @param {string} received @returns {Answer & {length: number} | null} the first answer, once it is whole */
function readAnswer(received) {
  const start = received.indexOf('\r\n\r\n') + 4;
  if (start < 4) return null;
  const length = start + Number(/^content-length: *(\d+)/im.exec(received.slice(0, start))?.[1] ?? 0);
  if (received.length < length) return null;
  return { status: Number(received.slice(9, 12)), body: received.slice(start, length), length };
}

/** @param {() => URL} server  where it is by now; asked at each opening */
export function createConnection(server) {
  /** @type {import('node:net').Socket | null} */
  let socket = null;
  let received = '';
  /** @type {((answer: Answer) => void) | null} */
  let answered = null;

  /** @param {Answer} answer */
  function end(answer) {
    const tell = answered;
    answered = null;
    tell?.(answer);
  }

  function open() {
    const opened = connect({ host: server().hostname, port: Number(server().port), noDelay: true });
    opened.setEncoding('latin1');
    opened.on('data', (text) => {
      received += text;
      const answer = readAnswer(received);
      if (!answer) return;
      received = received.slice(answer.length);
      end(answer);
    });
    opened.on('error', () => {}); // what follows is its end
    opened.on('close', () => {
      if (socket !== opened) return;
      socket = null;
      received = '';
      end({ status: 0, body: '' });
    });
    return opened;
  }

  return {
    /** One at a time. @param {string} text @returns {Promise<Answer>} */
    send(text) {
      return new Promise((resolve) => {
        answered = resolve;
        socket ??= open();
        socket.write(text);
      });
    },
    close() {
      socket?.destroy();
    },
  };
}
