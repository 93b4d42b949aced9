/**
 * Model providers as administrators see them: what one is, how one is named in a path, and what a
 * wanted list of keys changes. Spec: gateway 11.2-11.4.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import type { ProviderKeyPolicy } from "@atelier/contract/chat/provider-key-choice";
import type { Validation } from "@atelier/contract/failures";
import {
  KEYLESS_MODEL_PROVIDER_TYPES,
  MODEL_PROVIDER_NAME_PATTERN,
  SUPPORTED_MODEL_PROVIDER_TYPES,
  type ModelProviderType,
} from "@atelier/contract/http/ai-providers";

export type ModelProvider = {
  readonly id: string;
  readonly type: ModelProviderType;
  readonly name: string;
  readonly displayName: string;
  readonly enabled: boolean;
  readonly baseUrl: string;
  /** In the order in which they are tried. */
  readonly keys: readonly ModelProviderKey[];
  /** Calls that one key may serve at the same time. Null: any number. */
  readonly keyConcurrencyMax: number | null;
  /** Whose keys serve chats. */
  readonly keyPolicy: ProviderKeyPolicy;
  /** Null: none. */
  readonly sealedSettings: Uint8Array | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

export type ModelProviderKey = {
  readonly id: string;
  readonly masked: string;
  readonly createdAt: Date;
  /** Set: an operator took it out of service. It keeps its place in the order. */
  readonly disabledAt: Date | null;
};

/** How a path names a provider. A text can look like both an id and a name; the id then wins. */
export type ModelProviderRef = { readonly id: string | null; readonly name: string | null };

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Null: no provider can be called that. */
export function parseModelProviderRef(text: string): ModelProviderRef | null {
  const id = UUID.test(text) ? text.toLowerCase() : null;
  const name = MODEL_PROVIDER_NAME_PATTERN.test(text) ? text : null;
  return id === null && name === null ? null : { id, name };
}

export function isSupportedType(type: ModelProviderType): boolean {
  return (SUPPORTED_MODEL_PROVIDER_TYPES as readonly string[]).includes(type);
}

/** Whether callers must bring their own credential, because the service takes no others. */
export function isKeyless(type: ModelProviderType): boolean {
  return (KEYLESS_MODEL_PROVIDER_TYPES as readonly string[]).includes(type);
}

/** An entry of the wanted list: a key to keep, or one to insert. */
export type WantedKey = { readonly id: string } | { readonly api_key: string };

export type StoredKey = ModelProviderKey & {
  /** Null where it cannot be opened: nothing can then be found equal to it. */
  readonly secret: Secret | null;
};

export type KeyPlan = {
  readonly added: readonly Secret[];
  readonly removed: readonly ModelProviderKey[];
  readonly kept: readonly ModelProviderKey[];
};

/** Two changes never have one time, so that a time tells whether there was a change. */
export function timeOfChange({ updatedAt }: Pick<ModelProvider, "updatedAt">, now: Date): Date {
  return new Date(Math.max(now.getTime(), updatedAt.getTime() + 1));
}

/**
 * What the complete wanted list changes. The failure lists all mistakes: an id that is unknown or
 * named twice, and a new key that equals another new one or one that is kept.
 */
export function planKeys(
  stored: readonly StoredKey[],
  wanted: readonly WantedKey[],
): Result<KeyPlan, readonly Validation[]> {
  const keptIds = new Set(wanted.flatMap((entry) => ("id" in entry ? [entry.id] : [])));
  const kept = stored.filter((key) => keptIds.has(key.id));
  const seenIds = new Set<string>();
  const seenKeys = new Set(kept.flatMap(({ secret }) => (secret ? [secret.reveal()] : [])));
  const added: Secret[] = [];
  const mistakes: Validation[] = [];
  for (const [index, entry] of wanted.entries()) {
    const field = `api_keys.${index}`;
    if ("id" in entry) {
      const isKnown = stored.some((key) => key.id === entry.id);
      if (!isKnown) mistakes.push({ field, detail: "The provider has no key of this id." });
      if (seenIds.has(entry.id)) mistakes.push({ field, detail: "This id is listed twice." });
      seenIds.add(entry.id);
    } else if (seenKeys.has(entry.api_key)) {
      mistakes.push({ field, detail: "The provider would have this key twice." });
    } else {
      seenKeys.add(entry.api_key);
      added.push(new Secret(entry.api_key));
    }
  }
  if (mistakes.length > 0) return fail(mistakes);
  return ok({ added, removed: stored.filter((key) => !keptIds.has(key.id)), kept });
}
