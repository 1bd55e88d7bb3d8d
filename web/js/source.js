/** Calls as their source code, for people to read. */

/** @param {unknown} value @returns {string} */
function literal(value) {
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&')}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  const members = Object.entries(value).map(([name, member]) => `${/^[a-z_$][\w$]*$/i.test(name) ? name : literal(name)}: ${literal(member)}`);
  return members.length > 0 ? `{ ${members.join(', ')} }` : '{}';
}

/**
 * @param {string} method
 * @param {unknown[]} args
 */
export const sourceOf = (method, args) => `${method}(${args.map(literal).join(', ')})`;
