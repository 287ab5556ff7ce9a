// Makes the pictures of README.md from a running `poolscope demo`:
//
//   POOLSCOPE_URL=http://127.0.0.1:8000 npm --prefix ui run screenshots
//
// The demo should have run for some minutes, so that there is something to see.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { api, launch, open, until } from './browser.mjs';

const folder = join(import.meta.dirname, '../../docs/img');

const worker = await until(
  async () => (await api('/api/workers')).workers.find((w) => w.online && w.accepted > 3),
  'a worker with accepted shares',
);
const session = await until(
  async () =>
    (await api('/api/sessions?brief=true')).find(
      (s) => s.live && s.origin === 'proxy' && s.brief?.accepted > 3,
    ),
  'a session with accepted shares',
);
const [submit] = await api(
  `/api/messages?session_id=${session.session_id}&method=mining.submit&verdict=accepted&limit=1`,
);

const pictures = [
  ['overview', '/', 'light', (page) => page.getByTestId('blocks').locator('tbody tr').first()],
  ['overview-dark', '/', 'dark', (page) => page.getByTestId('blocks').locator('tbody tr').first()],
  ['worker', `/workers/${worker.id}`, 'dark', (page) => page.getByText('verified in this browser')],
  [
    'messages',
    `/scope/messages?session=${session.session_id}&m=${submit.id}`,
    'light',
    (page) => page.getByText('Block header, rebuilt'),
  ],
  [
    'session',
    `/scope/sessions/${session.session_id}`,
    'dark',
    (page) => page.getByText('Share to answer'),
  ],
];

const browser = await launch();
for (const [name, path, colorScheme, ready] of pictures) {
  const { page } = await open(browser, {
    path,
    colorScheme,
    viewport: { width: 1440, height: name === 'worker' ? 1500 : 900 },
    reducedMotion: 'reduce',
  });
  await ready(page).waitFor();
  await page.evaluate(() => document.fonts.ready);
  await page.waitForFunction(() => !document.querySelector('main [aria-busy=true]'));
  const picture = await page.screenshot();
  await writeFile(join(folder, `${name}.png`), picture);
  console.log(`docs/img/${name}.png: ${Math.round(picture.length / 1000)} kB`);
  await page.context().close();
}
await browser.close();
