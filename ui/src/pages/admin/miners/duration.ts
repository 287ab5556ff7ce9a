/** How long something is to last: a number of seconds, 0 without an end, or until a time. */
export type Length = number | 'until';

/**
 * The seconds from now (ms) until a local time as `datetime-local` has it;
 * undefined when that is no time in the future.
 */
export function secondsUntil(local: string, now: number): number | undefined {
  const at = Date.parse(local);
  const seconds = Math.ceil((at - now) / 1000);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

/** A time (ms) as `datetime-local` wants it, to the minute. */
export function localMinute(at: number): string {
  const d = new Date(at);
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}
