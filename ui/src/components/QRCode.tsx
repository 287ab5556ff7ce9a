import { encode } from 'uqr';
import { QUIET_ZONE, qrPath } from '../lib/qr';
import styles from './QRCode.module.css';

/**
 * A text as a QR code. It is dark on light in both themes, since many readers
 * cannot take it the other way round. Fetched lazily: the encoder is big.
 */
export function QRCode({ text }: { text: string }) {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET_ZONE });
  return (
    <svg
      className={styles.code}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      role="img"
      aria-label={`QR code of ${text}`}
    >
      <path d={qrPath(data)} />
    </svg>
  );
}
