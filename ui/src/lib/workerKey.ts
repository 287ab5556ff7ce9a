import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from './coinbase/bytes';

// crypto.subtle exists only on HTTPS and localhost; a pool in the living room
// is often plain HTTP, so the hash comes from a library.

function hash(text: string): string {
  return toHex(sha256(new TextEncoder().encode(text)));
}

/** What a worker is asked for by whoever knows its full name, without telling the name. */
export function workerKey(fullName: string): string {
  return hash(fullName);
}

/** A worker's public id, which lists link to. */
export function workerId(fullName: string): string {
  return hash(`poolscope worker\n${fullName}`).slice(0, 16);
}

/** Whether an id or a key is that of a full name. */
export function isNamed(idOrKey: string, fullName: string): boolean {
  const wanted = idOrKey.toLowerCase();
  return wanted === (wanted.length === 64 ? workerKey(fullName) : workerId(fullName));
}
