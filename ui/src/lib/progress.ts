import { useEffect, useState, useSyncExternalStore } from 'react';

/**
 * What is under way and may take long. The bar at the top of the window shows
 * it; what fetches and sends through react-query or the router is known there
 * by itself, the rest is told here.
 */
export interface Task {
  /** What is done, as a phrase: `Searching the journal`. */
  label: string;
  /** How much of it is done, 0 to 1; undefined when nobody can tell. */
  part: number | undefined;
}

const tasks = new Map<symbol, Task>();
const listeners = new Set<() => void>();
let newest: Task | undefined;

function changed(): void {
  newest = [...tasks.values()].at(-1);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Shows a task for as long as it has a label. */
export function useTask(label: string | undefined, part?: number): void {
  const [id] = useState(() => Symbol('task'));
  useEffect(() => {
    if (label === undefined) return;
    tasks.set(id, { label, part });
    changed();
  }, [id, label, part]);
  useEffect(() => {
    if (label === undefined) return;
    return () => {
      tasks.delete(id);
      changed();
    };
  }, [id, label]);
}

/** The task that was told last, if any is under way. */
export function useToldTask(): Task | undefined {
  return useSyncExternalStore(subscribe, () => newest);
}

/** What is short is not shown at all, ms. */
const PATIENCE = 400;

/** A pause between two tasks that is no end yet, ms. */
const LINGER = 250;

/**
 * `busy` without its flicker: true only once it has been for a while, and false
 * only once it has been so for a moment.
 */
export function useSteady(busy: boolean): boolean {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (busy === shown) return;
    const timer = setTimeout(
      () => {
        setShown(busy);
      },
      busy ? PATIENCE : LINGER,
    );
    return () => {
      clearTimeout(timer);
    };
  }, [busy, shown]);
  return shown;
}
