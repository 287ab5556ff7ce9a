import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BadgeCheck, X } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { removeWorker, savedQuery } from '../../api/saved';
import { Button } from '../../components/Button';
import { ConfirmDialog } from '../../components/ConfirmDialog';
import { CopyButton } from '../../components/CopyButton';
import dialogStyles from '../../components/Dialog.module.css';
import { Facts } from '../../components/Facts';
import { Pill } from '../../components/Pill';
import { Time } from '../../components/Time';
import {
  formatCount,
  formatDifficulty,
  formatDuration,
  formatHashrate,
  formatLatency,
  formatPercent,
  formatRate,
  NONE,
} from '../../lib/format';
import { Claim } from './Claim';
import type { SavedWorker } from './group';
import { OwnerActions } from './OwnerActions';
import styles from './WorkerDialog.module.css';

/** One saved worker: its figures, whose it is, and what may be done with it. */
export function WorkerDialog({ worker: w, onClose }: { worker: SavedWorker; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const close = () => {
    dialog.current?.close();
  };
  return (
    <dialog
      ref={dialog}
      className={`${dialogStyles.frame ?? ''} ${styles.dialog ?? ''}`}
      aria-labelledby={title}
      onClose={(event) => {
        // A dialog inside closes by itself, and its event comes up here.
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <header className={styles.head}>
        <div>
          <h2 id={title}>
            <span className={styles.name} dir="auto">
              {w.name}
            </span>
          </h2>
          <p className={styles.state}>
            {w.online ? <Pill tone="good">Online</Pill> : <Pill>Offline</Pill>}
            {w.owned && (
              <Pill tone="good">
                <BadgeCheck size={13} aria-hidden="true" />
                Yours
              </Pill>
            )}
            <CopyButton text={w.name} label="Copy the name" />
            <Link to="/workers/$id" params={{ id: w.hash }}>
              Its page
            </Link>
          </p>
        </div>
        <button type="button" className={styles.close} aria-label="Close" onClick={close}>
          <X size={19} aria-hidden="true" />
        </button>
      </header>
      <Figures worker={w} />
      {w.connections.length > 0 && <Connections worker={w} />}
      {w.owned ? <OwnerActions worker={w} /> : <Claim worker={w} />}
      <Remove worker={w} />
    </dialog>
  );
}

function Figures({ worker: w }: { worker: SavedWorker }) {
  const all = Math.max(w.accepted + w.rejected, 1);
  return (
    <section className={styles.facts} aria-label="Figures">
      <Facts
        items={[
          ['Hashrate', w.hashrate > 0 ? formatHashrate(w.hashrate) : NONE],
          ['Shares', w.online ? `${formatRate(w.sharesPerMinute)}/min` : NONE],
          ['Accepted', formatCount(w.accepted)],
          [
            'Rejected',
            w.rejected === 0
              ? '0'
              : `${formatCount(w.rejected)}, ${formatPercent(w.rejected / all)}`,
          ],
        ]}
      />
      <Facts
        items={[
          ['Best share ever', w.bestDifficulty > 0 ? formatDifficulty(w.bestDifficulty) : NONE],
          ['Uptime, 24 h', formatPercent(w.uptime)],
          ['Last share', <Time key="share" at={w.lastShare} ago />],
          ['Last online', w.online ? 'now' : <Time key="online" at={w.lastOnline} ago />],
        ]}
      />
    </section>
  );
}

function Connections({ worker: w }: { worker: SavedWorker }) {
  return (
    <section>
      <h3>Connections</h3>
      <table className={styles.connections}>
        <thead>
          <tr>
            <th scope="col">No.</th>
            <th scope="col">Open for</th>
            <th scope="col">Hashrate</th>
            <th scope="col">Difficulty</th>
            <th scope="col">Latency</th>
          </tr>
        </thead>
        <tbody>
          {w.connections.map((c) => (
            <tr key={c.connection_seq}>
              <td>{c.connection_seq ?? NONE}</td>
              <td>{formatDuration(c.connection_duration_seconds)}</td>
              <td>{formatHashrate(c.hashrate)}</td>
              <td>{formatDifficulty(c.difficulty)}</td>
              <td>{formatLatency(c.estimated_ping_p50_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Remove({ worker: w }: { worker: SavedWorker }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const order = useMutation({
    mutationFn: () => removeWorker(w.hash),
    onSuccess: () => client.invalidateQueries({ queryKey: savedQuery.queryKey }),
  });
  return (
    <footer className={styles.foot}>
      <span>Removing it from the list changes nothing for the miner.</span>
      <Button
        small
        tone="danger"
        onClick={() => {
          order.reset();
          setAsking(true);
        }}
      >
        Remove
      </Button>
      {asking && (
        <ConfirmDialog
          title="Remove this worker from your list?"
          action="Remove"
          busy={order.isPending || order.isSuccess}
          error={order.error}
          onConfirm={() => {
            order.mutate();
          }}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>
            You will not be told about it any more.
            {w.owned && ' That it is yours must be proven anew if you save it again.'}
          </p>
        </ConfirmDialog>
      )}
    </footer>
  );
}
