/** Code that could not be fetched: the server is away, or newer than this page. */
export class LoadFailure extends Error {
  constructor(cause: unknown) {
    super('A part of the page could not be loaded.', { cause });
    this.name = 'LoadFailure';
  }
}

/** Imports a part of the page; rejects with LoadFailure alone. May be called again after that. */
export async function load<T>(importer: () => Promise<T>): Promise<T> {
  try {
    await restyle();
    return await importer();
  } catch (cause) {
    throw new LoadFailure(cause);
  }
}

/**
 * Asks again for style sheets that failed: the bundler's helper asks for each
 * only once, and what is imported again would come without its style.
 */
async function restyle(): Promise<void> {
  const links = document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]');
  const missing = [...links].filter((link) => link.sheet === null);
  await Promise.all(
    missing.map(
      (link) =>
        new Promise<void>((resolve, reject) => {
          const again = link.cloneNode() as HTMLLinkElement;
          again.onload = () => {
            link.remove();
            resolve();
          };
          again.onerror = () => {
            again.remove();
            reject(new Error(`no style sheet from ${link.href}`));
          };
          link.after(again);
        }),
    ),
  );
}

/** Whether the server answers at all, with whatever. */
export async function serverAnswers(): Promise<boolean> {
  try {
    await fetch('/api/status', { cache: 'no-store', signal: AbortSignal.timeout(5_000) });
    return true;
  } catch {
    return false;
  }
}

/** When the page was last loaded anew by itself, ms since 1970. */
const KEY = 'poolscope.reloaded';

/** Not again by itself within this time, ms: what is missing may stay missing. */
const PAUSE = 60_000;

/** Whether the page may load itself anew now; notes that it does. */
export function mayReload(): boolean {
  try {
    const last = Number(sessionStorage.getItem(KEY) ?? -Infinity);
    if (Date.now() - last < PAUSE) return false;
    sessionStorage.setItem(KEY, String(Date.now()));
    return true;
  } catch {
    // Without a memory of it there is no end to it.
    return false;
  }
}
