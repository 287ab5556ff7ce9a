import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CLOSES, DROPS, reasonWords } from './reasons';

/** The reasons that a Go source file of the server names. */
function named(file: string, pattern: RegExp): string[] {
  const source = readFileSync(new URL(`../../../../internal/${file}`, import.meta.url), 'utf8');
  return [...source.matchAll(pattern)].map((match) => match[1] ?? '').toSorted();
}

it('has words for every reason that connections are closed for, and for no other', () => {
  const names = named('stratum/close.go', /Close\w+: +"(\w+)"/g);
  expect(names.length).toBeGreaterThan(20);
  expect(Object.keys(CLOSES).toSorted()).toEqual(names);
});

it('has words for everything that is dropped, and for nothing else', () => {
  expect(Object.keys(DROPS).toSorted()).toEqual(
    [
      ...named('pool/counters.go', /\{"(\w+)", c\.(?!panics|blockPanics)\w+\.Load\(\)\}/g),
      ...named('pool/pool.go', /Count\{"(\w+)", p\.(?!authorizations\.faults)\w+/g),
    ].toSorted(),
  );
});

it('takes a reason that it does not know by its name', () => {
  expect(reasonWords(CLOSES, 'gone_fishing')).toEqual({ text: 'gone fishing', meaning: '' });
});
