import { Facts } from '../../../components/Facts';
import { Pill } from '../../../components/Pill';
import { formatDifficulty, formatLatency } from '../../../lib/format';
import type { Message } from '../../../scope/types';
import { auditWord, conflictText, poolWord } from '../../../scope/words';
import styles from './ShareView.module.css';

/** What a share was worth, and whether the pool's word agrees. */
export function ShareView({ share }: { share: NonNullable<Message['share']> }) {
  const audit = auditWord(share.audit);
  const pool = poolWord(share.pool, share.reason);
  const conflict = conflictText(share.conflict);
  return (
    <section className={styles.share} aria-label="Share audit" data-conflict={conflict !== ''}>
      <p className={styles.words}>
        <Pill tone={audit.tone}>{audit.text}</Pill> {audit.meaning}
      </p>
      <p className={styles.words}>
        <Pill tone={pool.tone}>{pool.text}</Pill> {pool.meaning}
      </p>
      {conflict !== '' && <p className={styles.conflict}>{conflict}</p>}
      <Facts
        items={[
          ['True difficulty', formatDifficulty(share.difficulty ?? undefined)],
          ['Asked for', formatDifficulty(share.target_difficulty ?? undefined)],
          ...(share.stale_ms === null
            ? []
            : ([['Job was over for', formatLatency(share.stale_ms)]] as const)),
          ...(share.hash === null
            ? []
            : ([['Hash', <code key="hash">{share.hash}</code>]] as const)),
        ]}
      />
    </section>
  );
}
