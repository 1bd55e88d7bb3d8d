/**
 * The pages of web/docs, and the blocks of code in them. A test runs the text of a block as it is printed, or the page's
 * test says why it does not: the last test of each file counts.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/**
 * @typedef {object} Block
 * @property {string} heading the one above it
 * @property {string} language
 * @property {string} code
 * @property {number} line
 */

/** @param {string} text Markdown @returns {Block[]} */
export function blocksOf(text) {
  /** @type {Block[]} */
  const blocks = [];
  let heading = '';
  /** @type {Block | undefined} */
  let open;
  for (const [index, line] of text.split('\n').entries()) {
    const [, language] = /^```(\w*)$/.exec(line) || [];
    if (open && language === '') {
      blocks.push(open);
      open = undefined;
    } else if (open) {
      open.code += `${line}\n`;
    } else if (language !== undefined) {
      open = { heading, language, code: '', line: index + 1 };
    } else {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    }
  }
  assert.equal(open, undefined, `The block that begins in line ${open?.line} has no end.`);
  return blocks;
}

/** @param {string} name of a file in web/docs */
export function documentation(name) {
  const blocks = blocksOf(readFileSync(new URL(`../../web/docs/${name}`, import.meta.url), 'utf8'));
  /** @type {Set<Block>} */
  const covered = new Set();

  /** @param {string} heading @param {string} language @param {number} index */
  const find = (heading, language, index) => {
    const block = blocks.filter((each) => each.heading === heading && each.language === language)[index];
    assert.ok(block, `${name} has no block ${index} of ${language} under "${heading}".`);
    covered.add(block);
    return block.code;
  };

  return {
    /**
     * A block that a test runs.
     * @param {string} heading above it
     * @param {string} language
     * @param {number} [index] of those of the language there
     */
    block: (heading, language, index = 0) => find(heading, language, index),

    /**
     * A block that no test runs.
     * @param {string} _why for the reader
     * @param {string} heading
     * @param {string} language
     * @param {number} [index]
     */
    notRun: (_why, heading, language, index = 0) => find(heading, language, index),

    /** The test that no block has been forgotten, behind all others. */
    testCoverage: () =>
      test(`${name}: every block is run, or excused`, () => {
        const left = blocks.filter((block) => !covered.has(block));
        assert.deepEqual(left.map(({ line, heading }) => `line ${line}, under "${heading}"`), []);
      }),
  };
}
