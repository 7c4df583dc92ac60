// Takes the picture of the example that the README shows: the top of a report.
//
//     node picture.mjs ../../../docs/report.html ../../../docs/report.png
//
// The picture names the report that it is of, by its SHA-256 in a chunk of text,
// so that a test can tell when it is no longer current.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32 } from 'node:zlib';
import { launch } from './chromium.mjs';

const SIZE = { width: 1080, height: 1130 };

const [report, picture] = process.argv.slice(2).map((path) => resolve(path));
const browser = await launch();
const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light' });
await page.goto(pathToFileURL(report).href);
const png = await page.screenshot();
await browser.close();
const digest = createHash('sha256').update(readFileSync(report)).digest('hex');
writeFileSync(picture, Buffer.concat([...described(png, `Source\0sha256:${digest}`)]));

// A PNG with one more chunk of text, before the last of its chunks.
function* described(png, text) {
  const body = Buffer.concat([Buffer.from('tEXt'), Buffer.from(text, 'latin1')]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length - 4);
  sum.writeUInt32BE(crc32(body));
  const end = png.length - 12;
  yield* [png.subarray(0, end), length, body, sum, png.subarray(end)];
}
