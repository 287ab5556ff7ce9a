import { describe, expect, it } from 'vitest';
import {
  formatAgo,
  formatBTC,
  formatCount,
  formatDifficulty,
  formatDuration,
  formatHashrate,
  formatLatency,
  formatPercent,
  formatRate,
  formatTimer,
} from './format';
import vectors from './format-vectors.json';

const writers: Record<keyof typeof vectors, (value: number) => string> = {
  hashrate: formatHashrate,
  difficulty: formatDifficulty,
  count: formatCount,
  rate: formatRate,
  btc: formatBTC,
  percent: formatPercent,
  duration: formatDuration,
  timer: formatTimer,
  ago: formatAgo,
  latency: formatLatency,
};

// internal/format, which writes numbers in the terminal, is tested with the same file.
describe.each(Object.entries(writers))('%s as in the terminal', (kind, write) => {
  it.each(vectors[kind as keyof typeof vectors])('%s → %s', (value, want) => {
    expect(write(value as number)).toBe(want);
  });
});
