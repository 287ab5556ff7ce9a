// @vitest-environment jsdom
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { currentTheme, setTheme } from './theme';

/** The script that index.html loads before anything is painted. */
const script = readFileSync('public/theme.js', 'utf8');

/** Runs it as the browser does at the start of a visit. */
function visit(): void {
  delete document.documentElement.dataset.theme;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- our own file
  new Function(script)();
}

beforeEach(() => {
  localStorage.clear();
});

afterEach(() => {
  vi.restoreAllMocks();
});

it('follows the system until told otherwise', () => {
  visit();
  expect(currentTheme()).toBe('system');
});

it.each(['light', 'dark'] as const)('remembers %s for the next visit', (theme) => {
  setTheme(theme);
  expect(currentTheme()).toBe(theme);
  visit();
  expect(currentTheme()).toBe(theme);
});

it('forgets on the way back to the system', () => {
  setTheme('dark');
  setTheme('system');
  visit();
  expect(currentTheme()).toBe('system');
  expect(localStorage.length).toBe(0);
});

it('does without storage', () => {
  vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
    throw new DOMException('denied', 'SecurityError');
  });
  vi.spyOn(Storage.prototype, 'getItem').mockImplementation(() => {
    throw new DOMException('denied', 'SecurityError');
  });
  setTheme('dark');
  expect(currentTheme()).toBe('dark');
  expect(visit).not.toThrow();
});
