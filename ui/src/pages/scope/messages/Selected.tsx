import { useMutation } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { errorText } from '../../../api/client';
import { Button } from '../../../components/Button';
import { saveFile } from '../../../lib/download';
import { formatCount, sentence } from '../../../lib/format';
import { useTask } from '../../../lib/progress';
import { fetchSelected, selectionFile } from '../../../scope/exportSelection';
import type { MessageFilter } from '../../../scope/filter';
import { fetchPage } from '../../../scope/useMessageFeed';
import styles from './Browser.module.css';

/** What can be done with the selected messages. */
export function Selected(props: {
  filter: MessageFilter;
  seqs: ReadonlySet<number>;
  onClear: () => void;
}) {
  const { filter, seqs, onClear } = props;
  const [part, setPart] = useState<number>();
  const { mutate, isPending, error } = useMutation({
    mutationFn: async () => {
      const found = await fetchSelected(seqs, (query) => fetchPage(filter, query), setPart);
      const text = selectionFile(found, seqs.size, new Date());
      const file = new Blob([text], { type: 'application/jsonl' });
      saveFile(file, `messages-${found[0]?.id ?? 'none'}-${found.length}.jsonl`);
    },
    onSettled: () => {
      setPart(undefined);
    },
  });
  useTask(isPending ? 'Exporting the selected messages' : undefined, part);
  return (
    <span className={styles.phase} role="group" aria-label="Selection">
      <span role="status">{formatCount(seqs.size)} selected</span>
      <Button
        small
        disabled={isPending}
        title="One message a line, written by this page: without the chain of hashes that the export of a session has"
        onClick={() => {
          mutate();
        }}
      >
        <Download size={14} aria-hidden="true" />
        {isPending ? 'Exporting…' : 'Export JSONL'}
      </Button>
      <Button small disabled={isPending} onClick={onClear}>
        Unselect
      </Button>
      {error && (
        <span className={styles.error} role="alert">
          {sentence(errorText(error))}
        </span>
      )}
    </span>
  );
}
