import { useMutation, useQueryClient } from '@tanstack/react-query';
import { RotateCw } from 'lucide-react';
import { useEffect, useState } from 'react';
import { fetchJSON } from '../../../api/client';
import type { Status } from '../../../api/types';
import { useView } from '../../../api/LiveProvider';
import { Button } from '../../../components/Button';
import { ConfirmDialog } from '../../../components/ConfirmDialog';
import { useLocalNow } from '../../../lib/clock';
import { formatDuration, plural } from '../../../lib/format';
import { useTask } from '../../../lib/progress';
import { restartProgram, settingsQuery, type Saved } from './api';
import styles from './SettingsPage.module.css';

/** How often the server is asked whether it is back, ms. */
const KNOCK = 1_000;

/** So long it may take before somebody should look after it, s. */
const LONG = 60;

interface RestartPanelProps {
  /** What was just saved, if anything was. */
  saved: Saved | undefined;
  /** Keys of the file that wait for the next start. */
  waiting: number;
  /** There is a configuration file. */
  hasFile: boolean;
}

/** What became of saving, and the next start of the program. */
export function RestartPanel({ saved, waiting, hasFile }: RestartPanelProps) {
  const [asking, setAsking] = useState(false);
  const [since, setSince] = useState<number>();
  const started = useView('status').data?.started_at;
  const [before, setBefore] = useState<string>();
  const restart = useMutation({
    mutationFn: restartProgram,
    onSuccess: () => {
      setAsking(false);
      setBefore(started);
      setSince(Date.now());
    },
  });
  const [back, setBack] = useState(false);

  if (since !== undefined && !back) {
    return (
      <Waiting
        since={since}
        before={before}
        onBack={() => {
          setBack(true);
        }}
      />
    );
  }
  return (
    <>
      <div className={styles.restart}>
        <p role="status">
          {back
            ? hasFile
              ? 'It was started anew, with the settings of the file.'
              : 'It was started anew.'
            : saved
              ? savedWords(saved)
              : waiting > 0
                ? `${plural(waiting, 'setting')} of the file wait${waiting === 1 ? 's' : ''} for a restart.`
                : hasFile
                  ? 'All that the file says is in force.'
                  : 'These settings are in force.'}
        </p>
        <Button
          tone={!back && (waiting > 0 || (saved?.restart.length ?? 0) > 0) ? 'primary' : 'plain'}
          onClick={() => {
            restart.reset();
            setBack(false);
            setAsking(true);
          }}
        >
          <RotateCw size={15} aria-hidden="true" />
          Restart
        </Button>
      </div>
      {asking && (
        <ConfirmDialog
          title="Restart the program?"
          action={restart.isPending ? 'Restarting…' : 'Restart'}
          busy={restart.isPending}
          error={restart.error}
          onConfirm={() => {
            restart.mutate();
          }}
          onClose={() => {
            setAsking(false);
          }}
        >
          <p>
            Miners are disconnected for some seconds, and connect again by themselves. The books are
            kept.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

/** What became of saving. */
function savedWords({ live, restart, backup }: Saved): string {
  const parts = [
    live.length > 0 && `${plural(live.length, 'setting')} in force now`,
    restart.length > 0 && `${plural(restart.length, 'setting')} waiting for a restart`,
  ].filter((part) => part !== false);
  return `Saved${parts.length === 0 ? '' : `: ${parts.join(', ')}`}. The file as it was is kept as ${backup}.`;
}

/** Knocks until another run of the program answers. */
function Waiting(props: { since: number; before: string | undefined; onBack: () => void }) {
  const { since, before, onBack } = props;
  const client = useQueryClient();
  const seconds = Math.max(0, (useLocalNow() - since) / 1000);
  useTask('Restarting');

  useEffect(() => {
    const knock = async () => {
      try {
        const signal = AbortSignal.timeout(5_000);
        const status = await fetchJSON<Status>('/api/status', signal);
        if (status.started_at === before) return;
        await client.invalidateQueries({ queryKey: settingsQuery.queryKey });
        onBack();
        void client.invalidateQueries();
      } catch {
        // It is not back yet.
      }
    };
    const timer = setInterval(() => void knock(), KNOCK);
    return () => {
      clearInterval(timer);
    };
  }, [client, before, onBack]);

  return (
    <div className={styles.restart}>
      <p role="status">
        {seconds < LONG
          ? 'It is being started anew. This page waits for it.'
          : 'It has not come back so far. See its log on the machine, and what started it.'}{' '}
        <span aria-hidden="true">{formatDuration(Math.floor(seconds))}</span>
      </p>
    </div>
  );
}
