// The order matters: most browsers name others that they are like.
const BROWSERS: readonly [RegExp, string][] = [
  [/\bEdgA?\/|\bEdgiOS\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\b(?:Headless)?Chrome\/|\bCriOS\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];

const SYSTEMS: readonly [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b|\bX11\b/, 'Linux'],
];

/** Longest name of a program that is shown, characters. */
const LONGEST = 40;

/**
 * A browser's User-Agent in words: `Firefox on Linux`. Another program is called
 * by its first word: `curl/8.14.1`.
 */
export function describeUserAgent(userAgent: string): string {
  const text = userAgent.trim();
  if (text === '') return 'unnamed program';
  if (!text.startsWith('Mozilla/')) return shorten(text.split(/\s/)[0] ?? text);
  const browser = BROWSERS.find(([like]) => like.test(text))?.[1];
  const system = SYSTEMS.find(([like]) => like.test(text))?.[1];
  if (browser === undefined) return system === undefined ? 'a browser' : `a browser on ${system}`;
  return system === undefined ? browser : `${browser} on ${system}`;
}

function shorten(text: string): string {
  const letters = Array.from(text);
  return letters.length <= LONGEST ? text : `${letters.slice(0, LONGEST - 1).join('')}…`;
}
