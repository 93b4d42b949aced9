/**
 * The text form of session tokens and API tokens: `id-secret`. The id finds the row, the secret
 * proves it; only a SHA-256 of the secret is stored. A plain hash is enough here, because secrets
 * are drawn by us with about 131 bits and nobody can list them.
 */
import { hash, timingSafeEqual } from "node:crypto";
import type { Random } from "@atelier/base/random";
import { Secret } from "@atelier/base/secret";
import {
  splitApiKey,
  API_KEY_ID_LENGTH,
  API_KEY_SECRET_LENGTH,
} from "@atelier/contract/api-key-form";

export type ApiKeyParts = { readonly id: string; readonly secret: Secret };

export type DrawnApiKey = {
  readonly id: string;
  readonly hashedSecret: Uint8Array;
  /** What its owner presents. Shown once and never stored. */
  readonly token: Secret;
};

export function drawApiKey(random: Random): DrawnApiKey {
  const id = random.alphanumeric(API_KEY_ID_LENGTH);
  const secret = new Secret(random.alphanumeric(API_KEY_SECRET_LENGTH));
  return { id, hashedSecret: hashSecret(secret), token: new Secret(`${id}-${secret.reveal()}`) };
}

/** Null when the text cannot be one of ours: then nobody needs to ask the database. */
export function parseApiKey(token: string): ApiKeyParts | null {
  const parts = splitApiKey(token);
  return parts === null ? null : { id: parts.id, secret: new Secret(parts.secret) };
}

export function secretMatches(secret: Secret, hashedSecret: Uint8Array): boolean {
  const presented = hashSecret(secret);
  return presented.length === hashedSecret.length && timingSafeEqual(presented, hashedSecret);
}

/**
 * What our own pages send beside the session cookie. Other sites can make a browser send the
 * cookie, but cannot read this value, and it says nothing about the token.
 */
export function csrfTokenOf(token: string): string {
  return hash("sha256", `csrf:${token}`, "base64url");
}

/** Whether two texts are equal, in a time that does not depend on where they differ. */
export function equalsInConstantTime(left: string, right: string): boolean {
  return timingSafeEqual(hash("sha256", left, "buffer"), hash("sha256", right, "buffer"));
}

function hashSecret(secret: Secret): Buffer {
  return hash("sha256", secret.reveal(), "buffer");
}
