import { describe, expect, it } from 'vitest';
import {
  formatAgo,
  formatAxisTime,
  bitcoinParts,
  formatAmount,
  formatBTC,
  formatCount,
  formatDifficulty,
  formatDuration,
  formatFiat,
  formatHashrate,
  formatLatency,
  formatPercent,
  formatRate,
  formatTime,
  formatTimer,
  formatUTC,
  hashrateParts,
  NONE,
  parseTime,
  plural,
  sentence,
  shortHash,
} from './format';

describe('hashrate', () => {
  it.each([
    [0, '0 H/s'],
    [undefined, '0 H/s'],
    [Number.NaN, '0 H/s'],
    [-5, '0 H/s'],
    [0.25, '0.25 H/s'],
    [1, '1.00 H/s'],
    [999, '999 H/s'],
    [999.6, '1.00 kH/s'],
    [78_300, '78.3 kH/s'],
    [2_312_345, '2.31 MH/s'],
    [1.21e12, '1.21 TH/s'],
    [999_950_000_000, '1.00 TH/s'],
    [5.6e20, '560 EH/s'],
    [1e21, '1.00 ZH/s'],
  ])('%s → %s', (input, want) => {
    expect(formatHashrate(input)).toBe(want);
  });

  it('keeps value and unit apart', () => {
    expect(hashrateParts(4.2e9)).toEqual({ value: '4.20', unit: 'GH/s' });
  });
});

describe('difficulty', () => {
  it.each([
    [undefined, NONE],
    [0, '0'],
    [0.0117, '0.0117'],
    [0.000_000_000_523, '0.000000000523'],
    [0.1, '0.1'],
    [1, '1'],
    [512, '512'],
    [1024, '1.02 k'],
    [16_000, '16 k'],
    [100_000, '100 k'],
    [3.42e9, '3.42 G'],
    [146_472_570_619_930.8, '146 T'],
  ])('%s → %s', (input, want) => {
    expect(formatDifficulty(input)).toBe(want);
  });
});

describe('money', () => {
  it.each([
    [67187.34, 'usd', '67,187 USD'],
    [100, 'eur', '100 EUR'],
    [3.4159, 'eur', '3.42 EUR'],
    [9_876_543_210, 'jpy', '9,876,543,210 JPY'],
    [undefined, 'usd', NONE],
    [1, undefined, NONE],
  ])('%s %s → %s', (value, currency, want) => {
    expect(formatFiat(value, currency)).toBe(want);
  });
});

describe('amounts', () => {
  it('shows bitcoin to the last satoshi', () => {
    expect(formatBTC(5_000_000_000)).toBe('50 BTC');
    expect(formatBTC(314_931_877)).toBe('3.14931877 BTC');
    expect(formatBTC(1)).toBe('0.00000001 BTC');
    expect(formatBTC(undefined)).toBe(NONE);
  });

  it('shows small sums in satoshis', () => {
    expect(formatAmount(0)).toBe('0 sats');
    expect(bitcoinParts(325_007_502_059)).toEqual({ value: '3,250.08', unit: 'BTC' });
    expect(bitcoinParts(314_931_877).value).toBe('3.1493');
    expect(bitcoinParts(21_400).value).toBe('0.000214');
    expect(bitcoinParts(undefined).unit).toBe('');
    expect(formatAmount(1)).toBe('1 sat');
    expect(formatAmount(21_400)).toBe('21,400 sats');
    expect(formatAmount(2_431_877)).toBe('0.02431877 BTC');
  });
});

describe('counts, rates, shares', () => {
  it('groups thousands', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567');
    expect(plural(1, 'miner')).toBe('1 miner');
    expect(plural(2000, 'miner')).toBe('2,000 miners');
  });

  it('rounds rates', () => {
    expect(formatRate(0)).toBe('0.0');
    expect(formatRate(14.74)).toBe('14.7');
    expect(formatRate(1234.5)).toBe('1,235');
    expect(formatLatency(1.93)).toBe('1.9 ms');
    expect(formatLatency(0)).toBe(NONE);
  });

  it.each([
    [0, '0 %'],
    [0.000_001, '< 0.01 %'],
    [0.0042, '0.42 %'],
    [0.042, '4.2 %'],
    [0.5, '50 %'],
    [0.9999, '> 99.9 %'],
    [1, '100 %'],
  ])('per cent of %s → %s', (input, want) => {
    expect(formatPercent(input)).toBe(want);
  });
});

describe('durations', () => {
  it.each([
    [0, '0 s'],
    [0.4, '< 1 s'],
    [18.2, '18 s'],
    [59.7, '1 min'],
    [65, '1 min 5 s'],
    [3600, '1 h'],
    [7500, '2 h 5 min'],
    [90_000, '1 d 1 h'],
    [86_400 * 800, '2.2 years'],
    [86_400 * 365.25 * 12_345, '12,345 years'],
    [86_400 * 365.25 * 4.2e9, '4.2 G years'],
    [undefined, NONE],
    [Number.POSITIVE_INFINITY, NONE],
  ])('%s s → %s', (input, want) => {
    expect(formatDuration(input)).toBe(want);
  });

  it.each([
    [7, '0:07'],
    [-7, '0:07'],
    [586, '9:46'],
    [3723, '1:02:03'],
    [90_000, '1 d 1 h'],
  ])('timer at %s → %s', (input, want) => {
    expect(formatTimer(input)).toBe(want);
  });

  it('tells ages', () => {
    expect(formatAgo(0.2)).toBe('now');
    expect(formatAgo(14)).toBe('14 s ago');
  });
});

describe('times', () => {
  const at = Date.UTC(2026, 10, 21, 23, 55, 30);

  it('parses RFC 3339 and nothing else', () => {
    expect(parseTime('2026-11-21T23:55:30Z')).toBe(at);
    expect(parseTime('0001-01-01T00:00:00Z')).toBeUndefined();
    expect(parseTime('soon')).toBeUndefined();
    expect(parseTime(undefined)).toBeUndefined();
  });

  it('writes UTC in full', () => {
    expect(formatUTC(at)).toBe('2026-11-21 23:55:30 UTC');
  });

  it('adds the day to what is not of today, and the year to what is long ago', () => {
    expect(formatTime(at, at + 1)).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(formatTime(at, at + 3 * 86_400_000)).toMatch(/^\d+ \w+,? \d\d:\d\d$/);
    expect(formatTime(at, at + 900 * 86_400_000)).toMatch(/2026$/);
  });
});

it('shortens hashes from the left', () => {
  expect(shortHash('0000000000000000000123456789abcdef')).toBe('…456789abcdef');
  expect(shortHash('abc')).toBe('abc');
});

it('makes sentences of phrases', () => {
  expect(sentence('the node is gone')).toBe('The node is gone.');
  expect(sentence('Why?')).toBe('Why?');
});

it('labels a time axis by the distance of its marks', () => {
  const noon = new Date(2026, 10, 21, 12, 0, 30).getTime();
  const midnight = new Date(2026, 10, 21).getTime();
  expect(formatAxisTime(noon, 30)).toBe('12:00:30');
  expect(formatAxisTime(noon, 60)).toBe('12:00');
  expect(formatAxisTime(midnight, 3600)).toBe('21 Nov');
  expect(formatAxisTime(noon, 86_400)).toBe('21 Nov');
});
