import type { Accuracy, Worker } from '../api/types';

/** From this share of the pool's hashrate on, doubt about it is doubt about the sum. */
const MATTERS = 0.2;

/** How sure the pool's hashrate is, judged by the miners that make it up. */
export function poolAccuracy(workers: readonly Worker[]): Accuracy | undefined {
  let total = 0;
  let warming = 0;
  let settling = 0;
  for (const w of workers) {
    total += w.rolling_hashrate;
    if (w.hashrate_accuracy === '~') warming += w.rolling_hashrate;
    if (w.hashrate_accuracy === '≈') settling += w.rolling_hashrate;
  }
  if (total <= 0) return undefined;
  if (warming / total >= MATTERS) return '~';
  if ((warming + settling) / total >= MATTERS) return '≈';
  return undefined;
}

/** The mark in words. */
export function accuracyText(mark: Accuracy | undefined): string {
  if (mark === '~') return 'a first guess, still warming up';
  if (mark === '≈') return 'approximate, still settling';
  return 'a settled estimate';
}

/** The less sure of two marks. */
export function worse(a: Accuracy | undefined, b: Accuracy | undefined): Accuracy | undefined {
  if (a === '~' || b === '~') return '~';
  return a ?? b;
}
