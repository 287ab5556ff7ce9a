import type { LiveState } from '../../../api/live';
import { Button } from '../../../components/Button';
import { Pill } from '../../../components/Pill';
import { useLocalNow } from '../../../lib/clock';
import { formatDuration } from '../../../lib/format';

/** Whether what agents tell comes as it happens, and what holds while it does not. */
export function LiveWord({ live, onRetry }: { live: LiveState; onRetry: () => void }) {
  const now = useLocalNow();
  const pause = live.retryAt === undefined ? 0 : Math.ceil((live.retryAt - now) / 1000);
  return (
    <>
      <span role="status" data-testid="agents-live" data-phase={live.phase}>
        {live.phase === 'live' ? (
          <Pill tone="good">Live</Pill>
        ) : live.phase === 'connecting' ? (
          <Pill>Connecting</Pill>
        ) : (
          <Pill tone="warn">Reconnecting: fetched every 5 s meanwhile</Pill>
        )}
      </span>
      {live.phase === 'waiting' && (
        <Button small onClick={onRetry}>
          {pause > 1 ? `Next try in ${formatDuration(pause)}. Try now` : 'Try now'}
        </Button>
      )}
    </>
  );
}
