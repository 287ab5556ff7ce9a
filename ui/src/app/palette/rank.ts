/** Something that can be found by a few letters. */
export interface Findable {
  /** What is shown, and counts most. */
  label: string;
  /** Other words that it is found by. */
  keywords?: string;
}

/** Lower case, without accents. */
function plain(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/**
 * How well a word fits a text: its beginning, the beginning of a word in it, a
 * part of it, its letters in their order with others between; 0 when not at all.
 */
function fit(word: string, text: string): number {
  const at = text.indexOf(word);
  if (at === 0) return word.length === text.length ? 120 : 100;
  if (at > 0) return startsWord(text, at) ? 80 : 60;
  return scattered(word, text);
}

function startsWord(text: string, at: number): boolean {
  return !/[\p{L}\p{N}]/u.test(text.charAt(at - 1));
}

/** Letters in their order: the fewer gaps between them the better, up to 40. */
function scattered(word: string, text: string): number {
  if (word.length < 2) return 0;
  let gaps = 0;
  let last = -1;
  for (const letter of word) {
    const at = text.indexOf(letter, last + 1);
    if (at < 0) return 0;
    if (last >= 0 && at > last + 1 && !startsWord(text, at)) gaps++;
    last = at;
  }
  return Math.max(40 - 10 * gaps, 0);
}

/** How well an item fits all words of a query; 0 when one of them does not. */
function score(words: readonly string[], item: Findable): number {
  const label = plain(item.label);
  const keywords = plain(item.keywords ?? '');
  let sum = 0;
  for (const word of words) {
    // Other words are names and addresses: there letters strewn about say nothing.
    const elsewhere = keywords.includes(word) ? fit(word, keywords) / 2 : 0;
    const best = Math.max(fit(word, label), elsewhere);
    if (best === 0) return 0;
    sum += best;
  }
  return sum;
}

/** The items that fit a query, best first; equal ones keep their order, shorter labels first. */
export function rank<T extends Findable>(items: readonly T[], query: string, most: number): T[] {
  const words = plain(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return items.slice(0, most);
  return items
    .map((item, place) => ({ item, place, score: score(words, item) }))
    .filter((found) => found.score > 0)
    .sort(
      (a, b) => b.score - a.score || a.item.label.length - b.item.label.length || a.place - b.place,
    )
    .slice(0, most)
    .map(({ item }) => item);
}
