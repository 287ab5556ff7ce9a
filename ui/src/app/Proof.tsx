import { useEffect, useState, useSyncExternalStore, type ComponentType } from 'react';
import { answerProof, proofNeeded, subscribeToProofs, type Need } from '../api/proof';
import { load } from '../lib/load';
import { NotOpened } from './NotOpened';

type Dialog = ComponentType<{ need: Need }>;

/** Asks the person to prove that they are there, whenever a request needs it. */
export function Proof() {
  const need = useSyncExternalStore(subscribeToProofs, proofNeeded);
  const [dialog, setDialog] = useState<{ show: Dialog }>();
  const [failed, setFailed] = useState(false);
  const wanted = need !== undefined && !dialog && !failed;

  useEffect(() => {
    if (!wanted) return;
    load(() => import('./ProofDialog')).then(
      ({ ProofDialog }) => {
        setDialog({ show: ProofDialog });
      },
      () => {
        setFailed(true);
      },
    );
  }, [wanted]);

  if (need === undefined) return null;
  if (dialog) return <dialog.show key={need} need={need} />;
  if (!failed) return null;
  return (
    <NotOpened
      title="Confirm that it is you"
      away
      onRetry={() => {
        setFailed(false);
      }}
      onClose={() => {
        setFailed(false);
        answerProof(false);
      }}
    />
  );
}
