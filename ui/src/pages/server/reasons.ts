/** What a counted reason means, and what to do about it, if anything. */
export interface Reason {
  text: string;
  meaning: string;
}

/** Why connections end, by the names of the server's stratum.CloseReason. */
export const CLOSES: Record<string, Reason> = {
  unknown: { text: 'Unknown', meaning: 'No reason was noted. This should not happen.' },
  closed_by_miner: {
    text: 'Closed by the miner',
    meaning: 'It hung up in an orderly way: switched off, restarted, or gone to another pool.',
  },
  connection_lost: {
    text: 'Connection lost',
    meaning: 'The network broke it off. Many of them mean a bad line or Wi-Fi at the miner.',
  },
  handshake_timeout: {
    text: 'Did not sign in',
    meaning: 'Connected and did not sign in in time: a port scanner, or a miner that hangs.',
  },
  line_too_long: {
    text: 'Line too long',
    meaning: 'Sent a line longer than any Stratum message. No miner does that.',
  },
  bad_json: {
    text: 'Not Stratum',
    meaning: 'Sent what is not JSON, such as a browser or a port scanner.',
  },
  slow_reader: {
    text: 'Read too slowly',
    meaning: 'Did not take its messages in time, so its work was old. A slow or broken line.',
  },
  tls_on_plain_port: {
    text: 'TLS on the plain port',
    meaning: 'Give that miner the address with stratum+ssl, or switch TLS off in it.',
  },
  tls_handshake_failed: {
    text: 'TLS failed',
    meaning: 'No encryption came about: no TLS, too old a version, or the certificate not trusted.',
  },
  invalid_address: {
    text: 'Invalid address',
    meaning: 'Its user name is no Bitcoin address. It must be ADDRESS.worker.',
  },
  wrong_network: {
    text: 'Address of another network',
    meaning: 'Its user name is an address of another chain than the one that is mined.',
  },
  too_many_connections: {
    text: 'Pool is full',
    meaning: 'The limit of all connections was reached. It is set in the configuration.',
  },
  too_many_from_address: {
    text: 'Too many from one address',
    meaning: 'Its network address had as many connections as it may have.',
  },
  banned: { text: 'Banned', meaning: 'Its network address is banned; see the page Bans.' },
  share_flood: {
    text: 'Share flood',
    meaning: 'Sent more shares of one block than can be remembered to tell duplicates.',
  },
  misbehaved: {
    text: 'Misbehaved',
    meaning: 'Too many of its messages were wrong. Its address may have been banned for it.',
  },
  connecting_too_fast: {
    text: 'Connecting too fast',
    meaning:
      'Its network address opens connections faster than it may. Often a miner that restarts over and over.',
  },
  too_many_unauthorized_from_address: {
    text: 'Too many not signed in',
    meaning: 'Its network address had too many open connections that never signed in.',
  },
  bad_proxy_header: {
    text: 'Bad proxy header',
    meaning: 'A proxy in front of the pool did not say in order whom it speaks for.',
  },
  untrusted_proxy: {
    text: 'Unknown proxy',
    meaning: 'Only proxies named in the configuration may connect to this listener.',
  },
  internal_error: {
    text: 'Fault of this program',
    meaning:
      'Its session failed inside the pool; others went on. The log has the place. Please report it.',
  },
  shutdown: { text: 'Pool stopped', meaning: 'The pool was shut down or restarted.' },
  node_not_well: {
    text: 'Sent to its backup pool',
    meaning: 'No node was ready for long, so that miners were sent away to earn elsewhere.',
  },
  operator_request: {
    text: 'Closed by the operator',
    meaning: 'The operator closed it. The miner comes back by itself.',
  },
  owner_request: {
    text: 'Closed by its owner',
    meaning: 'The owner of the worker asked for a new connection. The miner comes back by itself.',
  },
};

/** What the pool did not deliver, by the names of /api/status. */
export const DROPS: Record<string, Reason> = {
  notify_replaced: {
    text: 'Job replaced before it was sent',
    meaning: 'A newer job came while the miner still read the last one. It gets the newer one.',
  },
  work_not_made: {
    text: 'Job not made',
    meaning:
      'No job could be made of a template, for all miners or for the address of some. They keep their last one; the errors say why.',
  },
  submit_in_other_name: {
    text: 'Share in another name',
    meaning:
      'Submitted under another name than the miner had signed in with, as proxies do. It counted for the first name that had; a block pays that address.',
  },
  block_surplus: {
    text: 'Block beyond need',
    meaning: 'More blocks at once than can be sent to a node. Only test networks are that easy.',
  },
  log_line: {
    text: 'Line of the log left out',
    meaning: 'More was to be said at once than is written down. Nothing else was lost.',
  },
  authorization_not_told: {
    text: 'Sign-in not looked at',
    meaning:
      'Too many miners signed in at once to look for codes of owners in all passwords. Restart the miner if one of them had a code.',
  },
  difficulty_order: {
    text: "Owner's difficulty forgotten",
    meaning:
      'The difficulties of the latest 4096 workers are kept. The worker is back to automatic.',
  },
};

/** A reason in words; one that is not known by its name. */
export function reasonWords(table: Record<string, Reason>, name: string): Reason {
  return table[name] ?? { text: name.replaceAll('_', ' '), meaning: '' };
}
