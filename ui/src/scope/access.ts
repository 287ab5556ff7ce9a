/**
 * The token that the scope wants for everything that sends or changes, and from
 * other machines for everything. It is asked for once and kept for this tab.
 */

const KEY = 'poolscope.token';
const READS = 'poolscope.token.reads';

/** Why the token is asked for. */
export interface Question {
  /**
   * `send`: something is to be sent or changed. `read`: even reading needs it.
   * `operator`: what the public may not see is to be shown.
   */
  reason: 'send' | 'read' | 'operator';
  /** The one that was given is not the right one. */
  wrong: boolean;
}

interface Pending extends Question {
  answer: (given: boolean) => void;
  promise: Promise<boolean>;
}

let memory: Record<string, string> = {};
let pending: Pending | undefined;
const listeners = new Set<() => void>();

function changed(): void {
  for (const listener of listeners) listener();
}

function load(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? memory[key] ?? '';
  } catch {
    return memory[key] ?? '';
  }
}

function store(key: string, value: string): void {
  memory[key] = value;
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // Storage is switched off: it holds until the page is loaded again.
  }
}

/** The token, '' while none is known. */
export function token(): string {
  return load(KEY);
}

/** The token for reading: only where reading was refused without. */
export function readToken(): string {
  return load(READS) === '' ? '' : token();
}

/** Notes that even reading needs the token. */
export function readingNeedsToken(): void {
  store(READS, 'yes');
}

export function forgetToken(): void {
  memory = {};
  try {
    sessionStorage.removeItem(KEY);
    sessionStorage.removeItem(READS);
  } catch {
    // Then there is nothing to forget.
  }
  changed();
}

/** Asks for the token; resolves to false when it was not given. One dialog serves all who wait. */
export function askForToken(question: Question): Promise<boolean> {
  if (pending) return pending.promise;
  let answer: (given: boolean) => void = () => undefined;
  const promise = new Promise<boolean>((resolve) => {
    answer = resolve;
  });
  pending = { ...question, answer, promise };
  changed();
  return promise;
}

/** The answer of the dialog; undefined when it was closed. */
export function answerToken(given: string | undefined): void {
  const asked = pending;
  pending = undefined;
  if (given !== undefined) store(KEY, given.trim());
  changed();
  asked?.answer(given !== undefined);
}

/** What is being asked now. The same object until that changes. */
export function question(): Question | undefined {
  return pending;
}

export function subscribeToAccess(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
