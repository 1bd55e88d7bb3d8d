import { nodeResolve } from '@rollup/plugin-node-resolve';

export default {
  input: ['main.js', 'core.js', 'slim.js'],
  output: { dir: 'public/bundle' },
  plugins: [nodeResolve({ browser: true })],
};
