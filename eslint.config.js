import js from '@eslint/js';
import globals from 'globals';

const rules = {
  eqeqeq: ['error', 'always'],
  'no-var': 'error',
  'prefer-const': 'error',
  'object-shorthand': 'error',
  'no-implicit-globals': 'error',
  'no-unused-vars': ['error', { caughtErrors: 'none' }],
  curly: ['error', 'multi-line'],
};

export default [
  { ignores: ['dist/', 'build/', '**/node_modules/'] },
  js.configs.recommended,
  { files: ['js-glue/**/*.js', 'web/**/*.js', 'tests/bench/pages/*.js', 'tests/package/projects/**/*.{js,cjs}'], languageOptions: { globals: globals.browser }, rules },
  {
    files: ['**/*.mjs', 'eslint.config.js', 'tests/package/projects/next/app/**/route.js'],
    languageOptions: { globals: { ...globals.node, ...globals['shared-node-browser'] } },
    rules,
  },
  { files: ['tests/bench/pages.mjs', 'tests/browser/**/*.mjs', 'tests/docs/**/*.mjs', 'tests/sim/**/*.mjs'], languageOptions: { globals: globals.browser } },
];
