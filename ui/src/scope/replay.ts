import type { Message } from './types';

/** The fields of a mining.submit, as texts to be edited. */
export interface SubmitFields {
  id: string;
  worker: string;
  job: string;
  extranonce2: string;
  ntime: string;
  nonce: string;
  /** '' when none are sent. */
  versionBits: string;
}

/** Takes a captured mining.submit apart; undefined when it is not one. */
export function submitFields(m: Pick<Message, 'decoded'>): SubmitFields | undefined {
  const params = m.decoded?.params;
  if (!Array.isArray(params)) return undefined;
  const text = (i: number) => {
    const value: unknown = params[i];
    if (value === undefined || value === null) return '';
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
  return {
    id: JSON.stringify(m.decoded?.id ?? null),
    worker: text(0),
    job: text(1),
    extranonce2: text(2),
    ntime: text(3),
    nonce: text(4),
    versionBits: text(5),
  };
}

/** The message that the fields make. The id keeps its type: 4 stays a number, "4" a string. */
export function submitMessage(fields: SubmitFields, captured: Pick<Message, 'decoded'>): string {
  const params = [fields.worker, fields.job, fields.extranonce2, fields.ntime, fields.nonce];
  if (fields.versionBits !== '') params.push(fields.versionBits);
  return JSON.stringify({
    ...captured.decoded,
    id: readId(fields.id),
    method: 'mining.submit',
    params,
  });
}

function readId(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'number' || typeof value === 'string' || value === null) return value;
  } catch {
    // Not JSON: then it is meant as it stands.
  }
  return text;
}

/** Why a text is no message that can be sent; '' when it is one. */
export function messageFault(text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : 'It is no JSON.';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'It has to be a JSON object.';
  }
  if (!('id' in value)) return 'It has to have an id.';
  return '';
}

/** What the pool said to a replay. */
export function replayVerdict(response: Record<string, unknown> | null): {
  accepted: boolean;
  reason: string;
} {
  const error = response?.error;
  if (error == null) return { accepted: response?.result === true, reason: '' };
  if (Array.isArray(error))
    return { accepted: false, reason: `${String(error[1])} (${String(error[0])})` };
  const { message } = error as { message?: unknown };
  return { accepted: false, reason: typeof message === 'string' ? message : JSON.stringify(error) };
}
