/** dist/snippet.html as a page's owner fills it in by hand. */

import { readFileSync } from 'node:fs';

const SNIPPET = new URL('../../dist/snippet.html', import.meta.url);

/**
 * @param {string} munchkinId
 * @param {import('../../js-glue/analytics.js').Options} options
 * @param {string} [src] where the shim is; at the server
 */
export function filledSnippet(munchkinId, options, src = `${options.server}/munchkin-shim.js`) {
  let snippet = readFileSync(SNIPPET, 'utf8');
  for (const [placeholder, value] of Object.entries({
    '000-AAA-000': munchkinId,
    '{server:"https://events.example.com"}': JSON.stringify(options),
    'https://events.example.com/munchkin-shim.js': src,
    'as="script" href="https://munchkin.marketo.net/munchkin.js"': `as="script" href="${options.munchkinUrl || 'https://munchkin.marketo.net/munchkin.js'}"`,
  })) {
    if (!snippet.includes(placeholder)) throw new Error(`dist/snippet.html has no ${placeholder}.`);
    snippet = snippet.replace(placeholder, () => value);
  }
  return snippet;
}
