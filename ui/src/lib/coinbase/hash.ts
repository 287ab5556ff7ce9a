import { sha256 } from '@noble/hashes/sha2.js';
import { concat, uint32 } from './bytes';

/** SHA-256 twice: the hash of transactions, merkle nodes and headers. */
export function doubleSHA256(bytes: Uint8Array): Uint8Array {
  return sha256(sha256(bytes));
}

/** Folds the coinbase's id with the branches of a job, lowest level first. */
export function merkleRoot(coinbase: Uint8Array, branches: readonly Uint8Array[]): Uint8Array {
  return branches.reduce((root, branch) => doubleSHA256(concat(root, branch)), coinbase);
}

/** The fields of a block header; hashes in the order in which they are hashed. */
export interface Header {
  version: number;
  previous: Uint8Array;
  root: Uint8Array;
  /** Seconds since 1970. */
  time: number;
  bits: number;
  nonce: number;
}

/** The 80 bytes that a miner hashes. */
export function serializeHeader(h: Header): Uint8Array {
  return concat(
    uint32(h.version),
    h.previous,
    h.root,
    uint32(h.time),
    uint32(h.bits),
    uint32(h.nonce),
  );
}
