/**
 * Keeps what was entered while its person proves at another site to be there. Only
 * for that way and back, and no secrets: those are not written to any storage.
 */
import { carryOver, countChanges, EMPTY, RESET, type Draft, type Entry, type Form } from './model';

const KEY = 'poolscope.settings-draft';

/** A draft as it is kept. */
interface Kept {
  file: string;
  base: string;
  /** null where the default shall be in force again. */
  entries: [string, string | boolean | null][];
  removed: string[];
  added: string[];
  /** Secrets were entered, which are left out. */
  secrets: boolean;
}

/** Keeps a draft for this tab. Without storage it is lost, as everything is that is not saved. */
export function keepDraft(form: Form, draft: Draft): void {
  if (countChanges(draft) === 0) return;
  const secret = secretKeys(form);
  const isSecret = (key: string) => secret.has(plain(key));
  const entries = [...draft.entries];
  const kept: Kept = {
    file: form.file,
    base: form.base,
    entries: entries
      .filter(([key, entry]) => entry === RESET || !isSecret(key))
      .map(([key, entry]) => [key, entry === RESET ? null : entry]),
    removed: [...draft.removed],
    added: [...draft.added],
    secrets: entries.some(([key, entry]) => entry !== RESET && isSecret(key)),
  };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Storage is switched off or full.
  }
}

/**
 * The draft that was kept of a form, as far as it fits; nothing once the file is
 * another one. `secrets`: some were entered and have to be once more.
 */
export function keptDraft(form: Form): { draft: Draft; secrets: boolean } {
  const kept = read();
  if (kept?.file !== form.file || kept.base !== form.base) return { draft: EMPTY, secrets: false };
  const entries = new Map<string, Entry>(kept.entries.map(([key, e]) => [key, e ?? RESET]));
  const draft = { entries, removed: new Set(kept.removed), added: kept.added };
  return { draft: carryOver(form, draft, form), secrets: kept.secrets };
}

export function forgetDraft(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Then there is nothing to forget.
  }
}

function read(): Kept | undefined {
  try {
    // Nothing but keepDraft writes it, in this tab.
    return (JSON.parse(sessionStorage.getItem(KEY) ?? 'null') ?? undefined) as Kept | undefined;
  } catch {
    return undefined;
  }
}

/** Keys of secrets, without the numbers of their sections. */
function secretKeys(form: Form): ReadonlySet<string> {
  return new Set(
    [...form.sections, ...form.templates]
      .flatMap((section) => section.settings)
      .filter((setting) => setting.kind === 'secret')
      .map((setting) => plain(setting.key)),
  );
}

const plain = (key: string) => key.replaceAll(/\.(\d+|\*)\./g, '.');
