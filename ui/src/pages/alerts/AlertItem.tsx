import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { alertsQuery } from '../../api/alerts';
import { ApiError, refusalText } from '../../api/client';
import { Switch } from '../../components/Switch';
import { sentence } from '../../lib/format';
import styles from './AlertsPage.module.css';

interface AlertItemProps {
  kind: 'channel' | 'rule';
  name: string;
  /** A pill that says how it is. */
  state: ReactNode;
  enabled: boolean;
  onEnable: (enabled: boolean) => Promise<unknown>;
  /** Why something else that was tried with it failed; null while it did not. */
  failure?: unknown;
  /** What it is, and what can be done with it. */
  children: ReactNode;
}

/** A channel or a rule in its list, with the switch that turns it on and off. */
export function AlertItem(props: AlertItemProps) {
  const { kind, name, enabled } = props;
  const client = useQueryClient();
  const toggle = useMutation({
    mutationFn: props.onEnable,
    onSettled: () => client.invalidateQueries({ queryKey: alertsQuery.queryKey }),
  });
  const failure = props.failure ?? toggle.error;
  return (
    <li className={styles.item}>
      <div className={styles.line}>
        <span className={styles.title} dir="auto">
          {name}
        </span>
        {props.state}
        <Switch
          label={`Use the ${kind} ${name}`}
          checked={toggle.isPending ? toggle.variables : enabled}
          onChange={(next) => {
            toggle.mutate(next);
          }}
        />
      </div>
      {props.children}
      {failure != null && (
        <p className={styles.failed} role="alert">
          {failureText(failure)}
        </p>
      )}
    </li>
  );
}

/** Why it failed. The reason of the other side, which a message goes to, comes with 502. */
function failureText(error: unknown): string {
  if (error instanceof ApiError && (error.status === 502 || error.status === 429)) {
    return sentence(error.message);
  }
  return refusalText(error);
}
