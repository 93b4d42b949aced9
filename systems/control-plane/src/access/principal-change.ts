/**
 * The message that makes every replica forget what it knows of a user or a credential. It is sent
 * in the transaction that changes them, so it arrives after the change can be read.
 */
export const PRINCIPALS_CHANGED = "principals_changed";

export type PrincipalChange =
  | { readonly kind: "user"; readonly userId: string }
  | { readonly kind: "key"; readonly keyId: string };

export function formatPrincipalChange(change: PrincipalChange): string {
  return change.kind === "user" ? `user:${change.userId}` : `key:${change.keyId}`;
}

/** Null: a message of another version. Forget everything then. */
export function parsePrincipalChange(payload: string): PrincipalChange | null {
  if (payload.startsWith("user:")) return { kind: "user", userId: payload.slice(5) };
  if (payload.startsWith("key:")) return { kind: "key", keyId: payload.slice(4) };
  return null;
}
