import type { MessageFilter } from '../../../scope/filter';
import type { Direction } from '../../../scope/types';

/** What the messages page keeps in its address: the filter, and the message that is open. */
export interface MessagesSearch extends MessageFilter {
  /** Id of the message in the panel. */
  m?: string;
  /** RFC 3339: the moment that was jumped to. */
  at?: string;
}

const DIRECTIONS = ['miner_to_pool', 'pool_to_miner', 'hashscope_to_pool'] as const;

/** Reads the search of an address; what makes no sense is left out. */
export function readSearch(search: Record<string, unknown>): MessagesSearch {
  const out: MessagesSearch = {};
  for (const key of ['session', 'method', 'worker', 'verdict', 'text', 'm'] as const) {
    const value = search[key];
    // A router that parses addresses makes numbers of digits.
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text === 'string' && text !== '') out[key] = text;
  }
  for (const key of ['since', 'until', 'at'] as const) {
    const value = search[key];
    if (typeof value === 'string' && !Number.isNaN(Date.parse(value))) out[key] = value;
  }
  const { direction } = search;
  if (DIRECTIONS.includes(direction as Direction)) out.direction = direction as Direction;
  if (search.errors === true) out.errors = true;
  return out;
}

/** The filter alone. */
export function filterOf(search: MessagesSearch): MessageFilter {
  const filter: MessagesSearch = { ...search };
  delete filter.m;
  delete filter.at;
  return filter;
}
