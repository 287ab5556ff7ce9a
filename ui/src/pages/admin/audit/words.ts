/** What was done, in words, by the name that the trail has for it. */
const WORDS: Record<string, string> = {
  'account.add': 'added an account',
  'account.change': 'changed an account',
  'account.password': 'reset a password',
  'account.register': 'registered',
  'account.remove': 'deleted an account',
  'backup.run': 'started a backup',
  'ban.add': 'banned',
  'ban.lift': 'lifted a ban',
  'capture.start': 'started a recording',
  'capture.stop': 'stopped a recording',
  'discord.link': 'linked an account to Discord',
  'discord.unlink': 'took a link to Discord away',
  'log.level': 'changed the log level',
  'miner.disconnect': 'disconnected a miner',
  'program.restart': 'restarted the program',
  'session.confirm': 'gave the password again',
  'session.end': 'ended sessions',
  'session.sign_in': 'signed in',
  'session.sign_out': 'signed out',
  'settings.save': 'saved the settings',
  'worker.claim': 'began to prove that a worker is theirs',
  'worker.difficulty': 'ordered a worker’s difficulty',
  'worker.give_up': 'gave up a worker',
  'worker.import': 'saved the workers of an address',
  'worker.note': 'wrote a note on a worker',
  'worker.notify': 'changed messages about a worker',
  'worker.prove': 'proved that a worker is theirs',
  'worker.remove': 'took a saved worker away',
  'worker.restart': 'had a worker connect again',
  'worker.save': 'saved a worker',
  'worker.wire': 'read a worker’s wire',
};

/** An action in words; by its name where there are none for it. */
export function actionWords(name: string): string {
  return WORDS[name] ?? name.replaceAll(/[._]/g, ' ');
}
