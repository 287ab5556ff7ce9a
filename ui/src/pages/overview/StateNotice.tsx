import { CirclePause, Hourglass } from 'lucide-react';
import { useView } from '../../api/LiveProvider';
import { sentence } from '../../lib/format';
import styles from './StateNotice.module.css';

const titles: Record<string, string> = {
  waiting_for_node: 'Waiting for a Bitcoin node',
  turning_away: 'Miners are sent to their backup pools',
  paused: 'Mining is paused',
  mining: 'Mining goes on, but something is wrong',
};

/** Says why nothing is mined, when nothing is, or what is wrong although it is. */
export function StateNotice() {
  const { data: status } = useView('status');
  if (!status || (status.state === 'mining' && status.reason === '')) return null;
  const waiting = status.state === 'waiting_for_node';
  const Icon = waiting ? Hourglass : CirclePause;
  return (
    <div className={styles.notice} role="alert">
      <Icon size={20} aria-hidden="true" />
      <div>
        <p className={styles.title}>{titles[status.state]}</p>
        {status.reason !== '' && <p>{sentence(status.reason)}</p>}
        {waiting && (
          <p>Miners may connect already. Work begins by itself as soon as a node is ready.</p>
        )}
      </div>
    </div>
  );
}
