import { formatAgo, formatTime, formatUTC, parseTime, NONE } from '../lib/format';
import { useNow } from '../lib/clock';

/** A time in the reader's zone, with UTC on hover. `ago` tells it as an age instead. */
export function Time({ at, ago = false }: { at: string | undefined; ago?: boolean }) {
  const now = useNow();
  const ms = parseTime(at);
  if (ms === undefined) return <>{NONE}</>;
  return (
    <time dateTime={at} title={formatUTC(ms)}>
      {ago ? formatAgo(Math.max(now - ms, 0) / 1000) : formatTime(ms, now)}
    </time>
  );
}
