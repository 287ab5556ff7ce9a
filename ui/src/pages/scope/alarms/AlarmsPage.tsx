import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Segmented } from '../../../components/Segmented';
import { Skeleton } from '../../../components/Skeleton';
import { formatCount, plural } from '../../../lib/format';
import { alarmsQuery } from '../../../scope/queries';
import { Page } from '../Page';
import { AlarmList, newestFirst } from './AlarmList';
import styles from './AlarmList.module.css';

type Severity = 'all' | 'critical' | 'warning' | 'info';

/** Everything that somebody ought to know, over all sessions. */
export function AlarmsPage() {
  const { data: page, error } = useQuery(alarmsQuery);
  const [severity, setSeverity] = useState<Severity>('all');
  const all = newestFirst(page?.alarms ?? []);
  const shown = all.filter((a) => severity === 'all' || a.severity === severity);
  return (
    <Page title="Alarms" aside={page && <span role="status">{plural(all.length, 'alarm')}</span>}>
      <Panel
        title="What happened"
        flush
        aside={
          <Segmented
            legend="Severity"
            options={[
              { value: 'all', label: 'All' },
              { value: 'critical', label: 'Critical' },
              { value: 'warning', label: 'Warning' },
              { value: 'info', label: 'Info' },
            ]}
            value={severity}
            onChange={setSeverity}
          />
        }
      >
        {!page && error ? (
          <Failure error={error} />
        ) : !page ? (
          <p className={styles.wait}>
            <Skeleton width="40%" />
          </p>
        ) : shown.length === 0 ? (
          <Empty title={all.length === 0 ? 'No alarm so far' : 'None of this severity'}>
            {all.length === 0 &&
              'Payouts that go elsewhere, late or empty jobs, shares that the pool judges wrongly and blocks among them are told here, with what proves it.'}
          </Empty>
        ) : (
          <AlarmList alarms={shown} withSession />
        )}
        {page && page.dropped > 0 && (
          <p className={styles.wait}>
            {formatCount(page.dropped)} older alarms made room for newer ones.
          </p>
        )}
      </Panel>
    </Page>
  );
}
