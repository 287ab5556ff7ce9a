import { useBlocker } from '@tanstack/react-router';
import { isLeavingForProof } from '../../../api/proof';
import { ConfirmDialog } from '../../../components/ConfirmDialog';
import { plural } from '../../../lib/format';

/** Asks before what was entered is lost. */
export function LeaveGuard({ changes }: { changes: number }) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => changes > 0 && current.pathname !== next.pathname,
    enableBeforeUnload: () => changes > 0 && !isLeavingForProof(),
    withResolver: true,
  });
  if (blocker.status !== 'blocked') return null;
  return (
    <ConfirmDialog
      title="Leave without saving?"
      action="Leave"
      busy={false}
      error={null}
      onConfirm={blocker.proceed}
      onClose={blocker.reset}
    >
      <p>{plural(changes, 'change')} of the settings would be lost.</p>
    </ConfirmDialog>
  );
}
