/** web/docs as a whole: a test for each page, and links that lead somewhere. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { blocksOf } from './document.mjs';

const DOCS = new URL('../../web/docs/', import.meta.url);
const README = new URL('../../README.md', import.meta.url);
const pages = readdirSync(DOCS).filter((file) => file.endsWith('.md'));

/** As GitHub makes them of headings; a second one of the same name has "-1" behind it. @param {string} text */
function anchorsOf(text) {
  const withoutCode = text.replace(/^```[^]*?^```$/gm, '');
  /** @type {Map<string, number>} */
  const counts = new Map();
  return [...withoutCode.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => {
    const anchor = heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-');
    const count = counts.get(anchor) || 0;
    counts.set(anchor, count + 1);
    return count ? `${anchor}-${count}` : anchor;
  });
}

test('each page has a test, which runs its code', () => {
  const tests = readdirSync(new URL('.', import.meta.url));
  const missing = pages.filter((page) => !tests.includes(page.replace('.md', '.test.mjs')));
  assert.deepEqual(missing, []);
});

test('the README links to each page', () => {
  const text = readFileSync(README, 'utf8');
  assert.deepEqual(pages.filter((page) => !text.includes(`](web/docs/${page})`)), []);
});

for (const page of [...pages.map((name) => new URL(name, DOCS)), README]) {
  const name = page.pathname.split('/').pop();
  test(`${name}: links within the repository lead somewhere`, () => {
    const text = readFileSync(page, 'utf8').replace(/^```[^]*?^```$/gm, '');
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const url = new URL(target, page);
      const anchor = url.hash.slice(1);
      url.hash = '';
      assert.ok(existsSync(url), `${name}: ${target}`);
      if (anchor) assert.ok(anchorsOf(readFileSync(url, 'utf8')).includes(anchor), `${name}: ${target}`);
    }
  });
}

test('blocks are found under their headings', () => {
  const blocks = blocksOf('# One\n```js\na();\n```\n## Two\n```sh\n# no heading\n```\n```\nplain\n```\n');
  assert.deepEqual(
    blocks.map(({ heading, language, code, line }) => [heading, language, code, line]),
    [['One', 'js', 'a();\n', 2], ['Two', 'sh', '# no heading\n', 6], ['Two', '', 'plain\n', 9]],
  );
  assert.throws(() => blocksOf('```js\nopen'), /line 1 has no end/);
});
