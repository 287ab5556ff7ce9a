import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Star } from 'lucide-react';
import { useRef, useState } from 'react';
import { refusalText } from '../api/client';
import { savedQuery, saveWorker } from '../api/saved';
import { isNamed } from '../lib/workerKey';
import { Button } from './Button';
import styles from './Dialog.module.css';
import { Modal, ModalClose } from './Modal';

/** Asks for the full name of a worker that the public sees shortened, and saves it. */
export function SaveDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const client = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const [name, setName] = useState('');
  const [other, setOther] = useState(false);
  const save = useMutation({
    mutationFn: saveWorker,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: savedQuery.queryKey });
      dialog.current?.close();
    },
  });

  return (
    <Modal
      ref={dialog}
      title={
        <>
          <Star size={18} aria-hidden="true" />
          Save this worker
        </>
      }
      onClose={onClose}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const full = name.trim();
          if (full === '' || save.isPending) return;
          if (isNamed(id, full)) save.mutate(full);
          else setOther(true);
        }}
      >
        <p>The public sees its name shortened. To save it, give the whole name.</p>
        <label>
          Full name, as the miner sends it
          <input
            value={name}
            placeholder="bc1q….rig"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            aria-invalid={other}
            // eslint-disable-next-line jsx-a11y/no-autofocus -- the dialog is about nothing else
            autoFocus
            onChange={(event) => {
              setName(event.target.value);
              setOther(false);
            }}
          />
        </label>
        {(other || save.isError) && (
          <p className={styles.wrong} role="alert">
            {other
              ? 'That is the name of another worker. Every letter must be as the miner has it.'
              : refusalText(save.error)}
          </p>
        )}
        <div className={styles.actions}>
          <ModalClose>Cancel</ModalClose>
          <Button type="submit" tone="primary" disabled={name.trim() === '' || save.isPending}>
            {save.isPending ? 'Saving…' : 'Save'}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
