// How long until a page of a running poolscope can be used: figures for
// docs/performance.md, and no test.
//
//   POOLSCOPE_URL=http://127.0.0.1:8000 npm --prefix ui run measure [RUNS]
//
// Each run has an empty profile. Usable is a page with the first of what it is
// about: a hashrate, a worker, a message.
import { loadavg } from 'node:os';
import { launch, open } from './browser.mjs';

const runs = Number(process.argv[2] ?? 10);
const pages = [
  ['overview', '/', '[data-testid=hashrate]'],
  ['workers', '/workers', '[role=grid] [data-index]'],
  ['messages', '/scope/messages', '[data-seq]'],
];

const browser = await launch();
const times = new Map(pages.map(([name]) => [name, []]));
const bytes = new Map();
// In turn, so that a busy moment of the machine hits all of them.
for (let run = 0; run < runs; run++) {
  for (const [name, path, usable] of pages) {
    const { page } = await open(browser, { path, usable });
    await page.waitForFunction(() => window.usableAt !== undefined);
    times.get(name).push(await page.evaluate(() => window.usableAt));
    const scripts = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .filter((e) => e.name.endsWith('.js'))
        .reduce((sum, e) => sum + e.encodedBodySize, 0),
    );
    bytes.set(name, scripts);
    await page.context().close();
  }
}
await browser.close();

const load = loadavg().map((n) => n.toFixed(1));
console.log(`${runs} runs each, load ${load.join(', ')} (1, 5, 15 min)`);
for (const [name, all] of times) {
  all.sort((a, b) => a - b);
  const at = (q) => `${Math.round(all[Math.round((all.length - 1) * q)])} ms`;
  console.log(
    `${name.padEnd(9)} usable after ${at(0.5)} (${at(0)} to ${at(1)}); ` +
      `${(bytes.get(name) / 1000).toFixed(0)} kB of JavaScript`,
  );
}
