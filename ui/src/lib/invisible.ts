/** A stretch of text; `sign` when it stands for a character that cannot be seen. */
export interface Stretch {
  text: string;
  sign: boolean;
}

const NAMES: Record<number, string> = { 9: '⇥', 10: '␊', 13: '␍', 32: ' ' };

/** Characters that take no room, turn the writing round, or look like a space and are none. */
const HIDDEN =
  /[\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffd]/;

/** Splits a text so that what cannot be seen in it can be shown as a sign. */
export function showInvisible(text: string): Stretch[] {
  const out: Stretch[] = [];
  let plain = '';
  for (const character of text) {
    if (!HIDDEN.test(character)) {
      plain += character;
      continue;
    }
    if (plain !== '') out.push({ text: plain, sign: false });
    plain = '';
    out.push({ text: signOf(character.codePointAt(0) ?? 0), sign: true });
  }
  if (plain !== '') out.push({ text: plain, sign: false });
  return out;
}

function signOf(code: number): string {
  const name = NAMES[code];
  if (name !== undefined) return name;
  if (code < 32) return String.fromCodePoint(0x2400 + code);
  if (code === 127) return '␡';
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Bytes as lines of sixteen, in hexadecimal and as text. */
export function hexDump(bytes: string): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const part = [...bytes.slice(at, at + 16)];
    const hex = part.map((c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
    const text = part.map((c) => (c >= ' ' && c <= '~' ? c : '.')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join('\n');
}
