import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Facts } from '../../../components/Facts';
import { Empty, Failure } from '../../../components/Message';
import { Panel } from '../../../components/Panel';
import { Pill } from '../../../components/Pill';
import { PlainText } from '../../../components/PlainText';
import { StaleNote } from '../../../components/StaleNote';
import { Time } from '../../../components/Time';
import { formatBytes, formatCount, formatDuration, NONE, plural } from '../../../lib/format';
import { providerName } from '../accounts/words';
import { AdminPage } from '../AdminPage';
import { stateQuery, type ProgramState } from './api';
import styles from './StatePage.module.css';

/** How the program around the pool is doing. */
export function StatePage() {
  const { data: state, error, dataUpdatedAt } = useQuery(stateQuery);
  return (
    <AdminPage title="State of the program">
      <StaleNote error={state ? error : null} updatedAt={dataUpdatedAt} />
      {!state && error ? (
        <Panel title="The program">
          <Failure error={error} />
        </Panel>
      ) : (
        <div className={styles.grid}>
          <Program state={state} />
          <Sizes state={state} />
          <Backups state={state} />
          <SignIns state={state} />
          <Around state={state} />
          <Losses state={state} />
        </div>
      )}
    </AdminPage>
  );
}

interface Props {
  /** Undefined while loading. */
  state: ProgramState | undefined;
}

/** A path, which may be long. */
function Path({ path }: { path: string }) {
  return (
    <code className={styles.path}>
      <PlainText text={path} />
    </code>
  );
}

function Program({ state }: Props) {
  return (
    <Panel title="The program" aside={<Link to="/admin/settings">Settings</Link>}>
      <Facts
        items={[
          ['Version', state?.version],
          ['Commit', state && <code>{state.commit?.slice(0, 12) ?? NONE}</code>],
          ['Go', state?.go],
          ['Running', state && formatDuration(state.uptime_sec)],
          ['Started', state && <Time at={state.started_at} />],
          [
            'Settings',
            state && (state.config_file ? <Path path={state.config_file} /> : 'no file'),
          ],
          ['Waiting for a restart', state && waitingPill(state.config.restart_keys)],
          [
            'Reloads taken / refused',
            state &&
              `${formatCount(state.config.reloads_applied)} / ${formatCount(state.config.reloads_refused)}`,
          ],
        ]}
      />
    </Panel>
  );
}

function waitingPill(keys: number): ReactNode {
  return keys === 0 ? 'nothing' : <Pill tone="warn">{plural(keys, 'setting')}</Pill>;
}

function Sizes({ state }: Props) {
  const sizes = state?.sizes;
  return (
    <Panel
      title="On the disk"
      aside={
        sizes && (
          <span className={styles.aside}>
            <Time at={sizes.at} ago />
          </span>
        )
      }
    >
      <Facts
        items={[
          ['Data folder', state && <Path path={state.data_dir} />],
          [
            'All in it',
            sizes && `${sizes.partial === true ? 'at least ' : ''}${formatBytes(sizes.data_dir)}`,
          ],
          ['Database', sizes && formatBytes(sizes.database)],
          ['Found blocks', sizes && formatBytes(sizes.blocks)],
          ['Captured messages', sizes && formatBytes(sizes.capture)],
          ['Backups here', sizes && formatBytes(sizes.backups)],
        ]}
      />
    </Panel>
  );
}

function Backups({ state }: Props) {
  const backup = state?.backup;
  return (
    <Panel title="Backups" aside={<Link to="/admin/backups">All</Link>}>
      {state && !backup ? (
        <Empty title="None are made" />
      ) : (
        <Facts
          items={[
            [
              'Made',
              backup &&
                (backup.every_sec > 0
                  ? `every ${formatDuration(backup.every_sec)}`
                  : 'only when asked for'),
            ],
            [
              'Encrypted',
              backup &&
                (backup.encrypted ? <Pill tone="good">yes</Pill> : <Pill tone="warn">no</Pill>),
            ],
            ...(backup?.targets ?? []).map(
              (target) =>
                [
                  target.name,
                  <span key={target.name} className={styles.target}>
                    {target.last_success === undefined ? (
                      'none yet'
                    ) : (
                      <Time at={target.last_success} ago />
                    )}
                    {(target.last_error ?? '') !== '' && <Pill tone="bad">failing</Pill>}
                  </span>,
                ] as const,
            ),
          ]}
        />
      )}
    </Panel>
  );
}

function SignIns({ state }: Props) {
  return (
    <Panel title="Signing in" aside={<Link to="/admin/accounts">Accounts</Link>}>
      <Facts
        items={[
          ...(state?.providers ?? []).map(
            (provider) =>
              [
                `With ${providerName(provider.id)}`,
                provider.state === 'ready' ? (
                  <Pill key={provider.id} tone="good">
                    ready
                  </Pill>
                ) : (
                  <Pill key={provider.id} tone="bad">
                    {provider.state.replaceAll('_', ' ')}
                  </Pill>
                ),
              ] as const,
          ),
          ...counts(state?.sign_ins, 'Sign-ins: '),
          ...counts(state?.refused, 'Requests refused: '),
        ]}
      />
    </Panel>
  );
}

/** Counts by reason, those that are not 0. */
function counts(by: Record<string, number> | undefined, before: string) {
  return Object.entries(by ?? {})
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => [before + reason.replaceAll('_', ' '), formatCount(count)] as const);
}

function Around({ state }: Props) {
  const { discord, price } = state ?? {};
  return (
    <Panel title="Discord and price">
      <Facts
        items={[
          ['Discord', state && discordPill(discord)],
          ...(discord
            ? [
                ['Messages delivered', formatCount(discord.delivered)] as const,
                ['Messages dropped', formatCount(discord.dropped)] as const,
              ]
            : []),
          ['Price', state && priceWords(price)],
          ...(price
            ? [
                ['Price of', <Time key="at" at={price.at} ago />] as const,
                [
                  'Fetched / failed',
                  `${formatCount(price.fetched)} / ${formatCount(price.failed)}`,
                ] as const,
              ]
            : []),
        ]}
      />
    </Panel>
  );
}

function discordPill(discord: ProgramState['discord']): ReactNode {
  if (!discord) return 'not set up';
  if (discord.refused === true) return <Pill tone="bad">the token is not taken</Pill>;
  if (!discord.connected) return <Pill tone="warn">not connected</Pill>;
  return (
    <span className={styles.target}>
      {discord.name !== undefined && <PlainText text={discord.name} />}
      <Pill tone="good">connected</Pill>
    </span>
  );
}

function priceWords(price: ProgramState['price']): string {
  if (!price) return 'not asked for';
  if (price.value === undefined) return 'not known yet';
  return `${formatCount(price.value)} ${price.currency?.toUpperCase() ?? ''}`;
}

function Losses({ state }: Props) {
  const bad = (count: number) =>
    count === 0 ? 'none' : <Pill tone="bad">{formatCount(count)}</Pill>;
  return (
    <Panel title="What got lost" aside={<Link to="/admin/logs">Log</Link>}>
      <Facts
        items={[
          ['Lines that the log file did not take', state && bad(state.log_lines_lost)],
          ['Actions that the audit trail did not take', state && bad(state.actions_dropped)],
        ]}
      />
    </Panel>
  );
}
