import { Button } from '../../components/Button';
import { formatDuration } from '../../lib/format';

interface WaitButtonProps {
  /** What it says. */
  label: string;
  /** What it says while what was sent is on its way. */
  busyLabel: string;
  busy: boolean;
  /** Seconds until the server takes the next try; see useWait. */
  wait: number;
  /** Whether something is missing that must be entered first. */
  disabled?: boolean;
}

/** Sends a form with a password; where there were too many tries, it counts down to the next one. */
export function WaitButton({ label, busyLabel, busy, wait, disabled = false }: WaitButtonProps) {
  return (
    <Button type="submit" tone="primary" disabled={disabled || busy || wait > 0}>
      {busy ? busyLabel : wait > 0 ? `Again in ${formatDuration(wait)}` : label}
    </Button>
  );
}
