/**
 * Every number, amount and time that the page shows is turned into words
 * here and nowhere else. Numbers are written the English way, as the page is;
 * times are in the reader's own time zone, with UTC beside them on hover.
 */

/** A number and its unit, apart, so that a page can set them differently. */
export interface Quantity {
  value: string;
  unit: string;
}

/** What is shown where there is nothing to show. */
export const NONE = '–';

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const integer = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const bitcoin = new Intl.NumberFormat('en', { maximumFractionDigits: 8 });

/** Digits after the point that make `digits` significant ones, for 1 ≤ value < 1000. */
function decimals(value: number, digits: number): number {
  if (value >= 100) return Math.max(digits - 3, 0);
  if (value >= 10) return Math.max(digits - 2, 0);
  return Math.max(digits - 1, 0);
}

/** Scales to 1–999 with an SI prefix; rounding up to 1000 takes the next one. */
function si(value: number, digits: number): { text: string; prefix: string } {
  let step = 0;
  let scaled = value;
  while (scaled >= 1000 && step < PREFIXES.length - 1) {
    scaled /= 1000;
    step++;
  }
  let text = scaled.toFixed(decimals(scaled, digits));
  if (Number(text) >= 1000 && step < PREFIXES.length - 1) {
    step++;
    text = (1).toFixed(digits - 1);
  }
  return { text, prefix: PREFIXES[step] ?? '' };
}

function finite(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}

/** Hashes per second with three significant digits: `2.31` `MH/s`. */
export function hashrateParts(hashesPerSecond: number | undefined): Quantity {
  if (!finite(hashesPerSecond) || hashesPerSecond <= 0) return { value: '0', unit: 'H/s' };
  if (hashesPerSecond < 1) return { value: significant(hashesPerSecond, 2), unit: 'H/s' };
  const { text, prefix } = si(hashesPerSecond, 3);
  return { value: text, unit: `${prefix}H/s` };
}

/** `2.31 MH/s` */
export function formatHashrate(hashesPerSecond: number | undefined): string {
  const { value, unit } = hashrateParts(hashesPerSecond);
  return `${value} ${unit}`;
}

/** A small number without an exponent: `0.0117`, `0.00000052`. */
function significant(value: number, digits: number): string {
  const places = Math.min(digits - 1 - Math.floor(Math.log10(value)), 20);
  return value.toFixed(places).replace(/\.?0+$/, '');
}

/** Difficulty with three significant digits: `0.0117`, `512`, `3.42 G`. */
export function formatDifficulty(difficulty: number | undefined): string {
  if (!finite(difficulty)) return NONE;
  if (difficulty <= 0) return '0';
  if (difficulty < 1) return significant(difficulty, 3);
  const { text, prefix } = si(difficulty, 3);
  const trimmed = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return prefix === '' ? trimmed : `${trimmed} ${prefix}`;
}

/** A whole number with thousands apart: `12,345`. */
export function formatCount(count: number | undefined): string {
  return finite(count) ? integer.format(count) : NONE;
}

/** A rate per minute: one decimal below a hundred. */
export function formatRate(perMinute: number | undefined): string {
  if (!finite(perMinute)) return NONE;
  return perMinute >= 100 ? integer.format(perMinute) : perMinute.toFixed(1);
}

/** A rate per second with three significant digits: `0.25/s`, `12.5/s`. */
export function formatPerSecond(rate: number | undefined): string {
  return finite(rate) ? `${formatDifficulty(rate)}/s` : NONE;
}

/** Satoshis as bitcoin, to the last satoshi: `3.14931877 BTC`. */
export function formatBTC(sats: number | undefined): string {
  return finite(sats) ? `${bitcoin.format(sats / 1e8)} BTC` : NONE;
}

/** A sum of satoshis in few digits: `3,250.08`, `3.1493`, `0.000214` of `BTC`. */
export function bitcoinParts(sats: number | undefined): Quantity {
  if (!finite(sats)) return { value: NONE, unit: '' };
  const places = Math.abs(sats) >= 1e10 ? 2 : Math.abs(sats) >= 1e8 ? 4 : 8;
  return {
    value: (sats / 1e8).toLocaleString('en', { maximumFractionDigits: places }),
    unit: 'BTC',
  };
}

/** Satoshis as such: `314,931,877 sats`. */
export function formatSats(sats: number | undefined): string {
  return finite(sats) ? `${integer.format(sats)} ${sats === 1 ? 'sat' : 'sats'}` : NONE;
}

/** `21,400 sats`, or bitcoin from a hundredth of one up. */
export function formatAmount(sats: number | undefined): string {
  if (!finite(sats)) return NONE;
  if (Math.abs(sats) >= 1_000_000) return formatBTC(sats);
  return formatSats(sats);
}

/** Money of a currency by its ISO 4217 code: `67,187 USD`, `3.42 EUR`. */
export function formatFiat(value: number | undefined, currency: string | undefined): string {
  if (!finite(value) || currency === undefined) return NONE;
  const places = Math.abs(value) >= 100 ? 0 : 2;
  const amount = value.toLocaleString('en', {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
  return `${amount} ${currency.toUpperCase()}`;
}

/** A share of one as per cent: `12 %`, `0.42 %`, `< 0.01 %`. */
export function formatPercent(part: number | undefined): string {
  if (!finite(part)) return NONE;
  const percent = part * 100;
  if (percent > 0 && percent < 0.01) return '< 0.01 %';
  if (percent > 99.9 && percent < 100) return '> 99.9 %';
  if (percent >= 10 || percent === 0) return `${percent.toFixed(0)} %`;
  return `${percent.toFixed(percent >= 1 ? 1 : 2)} %`;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const YEAR = 365.25 * DAY;

/** A length of time in its two largest units: `18 s`, `4 min 5 s`, `3 d 4 h`, `2.1 years`. */
export function formatDuration(seconds: number | undefined): string {
  if (!finite(seconds)) return NONE;
  const s = Math.abs(seconds);
  if (s >= YEAR) {
    const years = s / YEAR;
    if (years >= 1e6) return `${formatDifficulty(years)} years`;
    return `${years < 10 ? years.toFixed(1) : integer.format(years)} years`;
  }
  if (s < 1) return s === 0 ? '0 s' : '< 1 s';
  const whole = Math.round(s);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return two(whole, MINUTE, 'min', 1, 's');
  if (whole < DAY) return two(whole, HOUR, 'h', MINUTE, 'min');
  return two(whole, DAY, 'd', HOUR, 'h');
}

function two(seconds: number, big: number, bigName: string, small: number, smallName: string) {
  const many = Math.floor(seconds / big);
  const rest = Math.floor((seconds % big) / small);
  return rest === 0 ? `${many} ${bigName}` : `${many} ${bigName} ${rest} ${smallName}`;
}

/** A timer: `0:07`, `9:46`, `1:02:03`. */
export function formatTimer(seconds: number | undefined): string {
  if (!finite(seconds)) return NONE;
  const s = Math.floor(Math.abs(seconds));
  const pad = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(s / MINUTE);
  if (s < HOUR) return `${minutes}:${pad(s % MINUTE)}`;
  if (s < DAY) return `${Math.floor(s / HOUR)}:${pad(minutes % 60)}:${pad(s % MINUTE)}`;
  return formatDuration(s);
}

/** How long ago: `now`, `14 s ago`, `3 h 2 min ago`. */
export function formatAgo(seconds: number | undefined): string {
  if (!finite(seconds)) return NONE;
  return seconds < 1 ? 'now' : `${formatDuration(seconds)} ago`;
}

/** Milliseconds of latency: `17 µs`, `0.4 ms`, `12 ms`. */
export function formatLatency(ms: number | undefined): string {
  if (!finite(ms) || ms <= 0) return NONE;
  if (ms < 0.1) return `${Math.max(Math.round(ms * 1000), 1)} µs`;
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${integer.format(ms)} ms`;
}

/** How far one clock is from another, with its sign: `+1.5 s`, `-0.3 s`. */
export function formatSkew(seconds: number | undefined): string {
  return finite(seconds) ? `${seconds > 0 ? '+' : ''}${seconds.toFixed(1)} s` : NONE;
}

/** Parses RFC 3339; undefined for what is not a time, and for Go's zero time. */
export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) || ms <= 0 ? undefined : ms;
}

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const dayAndClock = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const fullDate = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });

/** Local time of day: `14:03:12`. */
export function formatClock(ms: number): string {
  return clock.format(ms);
}

const preciseClock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/** Local time of day to the millisecond: `14:03:12.456`. */
export function formatPreciseClock(ms: number): string {
  return preciseClock.format(ms);
}

/** Bytes: `136 B`, `4.2 kB`. */
export function formatBytes(bytes: number | undefined): string {
  if (!finite(bytes)) return NONE;
  if (bytes < 1000) return `${integer.format(bytes)} B`;
  const { text, prefix } = si(bytes, 2);
  return `${text} ${prefix}B`;
}

/** Local time, as short as tells it apart from now: today's without the day, older with the year. */
export function formatTime(ms: number, now: number): string {
  if (new Date(ms).toDateString() === new Date(now).toDateString()) return clock.format(ms);
  if (Math.abs(now - ms) < 300 * DAY * 1000) return dayAndClock.format(ms);
  return fullDate.format(ms);
}

/** `2026-11-21 23:55:30 UTC` */
export function formatUTC(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** The telling end of a block hash, whose beginning is all zeros: `…8d08a392e`. */
export function shortHash(hash: string): string {
  return hash.length <= 16 ? hash : `…${hash.slice(-12)}`;
}

/** `1 miner`, `2 miners` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const axisDay = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const axisMinute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** A mark on a time axis whose marks are `step` seconds apart. */
export function formatAxisTime(ms: number, step: number): string {
  if (step >= DAY) return axisDay.format(ms);
  if (step < MINUTE) return clock.format(ms);
  const label = axisMinute.format(ms);
  return label === '00:00' ? axisDay.format(ms) : label;
}

/** A phrase of the server's as a sentence: capital first, full stop last. */
export function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
