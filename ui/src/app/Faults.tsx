import { Link, type ErrorComponentProps } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { errorText } from '../api/client';
import { useLive } from '../api/LiveProvider';
import { Button } from '../components/Button';
import { Empty } from '../components/Message';
import { Panel } from '../components/Panel';
import { LoadFailure, mayReload, serverAnswers } from '../lib/load';
import { Page } from '../pages/scope/Page';

/** An address that no page has. */
export function NotFound() {
  return (
    <Page title="No such page">
      <Panel title="Nothing here">
        <Empty title="There is nothing at this address.">
          <Link to="/">Go to the overview</Link>
        </Empty>
      </Panel>
    </Page>
  );
}

/** A page that is not there: it could not be fetched, or it failed while drawing itself. */
export function Broken({ error, reset }: ErrorComponentProps) {
  if (error instanceof LoadFailure) return <NotLoaded />;
  return (
    <Page title="This page broke">
      <Panel title="What happened">
        <Empty title={errorText(error)}>
          <p>The pool is not affected.</p>
          <Button onClick={reset}>Draw it again</Button>
        </Empty>
      </Panel>
    </Page>
  );
}

/**
 * A page whose code could not be fetched. It is loaded anew as a whole once the
 * server answers, since that may be of another version by then; by itself only
 * once in a while, lest it never ends.
 */
function NotLoaded() {
  const { phase, retryNow } = useLive();
  const [answers, setAnswers] = useState<boolean>();

  useEffect(() => {
    let left = false;
    // Live may be an old story: a connection dies silently.
    if (phase !== 'live') return;
    void serverAnswers().then((now) => {
      if (left) return;
      if (now && mayReload()) location.reload();
      else setAnswers(now);
    });
    return () => {
      left = true;
    };
  }, [phase]);

  const retry = async () => {
    retryNow();
    const now = await serverAnswers();
    setAnswers(now);
    if (now) location.reload();
  };
  const there = phase === 'live' && answers === true;
  return (
    <Page title={there ? 'This page could not be loaded' : 'The server does not answer'}>
      <Panel title="Not loaded">
        <Empty
          title={
            there
              ? 'The server answers, but a part of the page is missing.'
              : 'This page was not visited before, so the server is needed to show it.'
          }
        >
          {!there && <p>It is tried again by itself as soon as the server is back.</p>}
          <Button onClick={() => void retry()}>Try again</Button>
        </Empty>
      </Panel>
    </Page>
  );
}
