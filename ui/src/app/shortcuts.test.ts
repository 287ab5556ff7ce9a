// @vitest-environment jsdom
import { expect, it } from 'vitest';
import { PEOPLE_AREAS, POOL_AREAS, SCOPE_AREAS } from './navigation';
import { GO, isTyping, setSingleKeys, Shortcuts, singleKeys, type Press } from './shortcuts';

function press(key: string, more: Partial<Press> = {}): Press {
  const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false };
  return { key, ...none, ...more };
}

it('goes to every page of the navigation, each by a letter of its own', () => {
  const pages = [...POOL_AREAS.areas, ...SCOPE_AREAS.areas, ...PEOPLE_AREAS.areas].map((a) => a.to);
  expect(Object.values(GO).toSorted()).toEqual(pages.toSorted());
});

it('takes a pair of keys only when the second follows soon and directly', () => {
  const s = new Shortcuts();
  expect(s.press(press('g'), 0, true)).toBeUndefined();
  expect(s.press(press('w'), 1000, true)).toEqual({ do: 'go', to: '/workers' });
  expect(s.press(press('w'), 1100, true)).toBeUndefined();
  s.press(press('g'), 2000, true);
  expect(s.press(press('w'), 4000, true)).toBeUndefined();
  s.press(press('g'), 5000, true);
  s.press(press('q'), 5100, true);
  expect(s.press(press('w'), 5200, true)).toBeUndefined();
});

it('leaves what is typed alone, and what belongs to the browser', () => {
  const s = new Shortcuts();
  for (const key of ['?', '/', 'g', 'w']) expect(s.press(press(key), 0, false)).toBeUndefined();
  expect(s.press(press('/', { ctrlKey: true }), 0, true)).toBeUndefined();
  expect(s.press(press('k', { ctrlKey: true, shiftKey: true }), 0, true)).toBeUndefined();
  expect(s.press(press('k', { ctrlKey: true, altKey: true }), 0, true)).toBeUndefined();
  // A lone "constructor" is no letter of ours either.
  s.press(press('g'), 0, true);
  expect(s.press(press('constructor'), 1, true)).toBeUndefined();
});

it('opens the palette by Ctrl+K and Cmd+K, also while somebody types', () => {
  const s = new Shortcuts();
  expect(s.press(press('k', { ctrlKey: true }), 0, false)).toEqual({ do: 'palette' });
  expect(s.press(press('K', { metaKey: true }), 0, true)).toEqual({ do: 'palette' });
  expect(s.press(press('k'), 0, true)).toBeUndefined();
  expect(s.press(press('?', { shiftKey: true }), 0, true)).toEqual({ do: 'help' });
  expect(s.press(press('/'), 0, true)).toEqual({ do: 'search' });
});

it('knows where people type', () => {
  const make = (html: string) => {
    document.body.innerHTML = html;
    return document.body.firstElementChild;
  };
  for (const html of [
    '<input>',
    '<input type="search">',
    '<input type="datetime-local">',
    '<textarea></textarea>',
    '<select></select>',
    '<div contenteditable="true"></div>',
  ]) {
    expect(isTyping(make(html))).toBe(true);
  }
  for (const html of ['<button></button>', '<input type="checkbox">', '<div tabindex="0"></div>']) {
    expect(isTyping(make(html))).toBe(false);
  }
  expect(isTyping(document)).toBe(false);
});

it('remembers that single keys are switched off', () => {
  expect(singleKeys()).toBe(true);
  setSingleKeys(false);
  expect(singleKeys()).toBe(false);
  expect(localStorage.getItem('poolscope.shortcuts')).toBe('off');
  setSingleKeys(true);
  expect(singleKeys()).toBe(true);
});
