// @vitest-environment jsdom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { load, LoadFailure, mayReload } from './load';

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
});

afterEach(() => {
  vi.useRealTimers();
  document.head.replaceChildren();
});

it('tells a part that could not be fetched from a fault, and fetches it when asked again', async () => {
  // As Chromium says it; the router would load the page anew on these words.
  const gone = new TypeError('Failed to fetch dynamically imported module: /assets/a.js');
  const importer = vi.fn<() => Promise<string>>().mockRejectedValueOnce(gone);
  importer.mockResolvedValue('module');
  const error = await load(importer).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(LoadFailure);
  expect(String(error)).not.toContain('dynamically imported');
  await expect(load(importer)).resolves.toBe('module');
});

it('asks again for a style sheet that failed before it imports', async () => {
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = '/assets/page.css';
  document.head.append(link);
  const importer = vi.fn(() => Promise.resolve('module'));

  const failing = load(importer);
  const second = document.head.lastElementChild as HTMLLinkElement;
  expect(second).not.toBe(link);
  expect(second.href).toBe(link.href);
  second.dispatchEvent(new Event('error'));
  await expect(failing).rejects.toBeInstanceOf(LoadFailure);
  expect(importer).not.toHaveBeenCalled();

  const loading = load(importer);
  document.head.lastElementChild?.dispatchEvent(new Event('load'));
  await expect(loading).resolves.toBe('module');
  expect(document.head.childElementCount).toBe(1);
});

it('reloads by itself once in a while, never in a loop', () => {
  expect(mayReload()).toBe(true);
  expect(mayReload()).toBe(false);
  vi.advanceTimersByTime(59_000);
  expect(mayReload()).toBe(false);
  vi.advanceTimersByTime(2_000);
  expect(mayReload()).toBe(true);
});
