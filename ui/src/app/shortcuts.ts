import type { LinkProps } from '@tanstack/react-router';
import { useSyncExternalStore } from 'react';

/** Where `g` and a letter go. */
export const GO = {
  o: '/',
  w: '/workers',
  b: '/blocks',
  n: '/node',
  v: '/server',
  x: '/bans',
  s: '/scope/sessions',
  m: '/scope/messages',
  a: '/scope/alarms',
  f: '/scope/agents',
  y: '/saved',
  l: '/alerts',
  u: '/account',
} as const satisfies Record<string, NonNullable<LinkProps['to']>>;

/** What a key is to do. */
export type Command =
  | { do: 'palette' }
  | { do: 'help' }
  | { do: 'search' }
  | { do: 'go'; to: (typeof GO)[keyof typeof GO] };

/** How long the second key of a pair may take, ms. */
const PAIR = 1500;

/** What a key press has that matters here; KeyboardEvent has it. */
export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
}

/** Makes commands of key presses. It remembers a `g` until the next key. */
export class Shortcuts {
  #pairBegan = -Infinity;

  /**
   * What a press at a time (ms) is to do; undefined when it is nothing of ours.
   * `single` says whether keys without Ctrl or Cmd may be taken.
   */
  press(p: Press, at: number, single: boolean): Command | undefined {
    const began = this.#pairBegan;
    this.#pairBegan = -Infinity;
    const key = p.key.toLowerCase();
    if (p.altKey || p.repeat) return undefined;
    if (p.ctrlKey || p.metaKey) {
      return key === 'k' && !p.shiftKey && p.ctrlKey !== p.metaKey ? { do: 'palette' } : undefined;
    }
    if (!single) return undefined;
    if (p.key === '?') return { do: 'help' };
    if (p.shiftKey) return undefined;
    if (at - began <= PAIR && Object.hasOwn(GO, key)) {
      return { do: 'go', to: GO[key as keyof typeof GO] };
    }
    if (key === 'g') this.#pairBegan = at;
    return key === '/' ? { do: 'search' } : undefined;
  }
}

/** Inputs that take no text, so that a letter in them is no typing. */
const UNTYPED = new Set(['button', 'checkbox', 'radio', 'range', 'submit', 'reset', 'color']);

/** Whether keys go into something that is typed into, or chosen from by typing. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !UNTYPED.has(target.type);
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    target.isContentEditable ||
    target.closest('[contenteditable=""], [contenteditable="true"], [role="textbox"]') !== null
  );
}

const KEY = 'poolscope.shortcuts';
const listeners = new Set<() => void>();
let memory: boolean | undefined;

/**
 * Whether single keys do something. Who speaks to the computer, or touches keys
 * by accident, switches them off (WCAG 2.1.4).
 */
export function singleKeys(): boolean {
  if (memory !== undefined) return memory;
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

export function setSingleKeys(on: boolean): void {
  memory = on;
  try {
    if (on) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, 'off');
  } catch {
    // Storage is switched off: it holds for this visit.
  }
  for (const listener of listeners) listener();
}

export function useSingleKeys(): boolean {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, singleKeys);
}
