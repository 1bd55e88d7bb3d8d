/**
 * @typedef {object} Element
 * @property {string} name        without its prefix
 * @property {string} namespace   empty if it has none
 * @property {Element[]} children
 * @property {string} text        of its own, decoded
 */

/** @typedef {{element: Element, tag: string, namespaces: Record<string, string>}} Open */

/** A text that is no XML, or has what SOAP forbids. */
export class XmlError extends Error {}

const NAME = '[A-Za-z_][\\w.-]*(?::[A-Za-z_][\\w.-]*)?';
const START = new RegExp(`<(${NAME})((?:\\s+${NAME}\\s*=\\s*(?:"[^"<]*"|'[^'<]*'))*)\\s*(/?)>`, 'y');
const ATTRIBUTE = new RegExp(`(${NAME})\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'g');
const END = new RegExp(`</(${NAME})\\s*>`, 'y');
const TEXT = /[^<]+/y;
const CDATA = /<!\[CDATA\[([^]*?)\]\]>/y;
const COMMENT = /<!--(?:[^-]|-[^-])*-->/y;
const DECLARATION = /^<\?xml\s+version\s*=\s*["']1\.[01]["'][^?<>]*\?>/;
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
/** @type {Record<string, string>} */
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Reads XML strictly, as far as SOAP has it: no DTD, no processing instructions.
 *
 * @param {string} source
 * @returns {Element} the root
 */
export function parseXml(source) {
  if (FORBIDDEN.test(source)) throw new XmlError('There is a character that XML forbids.');
  const text = source.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  let at = DECLARATION.exec(text)?.[0].length ?? 0;
  /** @type {Element | undefined} */
  let root;
  /** @type {Open[]} */
  const open = [];

  /**
   * @param {RegExp} pattern
   * @returns {RegExpExecArray | null}
   */
  function next(pattern) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at += match[0].length;
    return match;
  }

  while (at < text.length) {
    const inner = open.at(-1);
    let match;
    if ((match = next(TEXT))) addText(inner, decode(match[0]));
    else if ((match = next(CDATA))) addText(inner, match[1], true);
    else if (next(COMMENT)) continue;
    else if ((match = next(END))) {
      if (inner?.tag !== match[1]) throw new XmlError(`</${match[1]}> ends nothing.`);
      open.pop();
    } else if ((match = next(START))) {
      if (root && !inner) throw new XmlError('There is a second root.');
      const started = start(match[1], match[2], inner);
      root ??= started.element;
      inner?.element.children.push(started.element);
      if (match[3] === '') open.push(started);
    } else throw new XmlError(`There is something else at ${at}: ${text.slice(at, at + 20)}`);
  }
  if (!root || open.length > 0) throw new XmlError('The text ends too early.');
  return root;
}

/**
 * @param {Open | undefined} inner
 * @param {string} text
 * @param {boolean} [isCdata]
 */
function addText(inner, text, isCdata = false) {
  if (inner) inner.element.text += text;
  else if (isCdata || text.trim() !== '') throw new XmlError('There is text outside the root.');
}

/**
 * @param {string} tag
 * @param {string} attributes
 * @param {Open | undefined} parent
 * @returns {Open}
 */
function start(tag, attributes, parent) {
  const namespaces = { ...(parent?.namespaces ?? { xml: 'http://www.w3.org/XML/1998/namespace' }) };
  /** @type {Set<string>} */
  const seen = new Set();
  for (const [, name, double, single] of attributes.matchAll(ATTRIBUTE)) {
    if (seen.has(name)) throw new XmlError(`<${tag}> has ${name} twice.`);
    seen.add(name);
    const value = decode(double ?? single);
    if (name === 'xmlns') namespaces[''] = value;
    else if (name.startsWith('xmlns:')) namespaces[name.slice(6)] = value;
  }
  for (const name of seen) {
    if (name.includes(':') && !name.startsWith('xmlns:')) namespaceOf(name, namespaces);
  }
  const namespace = tag.includes(':') ? namespaceOf(tag, namespaces) : (namespaces[''] ?? '');
  const element = { name: tag.slice(tag.indexOf(':') + 1), namespace, children: [], text: '' };
  return { element, tag, namespaces };
}

/**
 * @param {string} name  with a prefix
 * @param {Record<string, string>} namespaces  by prefix
 * @returns {string}
 */
function namespaceOf(name, namespaces) {
  const namespace = namespaces[name.slice(0, name.indexOf(':'))];
  if (!namespace) throw new XmlError(`The prefix of ${name} is of no namespace.`);
  return namespace;
}

/** @param {string} text */
function decode(text) {
  if (text.includes(']]>')) throw new XmlError('There is a ]]> in a text.');
  return text.replace(/&(?:#(\d+);|#x([\dA-Fa-f]+);|([a-z]+);)?/g, (whole, decimal, hexadecimal, name) => {
    const code = decimal ? parseInt(decimal, 10) : hexadecimal ? parseInt(hexadecimal, 16) : -1;
    const character = code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ENTITIES[name];
    if (character === undefined || FORBIDDEN.test(character)) throw new XmlError(`${whole} stands for nothing.`);
    return character;
  });
}

/** @param {unknown} text */
export function encode(text) {
  return String(text).replace(/[&<>"]/g, (character) => `&${{ '&': 'amp', '<': 'lt', '>': 'gt' }[character] ?? 'quot'};`);
}
