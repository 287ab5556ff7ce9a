import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { censorWorker } from './censor';

const satoshi = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa';

// The server's own cases, so that both shorten alike.
const source = readFileSync(
  new URL('../../../internal/api/censor_test.go', import.meta.url),
  'utf8',
);
const body = /func TestCensorWorker[^]*?\n}\n/.exec(source)?.[0] ?? '';
const cases = [...body.matchAll(/^\t\t(.+?): +"([^"]*)",/gm)].map(
  ([, name = '', want = '']) => [goString(name), want] as const,
);

/** A Go expression of string literals and the constant satoshi. */
function goString(expression: string): string {
  return expression
    .split(' + ')
    .map((part) =>
      part === 'satoshi' ? satoshi : (JSON.parse(part.replace(/\\x(..)/g, '\\u00$1')) as string),
    )
    .join('');
}

it('finds the cases of the server', () => {
  expect(cases.length).toBeGreaterThan(9);
});

it.each(cases)('shortens %j to %j', (name, want) => {
  expect(censorWorker(name)).toBe(want);
  expect(censorWorker(want)).toBe(want);
});
