/**
 * Some requests are answered only once the person has proven to be there: by
 * giving the password again, or by signing in. What wants that waits here; the
 * dialog of the shell asks.
 */

/** `confirm`: the password again. `sign-in`: nobody is signed in, and no token was given. */
export type Need = 'confirm' | 'sign-in';

interface Pending {
  need: Need;
  answer: (given: boolean) => void;
  promise: Promise<boolean>;
}

let pending: Pending | undefined;
const listeners = new Set<() => void>();

function changed(): void {
  for (const listener of listeners) listener();
}

/** Asks for a proof; resolves to false when none was given. One dialog serves all who wait. */
export function askForProof(need: Need): Promise<boolean> {
  if (pending?.need === need) return pending.promise;
  // Whoever asked for something else has no dialog any more.
  pending?.answer(false);
  let answer: (given: boolean) => void = () => undefined;
  const promise = new Promise<boolean>((resolve) => {
    answer = resolve;
  });
  pending = { need, answer, promise };
  changed();
  return promise;
}

/** The answer of the dialog. */
export function answerProof(given: boolean): void {
  const asked = pending;
  pending = undefined;
  changed();
  asked?.answer(given);
}

let leaving = false;

/** Goes to where somebody proves at another site to be there, and comes back from to this page. */
export function leaveForProof(to: string): void {
  leaving = true;
  location.assign(to);
  // Where that did not lead away, such as to a page that cannot be reached, this one stays as it was.
  setTimeout(() => (leaving = false), 10_000);
}

/** Whether this page is being left for a proof: what was entered here is wanted again then. */
export function isLeavingForProof(): boolean {
  return leaving;
}

/** What is being asked now. */
export function proofNeeded(): Need | undefined {
  return pending?.need;
}

export function subscribeToProofs(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
