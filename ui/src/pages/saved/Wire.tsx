export function Wire({ hash }: { hash: string }) {
  return <section data-hash={hash} />;
}
