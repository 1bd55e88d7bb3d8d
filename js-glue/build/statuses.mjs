import { readFileSync } from 'node:fs';

/**
 * The codes of src/core/status.h, in order.
 * @returns {{list: string, name: string, code: string, sentence: string}[]}
 */
export function readStatuses() {
  const source = readFileSync(new URL('../../src/core/status.h', import.meta.url), 'utf8').replaceAll('\\\n', ' ');
  const statuses = [];
  for (const [, list, entries] of source.matchAll(/#define (MS_\w+)\(X\)(.*)/g)) {
    for (const [, name, code, sentence] of entries.matchAll(/X\(\s*(\w+),\s*"(\w+)",\s*"([^"]*)"\)/g)) {
      statuses.push({ list, name, code, sentence });
    }
  }
  return statuses;
}
