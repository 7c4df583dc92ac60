// The Chromium that looks at pages: the one named by CHROMIUM, or what is called
// chromium on the path.

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

// Playwright gives each browser a profile of its own and removes it.
export async function launch() {
  return chromium.launch({ executablePath: program(), args: FLAGS });
}

// Playwright takes the path of a file and looks for none.
function program() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const path = join(folder, 'chromium');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch { /* not in this folder */ }
  }
  throw new Error('chromium is not on the path');
}
