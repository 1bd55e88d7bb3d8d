/** How the benchmarks print what they measured, and how they tell how far they are. */

/** @typedef {{what: string, goal: string, measured: string, met: boolean}} Goal */

/** On the terminal's last line, which the next text replaces. @param {string} text */
export function tell(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** @param {string} title @param {string[]} columns @param {(string | number)[][]} rows */
export function table(title, columns, rows) {
  tell('');
  const lines = [columns, ...rows.map((row) => row.map(String))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const written = lines.map((line) => line.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join('  '));
  console.log(`\n${title}\n\n  ${written[0]}\n  ${widths.map((width) => '-'.repeat(width)).join('  ')}`);
  for (const line of written.slice(1)) console.log(`  ${line}`);
}

/** @param {Goal[]} goals */
export function printGoals(goals) {
  table('Goals', ['what', 'goal', 'measured', 'met'], goals.map((one) => [one.what, one.goal, one.measured, one.met ? 'yes' : 'no']));
}

/**
 * A figure beside what it is held against.
 * @param {string} what
 * @param {'≤' | '≥'} is
 * @param {number} limit
 * @param {number} value
 * @param {(value: number) => string} write
 * @returns {Goal}
 */
export function goal(what, is, limit, value, write) {
  const met = is === '≤' ? value <= limit : value >= limit;
  return { what, goal: `${is} ${limit.toLocaleString('en')}`, measured: write(value), met };
}

export const whole = (/** @type {number} */ value) => Math.round(value).toLocaleString('en');
export const ratio = (/** @type {number} */ value) => value.toFixed(2);
export const tenths = (/** @type {number} */ value) => value.toFixed(1);
