import { nodeResolve } from '@rollup/plugin-node-resolve';

export default {
  input: ['main.js', 'core.js'],
  output: { dir: 'public/bundle' },
  plugins: [nodeResolve({ browser: true })],
};
