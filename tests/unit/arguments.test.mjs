/** The argument lists of analytics.js, in which the middle may be left out. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identifyArguments, pageArguments, trackArguments } from '../../js-glue/arguments.js';

const properties = { a: 1 };
const options = { integrations: { All: true } };
const callback = () => {};

/** @type {[unknown[], object][]} */
const pages = [
  [[], {}],
  [['Name'], { name: 'Name' }],
  [['Category', 'Name'], { category: 'Category', name: 'Name' }],
  [['Category', 'Name', properties, options, callback], { category: 'Category', name: 'Name', properties, options, callback }],
  [['Category', 'Name', properties, callback], { category: 'Category', name: 'Name', properties, callback }],
  [['Category', 'Name', callback], { category: 'Category', name: 'Name', callback }],
  [['Name', properties, options, callback], { name: 'Name', properties, options, callback }],
  [['Name', properties, options], { name: 'Name', properties, options }],
  [['Name', properties], { name: 'Name', properties }],
  [['Name', callback], { name: 'Name', callback }],
  [[properties], { properties }],
  [[properties, options], { properties, options }],
  [[properties, options, callback], { properties, options, callback }],
  [[properties, callback], { properties, callback }],
  [[callback], { callback }],
  [[null, 'Name'], { name: 'Name' }],
  [[null, 'Name', properties], { name: 'Name', properties }],
  [[null, null, properties, options], { properties, options }],
  [[null, null, null, options, callback], { options, callback }],
  [['Category', null, properties], { name: 'Category', properties }],
  [['Name', null, options], { name: 'Name', properties: options }],
  [[undefined, undefined, properties], { properties }],
];

/** @type {[unknown[], object][]} */
const tracks = [
  [[], {}],
  [['Event'], { event: 'Event' }],
  [[42], { event: '42' }],
  [['Event', properties], { event: 'Event', properties }],
  [['Event', properties, options], { event: 'Event', properties, options }],
  [['Event', properties, options, callback], { event: 'Event', properties, options, callback }],
  [['Event', properties, callback], { event: 'Event', properties, callback }],
  [['Event', null, options, callback], { event: 'Event', options, callback }],
  [['Event', undefined, undefined, callback], { event: 'Event', callback }],
  [['Event', callback], { event: 'Event', callback }],
  [[properties], {}],
  [[null], {}],
];

/** @type {[unknown[], object][]} */
const identifies = [
  [[], {}],
  [['id'], { userId: 'id' }],
  [[42], { userId: 42 }],
  [['id', properties], { userId: 'id', traits: properties }],
  [['id', properties, options, callback], { userId: 'id', traits: properties, options, callback }],
  [['id', properties, callback], { userId: 'id', traits: properties, callback }],
  [['id', callback], { userId: 'id', callback }],
  [[properties], { traits: properties }],
  [[properties, options], { traits: properties, options }],
  [[properties, options, callback], { traits: properties, options, callback }],
  [[null, properties], { traits: properties }],
  [[undefined, properties, options], { traits: properties, options }],
  [[null, null, options], { options }],
  [['id', null, options, callback], { userId: 'id', options, callback }],
  [[callback], { callback }],
  [[true, properties], { traits: properties }],
];

/** @param {string} name @param {(args: unknown[]) => any} parse @param {[unknown[], object][]} cases @param {object} empty */
function check(name, parse, cases, empty) {
  for (const [args, expected] of cases) {
    const shape = args.map((value) => (value === callback ? 'callback' : value === options ? 'options' : JSON.stringify(value)));
    test(`${name}(${shape.join(', ')})`, () => {
      assert.deepEqual(parse(args), Object.values({ ...empty, options: {}, callback: undefined, ...expected }));
    });
  }
}

check('page', pageArguments, pages, { category: undefined, name: undefined, properties: {} });
check('track', trackArguments, tracks, { event: undefined, properties: {} });
check('identify', identifyArguments, identifies, { userId: undefined, traits: {} });
