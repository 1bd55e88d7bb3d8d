import { chromium } from 'playwright-core';

/**
 * A headless Chromium that talks to nobody but the pages under test. The environment variable CHROMIUM names another
 * executable than Debian's.
 *
 * @param {{args?: string[]}} [options]  further command line switches
 */
export function launchChromium({ args = [] } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  });
}
