import { expect, it } from 'vitest';
import { safeReturnTo, webAddress } from './returnTo';

const origin = 'https://pool.example';

it.each([
  ['/saved', '/saved'],
  ['/workers?state=offline#list', '/workers?state=offline#list'],
  ['/saved/../alerts', '/alerts'],
])('goes back to %s', (wanted, path) => {
  expect(safeReturnTo(wanted, origin)).toBe(path);
});

it.each([
  'https://evil.example/',
  '//evil.example/saved',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/.//evil.example',
  '/saved/..//evil.example',
  'javascript:alert(1)',
  '/sign-in?return_to=/sign-in',
  '/api/auth/sign-out',
  'saved',
  '',
  undefined,
  7,
  ['/saved'],
])('goes home instead of to %j', (wanted) => {
  expect(safeReturnTo(wanted, origin)).toBe('/');
});

it('never leaves the server, whatever is in front of a path', () => {
  const pieces = ['/', '\\', '\t', '.', '..', '@', ':', '%2f', '%5c', 'evil.example', '?', '#'];
  for (const a of pieces)
    for (const b of pieces)
      for (const c of pieces) {
        const path = safeReturnTo(`/${a}${b}${c}`, origin);
        // What a browser makes of it when the page goes there.
        expect(new URL(path, origin).origin, JSON.stringify([a, b, c])).toBe(origin);
      }
});

it('takes web addresses alone for providers', () => {
  expect(webAddress('https://id.example/authorize?x=1')).toBe('https://id.example/authorize?x=1');
  expect(webAddress('javascript:alert(1)')).toBeUndefined();
  expect(webAddress('data:text/html,x')).toBeUndefined();
  expect(webAddress('/somewhere')).toBeUndefined();
});
