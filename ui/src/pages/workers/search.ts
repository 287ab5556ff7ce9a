import type { State, View } from './list';

/** The list's view as it stands in the page's address; what is usual is left out. */
export interface WorkersSearch {
  text?: string;
  state?: Exclude<State, 'all'>;
  sort?: string;
  up?: true;
}

const USUAL = 'hashrate';

/** Reads the address; whatever it says that is not understood is ignored. */
export function readSearch(search: Record<string, unknown>): WorkersSearch {
  const { text, state, sort, up } = search;
  // The router reads what looks like a number as one.
  const words = typeof text === 'string' || typeof text === 'number' ? String(text) : '';
  return {
    ...(words !== '' && { text: words }),
    ...((state === 'online' || state === 'offline') && { state }),
    ...(typeof sort === 'string' && sort !== USUAL && { sort }),
    ...(up === true && { up }),
  };
}

export function toView(search: WorkersSearch): View {
  return {
    text: search.text ?? '',
    state: search.state ?? 'all',
    sort: search.sort ?? USUAL,
    descending: search.up !== true,
  };
}

export function toSearch(view: View): WorkersSearch {
  return readSearch({
    text: view.text,
    state: view.state,
    sort: view.sort,
    up: !view.descending,
  });
}
