import { expect, it } from 'vitest';
import { fetchSelected, selectionFile } from './exportSelection';
import type { Page } from './feedState';
import { message } from './fixture';

/** A server with messages 1 to 5000, of which 2500 is not kept any more. */
function server() {
  const asked: number[] = [];
  const fetchPage = ({ cursor, limit }: { cursor: number; limit: number }): Promise<Page> => {
    asked.push(cursor);
    const below = Array.from({ length: Math.min(cursor - 1, 5000) }, (_, i) => i + 1)
      .filter((seq) => seq !== 2500)
      .reverse();
    const page = below.slice(0, limit);
    const next = below.length > limit ? page.at(-1) : undefined;
    return Promise.resolve({ messages: page.map((seq) => message(seq)), next, complete: true });
  };
  return { asked, fetchPage };
}

it('fetches what is selected, oldest first, and no further than that', async () => {
  const { asked, fetchPage } = server();
  const parts: number[] = [];
  const found = await fetchSelected(new Set([4990, 3000, 4000]), fetchPage, (p) => parts.push(p));
  expect(found.map((m) => m.seq)).toEqual([3000, 4000, 4990]);
  expect(asked).toHaveLength(2);
  for (const part of parts) expect(part).toBeGreaterThan(0);
  for (const part of parts) expect(part).toBeLessThanOrEqual(1);
});

it('ends when a selected message is not kept any more, and says so in the file', async () => {
  const { fetchPage } = server();
  const wanted = new Set([2500, 2600]);
  const found = await fetchSelected(wanted, fetchPage, () => undefined);
  expect(found.map((m) => m.seq)).toEqual([2600]);
  const lines = selectionFile(found, wanted.size, new Date(0)).trimEnd().split('\n');
  expect(lines).toHaveLength(2);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    messages: 1,
    missing: 1,
    hash_chain: false,
    created: '1970-01-01T00:00:00.000Z',
  });
  expect(JSON.parse(lines[1] ?? '')).toEqual(message(2600));
});
