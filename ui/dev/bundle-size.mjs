// Prints what the browser has to fetch, compressed, and fails the build when
// the JavaScript that every page needs outgrows its budget (200 KB). Pages are
// fetched when they are gone to; the pages of the API's description
// (dist/docs) are not part of the page.
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const dist = join(import.meta.dirname, '../dist');
const budget = 200_000;
const totals = new Map();

for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name.startsWith('.')) continue;
  if (entry.parentPath === join(dist, 'docs')) continue;
  const body = await readFile(join(entry.parentPath, entry.name));
  const kind = extname(entry.name).slice(1);
  const packed = kind === 'woff2';
  const sum = totals.get(kind) ?? { files: 0, raw: 0, gzip: 0, brotli: 0 };
  sum.files++;
  sum.raw += body.length;
  sum.gzip += packed ? body.length : gzipSync(body, { level: 9 }).length;
  sum.brotli += packed ? body.length : brotliCompressSync(body).length;
  totals.set(kind, sum);
}

const kb = (n) => `${(n / 1000).toFixed(1)} kB`.padStart(10);
console.log('kind   files        raw       gzip     brotli');
for (const [kind, t] of totals) {
  console.log(kind.padEnd(6), String(t.files).padStart(5), kb(t.raw), kb(t.gzip), kb(t.brotli));
}

// What index.html asks for comes before anything is drawn.
const html = await readFile(join(dist, 'index.html'), 'utf8');
let first = 0;
for (const [, name] of html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)) {
  first += gzipSync(await readFile(join(dist, name)), { level: 9 }).length;
}
console.log(`first load: ${kb(first).trim()} of JavaScript, gzip`);
if (first === 0 || first > budget) {
  console.error(
    `JavaScript of the first load is ${first} bytes compressed; the budget is ${budget}.`,
  );
  process.exit(1);
}
