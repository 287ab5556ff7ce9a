/** A stretch of text; `sign` when it stands for a character that cannot be seen. */
export interface Stretch {
  text: string;
  sign: boolean;
}

const NAMES: Record<number, string> = { 9: '⇥', 10: '␊', 13: '␍', 127: '␡' };

/** Code points that take no room, turn the writing round, or look like a space and are none. */
const HIDDEN: readonly (readonly [from: number, to: number])[] = [
  [0x00, 0x1f],
  [0x7f, 0xa0],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180e, 0x180e],
  [0x2000, 0x200f],
  [0x2028, 0x202f],
  [0x205f, 0x206f],
  [0x3000, 0x3000],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffd],
];

function isHidden(code: number): boolean {
  return HIDDEN.some(([from, to]) => code >= from && code <= to);
}

/** Splits a text so that what cannot be seen in it can be shown as a sign. */
export function showInvisible(text: string): Stretch[] {
  const out: Stretch[] = [];
  let plain = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (!isHidden(code)) {
      plain += character;
      continue;
    }
    if (plain !== '') out.push({ text: plain, sign: false });
    plain = '';
    out.push({ text: signOf(code), sign: true });
  }
  if (plain !== '') out.push({ text: plain, sign: false });
  return out;
}

function signOf(code: number): string {
  const name = NAMES[code];
  if (name !== undefined) return name;
  if (code < 32) return String.fromCodePoint(0x2400 + code);
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Bytes as lines of sixteen, in hexadecimal and as text. */
export function hexDump(bytes: string): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = Array.from(bytes.slice(at, at + 16));
    const hex = part.map((c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
    const text = part.map((c) => (c >= ' ' && c <= '~' ? c : '.')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}
