/**
 * The text form of session tokens and API tokens: `id-secret`. Whoever only looks at a text knows by it
 * whether it can be one of ours.
 */
export const API_KEY_ID_LENGTH = 10;
export const API_KEY_SECRET_LENGTH = 22;

const PATTERN = new RegExp(
  `^([A-Za-z0-9]{${API_KEY_ID_LENGTH}})-([A-Za-z0-9]{${API_KEY_SECRET_LENGTH}})$`,
);

/** Null: it cannot be one of ours. */
export function splitApiKey(text: string): { readonly id: string; readonly secret: string } | null {
  const [, id, secret] = PATTERN.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { id, secret };
}
