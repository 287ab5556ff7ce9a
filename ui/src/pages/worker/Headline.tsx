import type { Worker } from '../../api/workers';
import { Figure, Figures } from '../../components/Figures';
import { Time } from '../../components/Time';
import { accuracyText } from '../../lib/accuracy';
import {
  formatCount,
  formatDifficulty,
  formatLatency,
  formatPercent,
  formatRate,
  hashrateParts,
  NONE,
} from '../../lib/format';
import styles from './Headline.module.css';

/** What one wants to know of a worker first. */
export function Headline({ worker: w }: { worker: Worker | undefined }) {
  const rate = hashrateParts(w?.hashrate);
  const all = w ? w.accepted + w.rejected : 0;
  const [best, prefix] = formatDifficulty(w?.best_share).split(' ');
  return (
    <Figures label="Headline figures">
      <Figure
        label="Hashrate"
        hero
        unit={rate.unit}
        note={w && (w.hashrate > 0 ? sureness(w) : w.online ? 'No share for a while' : 'Offline')}
        value={
          w && (
            <span data-testid="worker-hashrate" data-hashrate={w.hashrate}>
              {w.hashrate_accuracy && (
                <span className={styles.mark} title={accuracyText(w.hashrate_accuracy)}>
                  {w.hashrate_accuracy}
                </span>
              )}
              {rate.value}
            </span>
          )
        }
      />
      <Figure
        label="Shares"
        unit="/min"
        note={
          w && (
            <>
              last <Time at={w.last_share} ago />
            </>
          )
        }
        value={w && formatRate(w.share_rate)}
      />
      <Figure
        label="Difficulty"
        note={w && (w.vardiff > 0 ? `vardiff: ${formatDifficulty(w.vardiff)}` : '')}
        value={w && (w.difficulty > 0 ? formatDifficulty(w.difficulty) : NONE)}
      />
      <Figure
        label="Accepted"
        note={
          w &&
          (w.rejected === 0
            ? 'none rejected'
            : `${formatCount(w.rejected)} rejected, ${formatPercent(w.rejected / Math.max(all, 1))}`)
        }
        value={w && formatCount(w.accepted)}
      />
      <Figure
        label="Best share"
        unit={prefix}
        note={
          w &&
          (w.best_session > 0
            ? `${formatDifficulty(w.best_session)} this session`
            : 'none this session')
        }
        value={w && <span className={styles.gold}>{w.best_share > 0 ? best : NONE}</span>}
      />
      <Figure
        label="Latency"
        note={w && (w.ping_p95_ms ? `95 % within ${formatLatency(w.ping_p95_ms)}` : 'not measured')}
        value={w && formatLatency(w.ping_p50_ms)}
      />
    </Figures>
  );
}

function sureness(w: Worker): string {
  const text = accuracyText(w.hashrate_accuracy);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
