export default {
  // This folder, whatever lock files are in those above.
  turbopack: { root: import.meta.dirname },
};
