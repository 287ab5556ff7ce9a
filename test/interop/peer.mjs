// The other side of test/interop: nostr-tools, an implementation of Nostr that
// is not ours. It reads one request per line, {"do", "id", …}, and answers each
// with one line, {"id", "result"} or {"id", "error"}.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

// The package is installed with the page's own tools, and is in no build.
const require = createRequire(new URL('../../ui/package.json', import.meta.url));
const { finalizeEvent, verifyEvent, getPublicKey } = require('nostr-tools/pure');
const { Relay } = require('nostr-tools/relay');
const nip11 = require('nostr-tools/nip11');
const nip19 = require('nostr-tools/nip19');
const nip44 = require('nostr-tools/nip44');

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (array) => Buffer.from(array).toString('hex');

/** Open connections to relays, by the name that the test gave them. */
const relays = new Map();
/** Events of subscriptions, by name. */
const received = new Map();

const actions = {
  sign: ({ secret, event }) => finalizeEvent(event, bytes(secret)),
  verify: ({ event }) => verifyEvent(event),
  public: ({ secret }) => getPublicKey(bytes(secret)),
  npub: ({ key }) => nip19.npubEncode(key),
  nsec: ({ secret }) => nip19.nsecEncode(bytes(secret)),
  decode: ({ text }) => {
    const { type, data } = nip19.decode(text);
    return { type, data: typeof data === 'string' ? data : hex(data) };
  },
  conversation: ({ secret, key }) => hex(nip44.getConversationKey(bytes(secret), key)),
  encrypt: ({ key, text }) => nip44.encrypt(text, bytes(key)),
  decrypt: ({ key, text }) => nip44.decrypt(text, bytes(key)),
  document: ({ url }) => nip11.fetchRelayInformation(url),
  connect: async ({ name, url, secret }) => {
    const relay = new Relay(url, { enablePing: true });
    if (secret) relay.onauth = async (event) => finalizeEvent(event, bytes(secret));
    await relay.connect();
    relays.set(name, relay);
  },
  disconnect: ({ name }) => {
    relays.get(name).close();
    relays.delete(name);
  },
  publish: ({ name, event }) => relays.get(name).publish(event),
  authenticate: async ({ name, secret }) =>
    relays.get(name).auth(async (event) => finalizeEvent(event, bytes(secret))),
  /** Answers with what is stored; what comes later is for `events`. */
  subscribe: ({ name, subscription, filters }) =>
    new Promise((resolve, reject) => {
      const list = [];
      received.set(subscription, list);
      relays.get(name).subscribe(filters, {
        onevent: (event) => list.push(event),
        oneose: () => resolve([...list]),
        onclose: (reason) => reject(new Error(reason)),
      });
    }),
  events: ({ subscription }) => received.get(subscription),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = { id: request.id, result: (await actions[request.do](request)) ?? null };
  } catch (error) {
    answer = { id: request.id, error: String(error?.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
