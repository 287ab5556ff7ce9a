/** Characters of a payout address that stay readable at either end. */
const ENDS = 8;

/**
 * A worker's name as the public sees it, the same as the server's: the payout
 * address before the first dot is shortened, and what may be one after it; only
 * characters that are safe everywhere come through.
 */
export function censorWorker(name: string): string {
  const dot = name.indexOf('.');
  const address = clean(dot < 0 ? name : name.slice(0, dot));
  const rig = dot < 0 ? '' : clean(name.slice(dot + 1));
  const head = shorten(address);
  if (rig === '') return head;
  return `${head}.${shortenAddresses(head === address ? rig : rig.replaceAll(address, head))}`;
}

/** A word as long as the shortest addresses. */
const LONG_WORD = /[0-9A-Za-z]{26,}/g;
/** Words with separators between them; three dots are what shortening leaves. */
const JOINED_WORDS = /[0-9A-Za-z]+(?:(?:[_-]+|\.)[0-9A-Za-z]+)+/g;
const SEGWIT = /(?:bc|tb|bcrt)1[02-9ac-hj-np-z]{20,}/i;
const BASE58 = /[123mn][1-9A-HJ-NP-Za-km-z]{25,}/;

/** Shortens all that may be an address, also one in pieces. */
function shortenAddresses(text: string): string {
  return text.replace(LONG_WORD, shorten).replace(JOINED_WORDS, (words) => {
    const joined = words.replace(/[._-]/g, '');
    return SEGWIT.test(joined) || looksBase58(BASE58.exec(joined)?.[0] ?? '')
      ? shorten(joined)
      : words;
  });
}

/** Tells an address from words: small and capital letters, and more digits than one. */
function looksBase58(text: string): boolean {
  return /\d.*\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text);
}

function shorten(text: string): string {
  return text.length <= 2 * ENDS + 3 ? text : `${text.slice(0, ENDS)}...${text.slice(-ENDS)}`;
}

function clean(text: string): string {
  return text.replace(/[^a-zA-Z0-9._-]/g, '');
}
