import type { Miner } from './api';

/** The connections that a reader looks for: those that have all words of a text somewhere. */
export function findMiners(miners: readonly Miner[], text: string): Miner[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...miners];
  return miners.filter((m) => {
    const all = [
      m.worker,
      m.address,
      m.remote,
      m.user_agent,
      m.note ?? '',
      m.id,
      m.tls ? 'tls' : '',
    ]
      .join(' ')
      .toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
