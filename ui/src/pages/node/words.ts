import type { NodeStatus } from '../../api/types';
import type { Tone } from '../../components/Pill';
import { formatCount, formatLatency } from '../../lib/format';

/** A node's state in a word or two, how to colour it, and what it means. */
export interface NodeState {
  text: string;
  tone: Tone;
  meaning: string;
}

const states: Record<string, NodeState> = {
  ready: { text: 'Ready', tone: 'good', meaning: 'Gives templates, and takes blocks.' },
  connecting: { text: 'Connecting', tone: 'neutral', meaning: 'Was not asked yet.' },
  warming_up: {
    text: 'Starting up',
    tone: 'warn',
    meaning: 'Loads its block index. It is ready by itself in a while.',
  },
  syncing: {
    text: 'Catching up',
    tone: 'warn',
    meaning:
      'Does not know the newest blocks yet. Work of its templates would be stale, so none is taken.',
  },
  no_peers: {
    text: 'Has no peers',
    tone: 'warn',
    meaning: 'Nobody would hear of a block that it gets. Look at its network connection.',
  },
  unreachable: {
    text: 'Not reachable',
    tone: 'bad',
    meaning: 'Does not answer. Is it running, and are its address and its rpcport right?',
  },
  unauthorized: {
    text: 'No access',
    tone: 'bad',
    meaning: 'Refuses the password or the cookie. Compare rpcuser and rpcpassword.',
  },
  wrong_network: {
    text: 'On another network',
    tone: 'bad',
    meaning: 'Is on another chain than this pool. It is not used.',
  },
  refused: {
    text: 'Not usable',
    tone: 'bad',
    meaning: 'Gives templates that must not be mined on.',
  },
};

/** A state by its name in the API. */
export function nodeState(name: string): NodeState {
  return states[name] ?? { text: name.replaceAll('_', ' '), tone: 'neutral', meaning: '' };
}

/** The state of a node in a few sentences. */
export function nodeWords(node: NodeStatus, several: boolean): string {
  const said: string[] = [];
  if (node.reason !== '') said.push(node.reason);
  if (node.height > 0 && node.reason === '') {
    said.push(
      node.headers > node.height
        ? `at block ${formatCount(node.height)} of ${formatCount(node.headers)}`
        : `at block ${formatCount(node.height)}`,
    );
  }
  if (node.latency_ms > 0) said.push(`answers in ${formatLatency(node.latency_ms)}`);
  if (node.state === 'ready') {
    said.push(node.zmq ? 'announces blocks over ZMQ' : 'is asked for new blocks, has no ZMQ');
  }
  if (several && node.state === 'ready')
    said.push(node.active ? 'templates come from here' : 'stands by, and gets every found block');
  if (node.version !== '') said.push(node.version.replaceAll('/', ''));
  const text = said.join(' · ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
