// A miner for the tests: Stratum V1 on a socket, and real shares, worked out by
// code that shares nothing with the program. A real share can be replayed with
// success, since only the test knows it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setImmediate as breathe } from 'node:timers/promises';

const sha256d = (bytes) =>
  createHash('sha256').update(createHash('sha256').update(bytes).digest()).digest();

/** The address that the tests' miners are paid to: regtest, nobody's. */
export const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

/** A connection to a pool, or to a scope in front of it. */
export class Miner {
  #socket;
  #answers = new Map();
  #nextId = 1;
  #nextExtranonce2 = 1;
  difficulty = 1;
  job; // params of the newest mining.notify

  /** Connects and signs in; resolves when there is a job to work on. */
  static async start(port, worker, userAgent = 'browser-test/1') {
    const miner = new Miner();
    miner.#socket = connect(port, '127.0.0.1');
    miner.closed = new Promise((done) => miner.#socket.on('close', done));
    miner.#socket.on('error', () => undefined);
    const working = new Promise((done) => {
      createInterface({ input: miner.#socket }).on('line', (line) => {
        miner.#take(JSON.parse(line));
        if (miner.job) done();
      });
    });
    const { result } = await miner.request('mining.subscribe', [userAgent]);
    [, miner.extranonce1, miner.extranonce2Size] = result;
    // The easiest that the pool gives: shares are found in a second or so.
    const signedIn = await miner.request('mining.authorize', [worker, 'd=0.0001']);
    assert.equal(signedIn.result, true, 'the pool refuses the worker');
    miner.worker = worker;
    await working;
    return miner;
  }

  #take(message) {
    if (message.method === 'mining.set_difficulty') [this.difficulty] = message.params;
    if (message.method === 'mining.notify') this.job = message.params;
    if (message.method === undefined) {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
    }
  }

  /** Asks the pool; resolves to its whole answer. */
  request(method, params) {
    const id = this.#nextId++;
    this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
    return new Promise((done) => this.#answers.set(id, done));
  }

  /** The params of a mining.submit that meets the difficulty, for the newest job. */
  async share() {
    for (;;) {
      const { job } = this;
      const extranonce2 = (this.#nextExtranonce2++)
        .toString(16)
        .padStart(this.extranonce2Size * 2, '0');
      const nonce = await findNonce(
        this.#header(job, extranonce2),
        this.difficulty,
        () => job !== this.job,
      );
      if (nonce !== undefined) return [this.worker, job[0], extranonce2, job[7], nonce];
    }
  }

  /** The block header of a job, 80 bytes, with nonce 0. */
  #header([, previous, coinbase1, coinbase2, branches, version, bits, time], extranonce2) {
    const hex = coinbase1 + this.extranonce1 + extranonce2 + coinbase2;
    const root = branches.reduce(
      (hash, branch) => sha256d(Buffer.concat([hash, Buffer.from(branch, 'hex')])),
      sha256d(Buffer.from(hex, 'hex')),
    );
    return Buffer.concat([
      Buffer.from(version, 'hex').reverse(),
      Buffer.from(previous, 'hex').swap32(),
      root,
      Buffer.from(time, 'hex').reverse(),
      Buffer.from(bits, 'hex').reverse(),
      Buffer.alloc(4),
    ]);
  }

  close() {
    this.#socket.end();
  }
}

/**
 * The nonce, 8 hex digits, with which a header meets a difficulty; undefined
 * when `stop` says so before one is found.
 */
async function findNonce(header, difficulty, stop) {
  const target = ((0xffffn << 208n) * 10n ** 12n) / BigInt(Math.round(difficulty * 1e12));
  const hard = Number(target >> 224n);
  // The hash of the header's first 64 bytes is the same for every nonce.
  const start = compress(INITIAL, words(header));
  const rest = words(Buffer.concat([header.subarray(64), Buffer.from([0x80]), Buffer.alloc(47)]));
  rest[15] = 640; // SHA-256's padding ends with the length in bits
  const again = words(Buffer.concat([Buffer.alloc(32), Buffer.from([0x80]), Buffer.alloc(31)]));
  again[15] = 256;
  for (let nonce = 0; nonce < 0x7fffffff; nonce++) {
    if (nonce % 10_000 === 9_999) {
      await breathe(); // lines of the pool come in meanwhile
      if (stop()) return undefined;
    }
    rest[3] = nonce;
    again.set(compress(start, rest));
    const hash = compress(INITIAL, again);
    if (swapped(hash[7]) > hard) continue;
    const number = [...hash].reverse().reduce((n, w) => (n << 32n) | BigInt(swapped(w)), 0n);
    if (number <= target) return swapped(nonce).toString(16).padStart(8, '0');
  }
  return undefined;
}

const words = (bytes) => Int32Array.from({ length: 16 }, (_, i) => bytes.readInt32BE(i * 4));

/** The four bytes of a word the other way round, as a number without sign. */
const swapped = (w) => ((w << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24)) >>> 0;

// SHA-256 (FIPS 180-4) down to its compression, which node:crypto does not
// give: with it a nonce costs two blocks instead of three, and no buffers.
const primes = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) | 0;
const INITIAL = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));
const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
const W = new Int32Array(64);

function compress(state, block) {
  W.set(block);
  for (let i = 16; i < 64; i++) {
    const x = W[i - 15];
    const y = W[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[i] = W[i - 16] + s0 + W[i - 7] + s1;
  }
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i++) {
    const S1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const S0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t1 = (h + S1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
    const t2 = (S0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  const out = Int32Array.of(a, b, c, d, e, f, g, h);
  for (let i = 0; i < 8; i++) out[i] += state[i];
  return out;
}
