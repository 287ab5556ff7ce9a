import { expect, it } from 'vitest';
import { describeUserAgent } from './userAgent';

it.each([
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
    'Chrome on Linux',
  ],
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/141.0.0.0 Safari/537.36',
    'Chrome on Linux',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0',
    'Edge on Windows',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
    'Safari on iPhone',
  ],
  ['Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0', 'Firefox on Android'],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:142.0) Gecko/20100101 Firefox/142.0',
    'Firefox on macOS',
  ],
  ['Mozilla/5.0', 'a browser'],
  ['curl/8.14.1', 'curl/8.14.1'],
  ['Go-http-client/1.1 whatever', 'Go-http-client/1.1'],
  ['  ', 'unnamed program'],
])('calls %s', (userAgent, words) => {
  expect(describeUserAgent(userAgent)).toBe(words);
});

it('does not let a program take more room than a name needs', () => {
  const words = describeUserAgent('⛏️'.repeat(300));
  expect(Array.from(words)).toHaveLength(40);
  expect(words.endsWith('…')).toBe(true);
});
