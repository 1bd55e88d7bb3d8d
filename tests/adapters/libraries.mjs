/** The libraries that the adapters are for, as published: bundling scripts with them, and playing their own back ends. */

import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What each library asks of its own back end: a pattern of the addresses, and the one answer that all of them get. */
export const BACK_ENDS = {
  segment: {
    own: /\/segment\/v1\/|^https:\/\/cdn\.segment\.com\/v1\/projects\/|^https:\/\/api\.segment\.io\/v1\//,
    answer: { integrations: { 'Segment.io': { apiKey: 'w' } } },
  },
  // It has none.
  analytics: { own: /^never$/, answer: {} },
  rudderstack: { own: /\/rudder\//, answer: {} },
};

/**
 * What RudderStack's control plane says of a source with destinations of the kind "Custom Device Mode".
 * @param {...string} ids of the destinations
 */
export function rudderstackSource(...ids) {
  const definition = { name: 'X', displayName: 'Custom Device Mode' };
  const destinations = ids.map((id) => ({ id, name: id, enabled: true, config: {}, destinationDefinition: definition }));
  return { source: { id: 's', name: 's', writeKey: 'w', enabled: true, config: {}, workspaceId: 'w', destinations } };
}

/**
 * A script for a page, with all that it imports. Paths in it are relative to `folder`.
 * @param {string} source
 * @param {URL} folder
 */
export async function bundle(source, folder) {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: fileURLToPath(folder) },
    bundle: true,
    nodePaths: [fileURLToPath(new URL('node_modules', import.meta.url))],
    write: false,
    format: 'iife',
    target: 'es2020',
    define: { global: 'window', 'process.env.NODE_ENV': '"production"' },
  });
  return outputFiles[0].text;
}
