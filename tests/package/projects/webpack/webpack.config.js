export default {
  mode: 'production',
  entry: {
    main: './main.js',
    slim: './slim.js',
    core: './core.js',
    required: './required.cjs',
  },
  output: {
    path: import.meta.dirname + '/public/bundle',
  },
};
