import { useQueryClient } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { askForToken, token } from '../scope/access';
import { Button } from './Button';
import styles from './OperatorHint.module.css';

/**
 * Says what a public viewer does not see, and lets the operator sign in: the
 * access token is asked for, and everything about workers fetched with it.
 */
export function OperatorHint({ hidden }: { hidden: string }) {
  const client = useQueryClient();
  const wrong = token() !== '';
  const signIn = async () => {
    if (await askForToken({ reason: 'operator', wrong })) {
      await client.invalidateQueries({ queryKey: ['workers'] });
    }
  };
  return (
    <p className={styles.hint}>
      <span>
        {wrong ? 'The access token that this tab keeps is not the operator’s. ' : `${hidden} `}
      </span>
      <Button small onClick={() => void signIn()}>
        <KeyRound size={14} aria-hidden="true" />
        Sign in as operator
      </Button>
    </p>
  );
}
