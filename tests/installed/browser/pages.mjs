// Looks at pages as a reader's browser does, and fails where something is wrong.
//
//     npm ci && node pages.mjs [--screenshots FOLDER] [--paper FOLDER] BASE PATH...
//     node pages.mjs http://127.0.0.1:9966 / /trust/contoso /check/endpoint-tls
//     node pages.mjs --paper pdf file:///tmp/reports/ contoso.html
//
// It needs Chromium; see chromium.mjs. Every path is opened below BASE, at 1280 and 360 pixels, light and
// dark, with the scripts of pages switched off. What counts as wrong:
//
// - anything on the console, such as a violation of the page's own policy;
// - a request to another origin, or one that fails;
// - a page that is wider than the window, also with every <details> open, or, with
//   --paper, wider than a sheet of A4 or Letter;
// - a violation of axe's rules, or something that axe cannot tell;
// - text of a drawing, which axe cannot tell, that stands out too little.
//
// Each problem is a line on standard output. The exit code is 0 without any,
// 1 with some, 2 where the arguments or the browser do not work.
// With --screenshots a picture of each page and view is left in the folder,
// named by the place of the path among the arguments; with --paper what a
// printer would get, on either paper.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { launch } from './chromium.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core');
const WIDTHS = [1280, 360];
const SCHEMES = ['light', 'dark'];
// What a sheet leaves between its margins, in CSS pixels.
const PAPERS = { A4: 687, Letter: 710 };

const { base, paths, screenshots, paper } = command();
const problems = [];
const browser = await launch().catch((error) => {
  misuse(`cannot start Chromium: ${brief(error.message)}`);
});
// Side by side, since most of it is waiting.
await Promise.all(WIDTHS.flatMap((width) => SCHEMES.map((scheme) => look(width, scheme))));
if (paper) await print();
await browser.close();
for (const problem of problems) console.log(problem);
const views = paths.length * WIDTHS.length * SCHEMES.length;
console.log(`${paths.length} pages in ${views} views: ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

async function look(width, scheme) {
  const view = { viewport: { width, height: 800 }, colorScheme: scheme };
  const tell = (path) => (text) => problems.push(`${path} at ${width} px, ${scheme}: ${brief(text)}`);
  await inContext({ ...view, javaScriptEnabled: false }, tell, async (page, wrong, at) => {
    await tooWide(page, 'as it comes', wrong);
    if (!screenshots) return;
    await page.screenshot({ path: join(screenshots, `${at}-${width}-${scheme}.png`), fullPage: true });
  });
  // axe is a script, which the page's policy would refuse.
  await inContext({ ...view, bypassCSP: true }, tell, async (page, wrong) => {
    await page.evaluate(() => document.querySelectorAll('details').forEach((it) => { it.open = true; }));
    await tooWide(page, 'opened', wrong);
    await axe(page, wrong);
  });
}

// Prints every page as a reader who prefers the dark would.
async function print() {
  const tell = (path) => (text) => problems.push(`${path} on paper: ${brief(text)}`);
  await inContext({ colorScheme: 'dark', javaScriptEnabled: false }, tell, async (page, wrong, at) => {
    await page.emulateMedia({ media: 'print' });
    for (const [format, width] of Object.entries(PAPERS)) {
      await page.setViewportSize({ width, height: 900 });
      await tooWide(page, format, wrong);
      await page.pdf({ path: join(paper, `${at}-${format}.pdf`), format });
    }
  });
}

// Opens every page in one context and tells what the browser complains about.
async function inContext(options, tell, then) {
  const context = await browser.newContext(options);
  for (const [at, path] of paths.entries()) {
    const page = await context.newPage();
    const wrong = tell(path);
    try {
      await listen(page, new URL(path, base).href, wrong);
      const answer = await page.goto(new URL(path, base).href, { waitUntil: 'load' });
      const own = await page.locator('meta[http-equiv="Content-Security-Policy"]').count();
      const policy = answer?.headers()['content-security-policy'] ?? own;
      if (!policy) wrong('no Content-Security-Policy');
      await then(page, wrong, at);
    } catch (error) {
      wrong(error.message);
    }
    await page.close();
  }
  await context.close();
}

async function listen(page, address, wrong) {
  await page.route('**', (route) => {
    const url = new URL(route.request().url());
    // All files are of one origin, and it is nobody's.
    const own = base.protocol === 'file:' ? url.href === address : url.origin === base.origin;
    if (own) return route.continue();
    wrong(`asks ${url.href}`);
    return route.abort();
  });
  page.on('console', (message) => {
    // That the page itself is not there may be what is looked at.
    const failed = message.text().startsWith('Failed to load resource');
    if (!failed || message.location().url !== address) wrong(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong(`error: ${error.message}`));
  page.on('requestfailed', (request) => {
    wrong(`failed: ${request.url()}: ${request.failure()?.errorText}`);
  });
}

async function axe(page, wrong) {
  await page.addScriptTag({ path: AXE });
  const { violations, incomplete } = await page.evaluate(
    () => globalThis.axe.run({ resultTypes: ['violations', 'incomplete'] }),
  );
  await drawings(page, wrong);
  for (const [kind, rules] of [['breaks', violations], ['may break', incomplete]]) {
    for (const { id, help, nodes: all } of rules) {
      // What a drawing's text stands on is no background that axe could see.
      const seen = ({ html }) => !(id === 'color-contrast' && html.startsWith('<text '));
      const nodes = all.filter(seen);
      if (nodes.length > 0) wrong(`${kind} ${id} (${help}) ${nodes.length} times, first at ${nodes[0].html}`);
    }
  }
}

// Holds each text of a drawing against the last shape below its middle, as WCAG does.
async function drawings(page, wrong) {
  const faint = await page.evaluate(() => {
    const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
      const [red, green, blue] = numbers(colour).map((it) => it / 255)
        .map((it) => (it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const ratio = (one, other) => {
      const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
      return (bright + 0.05) / (dark + 0.05);
    };
    const filled = (it) => getComputedStyle(it).fill;
    const ground = (it) => {
      for (let at = it; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if (numbers(colour)[3] !== 0) return colour;
      }
      return 'rgb(255, 255, 255)';
    };
    const below = (text, shape) => {
      const [t, s] = [text.getBoundingClientRect(), shape.getBoundingClientRect()];
      const [x, y] = [t.x + t.width / 2, t.y + t.height / 2];
      const after = text.compareDocumentPosition(shape) & Node.DOCUMENT_POSITION_FOLLOWING;
      return !after && s.left <= x && x <= s.right && s.top <= y && y <= s.bottom;
    };
    const drawn = [...document.querySelectorAll('svg')].filter((it) => it.getBoundingClientRect().width > 0);
    return drawn.flatMap((svg) => {
      const shapes = [...svg.querySelectorAll('rect, circle')].filter((it) => filled(it) !== 'none');
      return [...svg.querySelectorAll('text')].flatMap((text) => {
        const shape = shapes.filter((it) => below(text, it)).at(-1);
        const contrast = ratio(filled(text), shape ? filled(shape) : ground(svg));
        return contrast < 4.5 ? [`${contrast.toFixed(2)} of ${text.outerHTML}`] : [];
      });
    });
  });
  if (faint.length > 0) wrong(`too little contrast ${faint.length} times, first ${faint[0]}`);
}

async function tooWide(page, how, wrong) {
  const [wide, widest] = await page.evaluate(() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const right = (it) => it.getBoundingClientRect().right;
    const all = [...document.body.querySelectorAll('*')];
    return [wide, wide > 0 ? all.sort((a, b) => right(b) - right(a))[0]?.outerHTML.slice(0, 120) : ''];
  });
  if (wide > 0) wrong(`${how}, ${wide} px wider than the window, by ${widest}`);
}

function command() {
  try {
    const { values, positionals } = parseArgs({
      options: { screenshots: { type: 'string' }, paper: { type: 'string' } },
      allowPositionals: true,
    });
    const [base, ...paths] = positionals;
    if (paths.length === 0) throw new Error('usage: node pages.mjs [--screenshots FOLDER] [--paper FOLDER] BASE PATH...');
    return { base: new URL(base), paths, ...values };
  } catch (error) {
    return misuse(error.message);
  }
}

// One line, without the colours of Playwright's messages.
function brief(text) {
  return text.replace(/\x1b\[\d+m/g, '').replace(/\s+/g, ' ').trim().slice(0, 400);
}

function misuse(text) {
  console.error(text);
  process.exit(2);
}
