import type { Tone } from '../components/Pill';
import type { Direction } from './types';

/** A word or two, how to colour it, and what it means. */
export interface Word {
  text: string;
  tone: Tone;
  meaning: string;
}

/** Which way a message went. */
export const DIRECTIONS: Record<Direction, { text: string; from: string; to: string }> = {
  miner_to_pool: { text: 'Miner → Pool', from: 'Miner', to: 'Pool' },
  pool_to_miner: { text: 'Pool → Miner', from: 'Pool', to: 'Miner' },
  hashscope_to_pool: { text: 'HashScope → Pool', from: 'HashScope', to: 'Pool' },
};

const audits: Record<string, Word> = {
  valid: {
    text: 'Valid',
    tone: 'good',
    meaning: 'Its hash meets the difficulty that the pool had asked for.',
  },
  low_difficulty: {
    text: 'Too low',
    tone: 'bad',
    meaning: 'Its hash does not meet the difficulty that the pool had asked for.',
  },
  duplicate: {
    text: 'Duplicate',
    tone: 'bad',
    meaning: 'The same header was submitted before.',
  },
  stale: {
    text: 'Stale',
    tone: 'warn',
    meaning: 'Its job had been replaced by one of a newer block.',
  },
  unknown_job: {
    text: 'Unknown job',
    tone: 'bad',
    meaning: 'The pool never sent this job in this session.',
  },
  malformed: { text: 'Malformed', tone: 'bad', meaning: 'Its parameters make no header.' },
  block: { text: 'A block!', tone: 'gold', meaning: 'Its hash meets the target of the network.' },
  unknown: {
    text: 'Cannot tell',
    tone: 'neutral',
    meaning: 'Not enough was captured to check this share.',
  },
};

/** What the audit found out about a share. */
export function auditWord(audit: string): Word {
  return audits[audit] ?? { text: audit, tone: 'neutral', meaning: audit };
}

/** What the pool said of a share. */
export function poolWord(pool: string | null | undefined, reason?: string | null): Word {
  switch (pool) {
    case 'accepted':
      return { text: 'Accepted', tone: 'good', meaning: 'The pool accepted the share.' };
    case 'rejected': {
      const why = reason ? `: ${reason}` : '';
      return { text: 'Rejected', tone: 'bad', meaning: `The pool rejected the share${why}.` };
    }
    default:
      return { text: 'No answer', tone: 'neutral', meaning: 'The pool has not answered.' };
  }
}

/** What pool and audit disagree about, as a sentence; '' when they agree. */
export function conflictText(conflict: string | null | undefined): string {
  if (!conflict) return '';
  const match = /^(accepted|rejected)_though_(.+)$/.exec(conflict);
  if (!match) return conflict.replaceAll('_', ' ');
  const [, pool = '', audit = ''] = match;
  const because: Record<string, string> = {
    valid: 'it was valid',
    block: 'it was a block',
    low: 'its difficulty was too low',
    low_difficulty: 'its difficulty was too low',
    duplicate: 'it had been submitted before',
    stale: 'its job was stale',
    unknown_job: 'the pool never sent that job',
    malformed: 'it makes no header',
  };
  return `The pool ${pool} it though ${because[audit] ?? audit.replaceAll('_', ' ')}.`;
}

const closes: Record<string, string> = {
  miner_closed: 'Miner closed the connection',
  pool_closed: 'Pool closed the connection',
  miner_reset: 'Miner reset the connection',
  pool_reset: 'Pool reset the connection',
  miner_timeout: 'Miner was silent for too long',
  pool_timeout: 'Pool was silent for too long',
  pool_unreachable: 'No pool could be reached',
  client_reconnect: 'Pool asked the miner to reconnect',
  disconnected: 'Disconnected from here',
  shutdown: 'poolscope stopped',
};

/** Why a session ended. */
export function closeText(reason: string | null | undefined): string {
  if (!reason) return 'Ended';
  const words = reason.replaceAll('_', ' ');
  return closes[reason] ?? `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** How a session's lines reach the scope. */
export const ORIGINS: Record<string, { text: string; meaning: string }> = {
  proxy: { text: 'Proxy', meaning: 'The scope stands between this miner and its pool.' },
  tap: { text: 'Tap', meaning: 'A miner of our own pool, watched without a proxy.' },
  file: { text: 'File', meaning: 'Read from a capture file.' },
};

/** How bad an alarm is. */
export function severityWord(severity: string): Word {
  switch (severity) {
    case 'critical':
      return { text: 'Critical', tone: 'bad', meaning: 'Costs money.' };
    case 'warning':
      return { text: 'Warning', tone: 'warn', meaning: 'Costs work, or may.' };
    default:
      return { text: 'Info', tone: 'neutral', meaning: 'Good to know.' };
  }
}

/** The kind of an alarm as words: `payout_missing` is "Payout missing". */
export function kindText(kind: string): string {
  const words = kind.replaceAll('_', ' ').replace('nbits', 'nBits').replace('ntime', 'nTime');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** An address to its first and last eight characters, the miner's own name kept whole. */
export function shortWorker(name: string): string {
  const dot = name.indexOf('.');
  const address = dot < 0 ? name : name.slice(0, dot);
  if (address.length <= 20) return name;
  const short = `${address.slice(0, 8)}...${address.slice(-8)}`;
  return dot < 0 ? short : short + name.slice(dot);
}

/** A session's id to tell it by in a line: `4a008007`. */
export function shortSession(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}

/** The session that a message belongs to, by the message's id. */
export function sessionOfMessage(id: string): string {
  return id.slice(0, id.lastIndexOf('-'));
}

/** The number of a message in its session, by its id. */
export function numberOfMessage(id: string): string {
  return id.slice(id.lastIndexOf('-') + 1);
}
