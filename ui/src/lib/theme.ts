import { useSyncExternalStore } from 'react';

/** What the reader asked for; "system" follows the system's preference. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'poolscope.theme';
const listeners = new Set<() => void>();

/** The current choice, as public/theme.js applied it before the first paint. */
export function currentTheme(): Theme {
  const set = document.documentElement.dataset.theme;
  return set === 'light' || set === 'dark' ? set : 'system';
}

/** Applies a choice and remembers it, where the browser lets us. */
export function setTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage is switched off: the choice holds for this visit.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, currentTheme);
}

/** Calls back when colours change: by the switch or by the system. For canvases. */
export function onThemeChange(callback: () => void): () => void {
  const media = window.matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', callback);
  const unsubscribe = subscribe(callback);
  return () => {
    media.removeEventListener('change', callback);
    unsubscribe();
  };
}
