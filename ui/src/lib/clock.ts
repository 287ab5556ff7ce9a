import { useSyncExternalStore } from 'react';

/**
 * One clock for the whole page. It ticks once a second while anybody watches,
 * and it is the server's: ages would be wrong on a computer whose own clock is.
 */

/** Differences below this are the network's and the rounding of timestamps. */
const TOLERANCE = 2_000;

let offset = 0;
let local = Date.now();
let now = local;
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function read(): void {
  local = Date.now();
  now = local + offset;
}

function tick(): void {
  read();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    read();
    timer = setInterval(tick, 1000);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Tells the clock what time the server says it is (ms), just received. */
export function syncClock(serverTime: number): void {
  const difference = serverTime - Date.now();
  offset = Math.abs(difference) < TOLERANCE ? 0 : difference;
}

/** The server's time in milliseconds, renewed once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** This computer's own time, for what was timed here; renewed once a second. */
export function useLocalNow(): number {
  return useSyncExternalStore(subscribe, () => local);
}
