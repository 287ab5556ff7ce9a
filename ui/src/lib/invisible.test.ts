import { expect, it } from 'vitest';
import { hexDump, showInvisible } from './invisible';

const text = (s: string) =>
  showInvisible(s)
    .map((part) => (part.sign ? `<${part.text}>` : part.text))
    .join('');

it.each([
  ['{"a":1}\r\n', '{"a":1}<␍><␊>'],
  ['a\tb', 'a<⇥>b'],
  ['a\u0000b\u007f', 'a<␀>b<␡>'],
  ['pay\u200bme\u202e', 'pay<U+200B>me<U+202E>'],
  ['\u00a0\ufeff', '<U+00A0><U+FEFF>'],
  ['plain ü 🎉 text', 'plain ü 🎉 text'],
  ['half \ud800 pair', 'half <U+D800> pair'],
  ['', ''],
])('%j', (line, shown) => {
  expect(text(line)).toBe(shown);
});

it('shows bytes sixteen to a line', () => {
  expect(hexDump('\x00\x01Az\xff').trimEnd()).toBe(`000000  ${'00 01 41 7a ff'.padEnd(47)}  ..Az.`);
  expect(hexDump('x'.repeat(17)).split('\n')).toHaveLength(2);
});
