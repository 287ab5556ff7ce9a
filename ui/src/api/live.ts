import type { LiveMessage } from './types';

/**
 * Where the live connection stands.
 *
 * - `connecting`: the first attempt is under way
 * - `live`: messages arrive
 * - `waiting`: the connection was lost; the next attempt comes at `retryAt`
 * - `reconnecting`: that attempt is under way
 */
export interface LiveState {
  phase: 'connecting' | 'live' | 'waiting' | 'reconnecting';
  /** Failed attempts in a row. */
  attempts: number;
  /** When the next attempt starts (ms since 1970), in `waiting`. */
  retryAt: number | undefined;
}

/** What the owner of a connection wants to hear. */
export interface LiveHandlers {
  onMessage: (message: LiveMessage) => void;
  /** Messages were lost: the caller's data is behind and must be fetched again. */
  onGap: () => void;
  onState: (state: LiveState) => void;
}

/** What a socket must be able to do; the browser's WebSocket can. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  close(): void;
}

export interface LiveOptions {
  connect: () => Socket;
  /** A number in [0, 1) that spreads the reconnects of many pages over time. */
  random?: () => number;
}

/** First and longest pause between attempts, milliseconds. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** The server speaks every second; silence this long means a dead connection. */
const SILENCE = 15_000;

/**
 * One connection to /api/live that comes back by itself: after a close, an
 * error, or silence, with growing pauses. It checks that sequence numbers have
 * no hole; every connection starts with a full snapshot, so a reconnect needs
 * nothing fetched.
 */
export class LiveConnection {
  readonly #options: LiveOptions;
  readonly #handlers: LiveHandlers;
  #socket: Socket | undefined;
  #seq: number | undefined;
  #attempts = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #stopped = true;

  constructor(options: LiveOptions, handlers: LiveHandlers) {
    this.#options = options;
    this.#handlers = handlers;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#open('connecting');
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** Tries at once instead of at the end of the pause. */
  retryNow(): void {
    if (this.#stopped || this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#open('reconnecting');
  }

  #open(phase: 'connecting' | 'reconnecting'): void {
    this.#retry = undefined;
    this.#seq = undefined;
    this.#report(phase);
    const socket = this.#options.connect();
    this.#socket = socket;
    this.#watch();
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(event.data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
  }

  #receive(data: unknown): void {
    this.#watch();
    const message = parse(data);
    if (message === undefined) return;

    const expected = this.#seq === undefined ? undefined : this.#seq + 1;
    this.#seq = message.seq;
    if (message.topic === 'snapshot') {
      this.#attempts = 0;
      this.#report('live');
    } else if (message.seq !== expected) {
      this.#handlers.onGap();
    }
    if (isKnown(message)) this.#handlers.onMessage(message);
  }

  #lost(): void {
    this.#drop();
    if (this.#stopped) return;
    const longest = Math.min(FIRST_PAUSE * 2 ** this.#attempts, LONGEST_PAUSE);
    const pause = longest * (0.5 + 0.5 * (this.#options.random ?? Math.random)());
    this.#attempts++;
    this.#retry = setTimeout(() => {
      this.#open('reconnecting');
    }, pause);
    this.#report('waiting', Date.now() + pause);
  }

  /** Forgets the socket without hearing of its end. */
  #drop(): void {
    clearTimeout(this.#watchdog);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#lost();
    }, SILENCE);
  }

  #report(phase: LiveState['phase'], retryAt?: number): void {
    this.#handlers.onState({ phase, attempts: this.#attempts, retryAt });
  }
}

interface AnyMessage {
  seq: number;
  topic: string;
  data: unknown;
}

/** Undefined for what is not a message of ours. */
function parse(text: unknown): AnyMessage | undefined {
  if (typeof text !== 'string') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { seq, topic, data } = value as Partial<AnyMessage>;
  return typeof seq === 'number' && typeof topic === 'string' ? { seq, topic, data } : undefined;
}

const TOPICS = new Set(['snapshot', 'overview', 'hashrate', 'blocks', 'status']);

/** False for the topics of a newer server; they still count in the sequence. */
function isKnown(message: AnyMessage): message is LiveMessage {
  return TOPICS.has(message.topic);
}

/** Opens the browser's own WebSocket to this page's server. */
export function connectBrowser(): Socket {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(`${scheme}//${location.host}/api/live`) as Socket;
}
