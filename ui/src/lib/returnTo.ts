/** Where people go who came to sign in for nothing in particular. */
const HOME = '/';

/**
 * The page to return to after signing in, if it is one of this server's, else
 * the first one: an address from elsewhere could send people who just signed in
 * to another site (CWE-601). `origin` is this server's.
 */
export function safeReturnTo(wanted: unknown, origin: string): string {
  if (typeof wanted !== 'string' || !wanted.startsWith('/')) return HOME;
  let url: URL;
  try {
    // As a browser reads it: "//host", "/\host" and "/<tab>/host" are other servers.
    url = new URL(wanted, origin);
  } catch {
    return HOME;
  }
  if (url.origin !== origin || url.username !== '' || url.password !== '') return HOME;
  // Never back to where one signs in; nor to what is no page.
  if (/^\/(sign-in|api|docs|metrics)(\/|$)/.test(url.pathname)) return HOME;
  // A path that itself begins like another host's address.
  if (url.pathname.startsWith('//')) return HOME;
  return url.pathname + url.search + url.hash;
}

/** An address of a provider that the page may go to; undefined for what is no web address. */
export function webAddress(address: string): string | undefined {
  try {
    const { protocol, href } = new URL(address);
    return protocol === 'https:' || protocol === 'http:' ? href : undefined;
  } catch {
    return undefined;
  }
}
