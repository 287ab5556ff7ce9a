import type { LiveState, Socket } from '../api/live';
import type { Agent, AgentFrame } from './types';

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** The server speaks every 30 s at the least; silence for longer than twice that is a dead connection, ms. */
const SILENCE = 65_000;

/** A frame that changes what is known of the agents. */
export type AgentChange = Pick<AgentFrame, 'type' | 'agents' | 'agent' | 'agent_id' | 'state'>;

/** The agents after a frame of /api/ws/agents. Undefined while nobody knows them. */
export function takeFrame(
  agents: readonly Agent[] | undefined,
  frame: AgentChange,
): readonly Agent[] | undefined {
  switch (frame.type) {
    case 'init':
      return frame.agents ?? [];
    case 'telemetry': {
      const { agent } = frame;
      if (!agent || !agents) return agents;
      const others = agents.filter((a) => a.agent_id !== agent.agent_id);
      if (others.length === agents.length) return [...agents, agent];
      return agents.map((a) => (a.agent_id === agent.agent_id ? agent : a));
    }
    case 'state':
      if (frame.state === 'expired') return agents?.filter((a) => a.agent_id !== frame.agent_id);
      return agents?.map((a) =>
        a.agent_id === frame.agent_id
          ? { ...a, state: 'silent' as const, silent_since: a.received_at }
          : a,
      );
    default:
      return agents;
  }
}

interface AgentFeedOptions {
  connect: () => Socket;
  onFrame: (frame: AgentChange) => void;
  random?: () => number;
}

/**
 * What the agents tell, as it comes. It connects again by itself, with growing
 * pauses; every connection begins with all agents, so nothing is missed.
 */
export class AgentFeed {
  readonly #options: AgentFeedOptions;
  readonly #listeners = new Set<() => void>();
  #state: LiveState = { phase: 'connecting', attempts: 0, retryAt: undefined };
  #socket: Socket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  #running = false;

  constructor(options: AgentFeedOptions) {
    this.#options = options;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  readonly state = (): LiveState => this.#state;

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#open('connecting');
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#retry);
    this.#drop();
  }

  /** Tries at once instead of at the end of the pause. */
  retryNow(): void {
    if (this.#running && this.#state.phase === 'waiting') this.#open('reconnecting');
  }

  #open(phase: 'connecting' | 'reconnecting'): void {
    clearTimeout(this.#retry);
    this.#set({ ...this.#state, phase, retryAt: undefined });
    const socket = this.#options.connect();
    this.#socket = socket;
    this.#watch();
    socket.onmessage = ({ data }) => {
      this.#watch();
      const frame = parse(data);
      if (frame === undefined) return;
      if (frame.type === 'init') this.#set({ phase: 'live', attempts: 0, retryAt: undefined });
      this.#options.onFrame(frame);
    };
    socket.onclose = () => {
      this.#lost();
    };
  }

  #lost(): void {
    this.#drop();
    if (!this.#running) return;
    const { attempts } = this.#state;
    const longest = Math.min(FIRST_PAUSE * 2 ** attempts, LONGEST_PAUSE);
    const pause = longest * (0.5 + 0.5 * (this.#options.random ?? Math.random)());
    this.#retry = setTimeout(() => {
      this.#open('reconnecting');
    }, pause);
    this.#set({ phase: 'waiting', attempts: attempts + 1, retryAt: Date.now() + pause });
  }

  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => {
      this.#lost();
    }, SILENCE);
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

  #set(state: LiveState): void {
    const { phase, attempts, retryAt } = this.#state;
    if (phase === state.phase && attempts === state.attempts && retryAt === state.retryAt) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** Undefined for what is no frame. */
function parse(data: unknown): AgentChange | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === 'object' && frame !== null && 'type' in frame
      ? (frame as AgentChange)
      : undefined;
  } catch {
    return undefined;
  }
}
