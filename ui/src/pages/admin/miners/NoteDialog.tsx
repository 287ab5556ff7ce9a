import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { FormDialog } from '../../../components/FormDialog';
import { PlainText } from '../../../components/PlainText';
import { formatCount } from '../../../lib/format';
import { minersQuery, writeNote, type Miner } from './api';
import styles from './MinersPage.module.css';

/** Longest note, characters. */
const MOST = 500;

/** Writes down something about a worker, for operators only. */
export function NoteDialog(props: {
  miner: Miner;
  onDone: (words: string) => void;
  onClose: () => void;
}) {
  const { miner, onDone, onClose } = props;
  const client = useQueryClient();
  const [note, setNote] = useState(miner.note ?? '');
  const saving = useMutation({
    mutationFn: () => writeNote(miner.worker_hash, note.trim()),
    onSuccess: async () => {
      onDone(note.trim() === '' ? 'The note is gone.' : 'The note is kept.');
      await client.invalidateQueries({ queryKey: minersQuery.queryKey });
    },
  });
  return (
    <FormDialog
      title="Note on a worker"
      action={saving.isPending ? 'Saving…' : 'Save'}
      busy={saving.isPending}
      error={saving.error}
      onSubmit={() => {
        saving.mutate();
      }}
      onClose={onClose}
    >
      <p className={styles.words}>
        <PlainText text={miner.worker} />: all its connections, now and later. Only operators see
        it.
      </p>
      <label>
        Note
        <input
          value={note}
          maxLength={MOST}
          autoComplete="off"
          onChange={(event) => {
            setNote(event.target.value);
          }}
        />
        <span className={styles.under}>
          {formatCount(note.length)} of {formatCount(MOST)} characters; empty takes it away
        </span>
      </label>
    </FormDialog>
  );
}
