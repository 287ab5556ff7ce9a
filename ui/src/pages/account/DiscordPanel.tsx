import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { refusalText } from '../../api/client';
import {
  clearCode,
  discordQuery,
  EAGER,
  makeCode,
  setDiscordNotify,
  unlinkDiscord,
  type DiscordLink,
} from '../../api/discord';
import { Button } from '../../components/Button';
import { CopyButton } from '../../components/CopyButton';
import { Panel } from '../../components/Panel';
import { Pill } from '../../components/Pill';
import { Switch } from '../../components/Switch';
import { Time } from '../../components/Time';
import { useNow } from '../../lib/clock';
import { formatTimer, parseTime } from '../../lib/format';
import { webAddress } from '../../lib/returnTo';
import styles from './AccountPage.module.css';

/** Links an account with one of Discord, so that the pool's bot tells what happens. */
export function DiscordPanel({ link }: { link: DiscordLink }) {
  return (
    <Panel
      title="Discord"
      aside={link.registered ? <Pill tone="good">Linked</Pill> : <Pill>Not linked</Pill>}
    >
      {link.registered ? <Linked link={link} /> : <Unlinked link={link} />}
    </Panel>
  );
}

function Linked({ link }: { link: DiscordLink }) {
  const client = useQueryClient();
  const renew = () => client.invalidateQueries({ queryKey: discordQuery.queryKey });
  const notify = useMutation({ mutationFn: setDiscordNotify, onSettled: renew });
  const unlink = useMutation({ mutationFn: unlinkDiscord, onSettled: renew });
  const failure = notify.error ?? unlink.error;
  return (
    <>
      <p className={styles.text}>
        The pool’s bot tells{' '}
        <strong dir="auto" className={styles.name}>
          {link.name ?? 'you'}
        </strong>{' '}
        about saved workers that have their notice switched on.
        {link.linked_at !== undefined && (
          <>
            {' '}
            Linked <Time at={link.linked_at} ago />.
          </>
        )}
      </p>
      <p className={styles.line}>
        <Switch
          label="Messages on Discord"
          checked={notify.isPending ? notify.variables : link.notify_enabled}
          onChange={(enabled) => {
            notify.mutate(enabled);
          }}
        />
        <span>Messages on Discord</span>
        <Button
          small
          disabled={unlink.isPending}
          onClick={() => {
            unlink.mutate();
          }}
        >
          Unlink
        </Button>
      </p>
      {failure !== null && (
        <p className={styles.failed} role="alert">
          {refusalText(failure)}
        </p>
      )}
    </>
  );
}

function Unlinked({ link }: { link: DiscordLink }) {
  const now = useNow();
  const [asked, setAsked] = useState(false);
  const make = useMutation({
    mutationFn: makeCode,
    onSuccess: () => {
      setAsked(true);
    },
  });
  const left = Math.max(((parseTime(make.data?.expires_at) ?? 0) - now) / 1000, 0);
  const waiting = asked && make.data !== undefined && left > 0;
  // While a code waits, whether the link is made is asked more often.
  useQuery({ ...discordQuery, refetchInterval: waiting ? EAGER : false });
  const invite = link.invite_url === undefined ? undefined : webAddress(link.invite_url);
  return (
    <>
      <p className={styles.text}>
        The pool’s bot can tell you when a saved worker stops and comes back, and when a block is
        found.{' '}
        {invite !== undefined && (
          <>
            You must be on{' '}
            <a href={invite} target="_blank" rel="noreferrer noopener">
              its server
            </a>
            .
          </>
        )}
      </p>
      {waiting && (
        <>
          <p className={styles.text}>
            Send this to the bot on Discord: <code>/notify</code> and the code.
          </p>
          <p className={styles.code}>
            <code data-testid="discord-code">{make.data.code}</code>
            <CopyButton text={make.data.code} label="Copy the code" />
          </p>
          <p className={styles.waiting} role="status">
            Waiting for the bot… <span>{formatTimer(left)}</span>
          </p>
        </>
      )}
      {asked && make.data !== undefined && left === 0 && (
        <p className={styles.text} role="status">
          The code has expired.
        </p>
      )}
      <p className={styles.line}>
        <Button
          disabled={make.isPending}
          tone={waiting ? 'plain' : 'primary'}
          onClick={() => {
            make.mutate();
          }}
        >
          {asked ? 'Make a new code' : 'Link with Discord'}
        </Button>
        {waiting && (
          <Button
            onClick={() => {
              setAsked(false);
              void clearCode(make.data.code).catch(() => undefined);
            }}
          >
            Cancel
          </Button>
        )}
      </p>
      {make.isError && (
        <p className={styles.failed} role="alert">
          {refusalText(make.error)}
        </p>
      )}
    </>
  );
}
