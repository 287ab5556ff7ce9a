import { readFileSync } from 'node:fs';
import type { WorkerCoinbase } from '../../api/workers';

/** A coinbase that the Go code made, and what it says that must come out. */
export interface CoinbaseVector extends WorkerCoinbase {
  name: string;
  address: string;
  tag: string;
  txid: string;
  merkle_root: string;
  header: string;
}

/** A share that somebody's pool really recorded. */
export interface ShareVector {
  name: string;
  extranonce1: string;
  extranonce2: string;
  prevhash: string;
  coinb1: string;
  coinb2: string;
  branches: string[];
  version: string;
  version_bits: string;
  mask: string;
  nbits: string;
  ntime: string;
  nonce: string;
  header: string;
  coinbase_txid: string;
}

function read<T>(name: string): T[] {
  const path = new URL(`../../../../internal/bitcoin/testdata/${name}`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8')) as T[];
}

/** For tests: every kind of address on every network, from the server's own code. */
export const coinbaseVectors = (): CoinbaseVector[] => read('coinbases.json');

/** For tests: shares of other pools. */
export const shareVectors = (): ShareVector[] => read('shares.json');
