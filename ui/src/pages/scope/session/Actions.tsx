import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Download, List, Unplug } from 'lucide-react';
import { useRef, useState } from 'react';
import { errorText } from '../../../api/client';
import { Button } from '../../../components/Button';
import dialogStyles from '../../../components/Dialog.module.css';
import fieldStyles from '../../../components/Field.module.css';
import { saveFile } from '../../../lib/download';
import { sentence } from '../../../lib/format';
import { read, send } from '../../../scope/client';
import { sessionsQuery } from '../../../scope/queries';
import type { Session } from '../../../scope/types';
import { shortSession, shortWorker } from '../../../scope/words';
import styles from './SessionPage.module.css';

const FORMATS = [
  { format: 'jsonl', title: 'All messages, each with the hash of the one before' },
  { format: 'pcapng', title: 'Packets for Wireshark' },
  { format: 'csv', title: 'The shares' },
] as const;

/** What can be done with a session. */
export function Actions({ session }: { session: Session }) {
  return (
    <div className={styles.actions}>
      <Link to="/scope/messages" search={{ session: session.session_id }} className={styles.link}>
        <List size={15} aria-hidden="true" />
        Messages
      </Link>
      <Exports id={session.session_id} />
      <CompareWith session={session} />
      {session.live && session.origin === 'proxy' && <Disconnect session={session} />}
    </div>
  );
}

/** Fetches an export and hands it to the browser. */
async function download(id: string, format: string): Promise<void> {
  const response = await read(`/api/sessions/${encodeURIComponent(id)}/export?format=${format}`);
  saveFile(await response.blob(), `${id}.${format}`);
}

function Exports({ id }: { id: string }) {
  const { mutate, isPending, variables, error } = useMutation({
    mutationFn: (format: string) => download(id, format),
    meta: { progress: 'Exporting' },
  });
  return (
    <span className={styles.group} role="group" aria-label="Export">
      {FORMATS.map(({ format, title }) => (
        <Button
          key={format}
          title={title}
          aria-label={`Export as ${format}`}
          disabled={isPending}
          onClick={() => {
            mutate(format);
          }}
        >
          <Download size={15} aria-hidden="true" />
          {isPending && variables === format ? 'Exporting…' : format}
        </Button>
      ))}
      {error && <span role="alert">{sentence(errorText(error))}</span>}
    </span>
  );
}

function CompareWith({ session }: { session: Session }) {
  const { data: sessions } = useQuery(sessionsQuery);
  const navigate = useNavigate();
  const others = sessions?.filter((s) => s.session_id !== session.session_id).toReversed();
  if (!others || others.length === 0) return null;
  return (
    <span className={fieldStyles.field}>
      <select
        aria-label="Compare with"
        value=""
        onChange={(event) => {
          const b = event.target.value;
          void navigate({ to: '/scope/compare', search: { a: session.session_id, b } });
        }}
      >
        <option value="">Compare with…</option>
        {others.map((s) => (
          <option key={s.session_id} value={s.session_id}>
            {s.workers?.[0] ? shortWorker(s.workers[0]) : s.peer} · {s.origin} ·{' '}
            {shortSession(s.session_id)}
          </option>
        ))}
      </select>
    </span>
  );
}

function Disconnect({ session }: { session: Session }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const client = useQueryClient();
  const [done, setDone] = useState(false);
  const { mutate, isPending, error } = useMutation({
    mutationFn: () =>
      send('POST', `/api/sessions/${encodeURIComponent(session.session_id)}/disconnect`),
    onSuccess: async () => {
      setDone(true);
      dialog.current?.close();
      // The button goes, and the focus would go with it.
      document.getElementById('main')?.focus({ preventScroll: true });
      await client.invalidateQueries({ queryKey: ['scope'] });
    },
  });
  return (
    <span className={styles.spring}>
      <Button
        tone="danger"
        disabled={done}
        onClick={() => {
          dialog.current?.showModal();
        }}
      >
        <Unplug size={15} aria-hidden="true" />
        Disconnect
      </Button>
      <dialog ref={dialog} className={dialogStyles.dialog} aria-label="Disconnect this session?">
        <h2>Disconnect this session?</h2>
        <p>
          Both sides are closed: the miner {session.peer} and its pool. Most miners connect again by
          themselves.
        </p>
        {error && (
          <p className={dialogStyles.wrong} role="alert">
            {sentence(errorText(error))}
          </p>
        )}
        <div className={dialogStyles.actions}>
          <Button
            onClick={() => {
              dialog.current?.close();
            }}
          >
            Keep it
          </Button>
          <Button
            tone="danger"
            disabled={isPending}
            onClick={() => {
              mutate();
            }}
          >
            {isPending ? 'Disconnecting…' : 'Disconnect'}
          </Button>
        </div>
      </dialog>
    </span>
  );
}
