/**
 * Keys for calls that go to providers directly, each with the address that it is for. Prints without
 * them. A route through the gateway has none: what is not there cannot leak.
 */
import type { ChatProvider, DirectCredentials } from "@atelier/contract/rpc/chat-ports";
import type { ChatProviderType } from "./provider-names.ts";

export type DirectAccess = Omit<DirectCredentials, "source"> & { readonly baseUrl: string };

const INSPECT = Symbol.for("nodejs.util.inspect.custom");
const REDACTED = "ProviderKeys{<redacted>}";

export class ProviderKeys {
  static readonly none = new ProviderKeys(new Map());
  readonly #accesses: ReadonlyMap<ChatProviderType, DirectAccess>;

  private constructor(accesses: ReadonlyMap<ChatProviderType, DirectAccess>) {
    this.#accesses = accesses;
  }

  /** The first of a type counts. */
  static of(entries: readonly (readonly [ChatProviderType, DirectAccess])[]): ProviderKeys {
    return new ProviderKeys(new Map(entries.toReversed()));
  }

  get isEmpty(): boolean {
    return this.#accesses.size === 0;
  }

  /** Undefined: nothing is known of such a provider. */
  accessTo(type: ChatProviderType): DirectAccess | undefined {
    return this.#accesses.get(type);
  }

  baseUrlOf(type: ChatProviderType): string | undefined {
    return this.#accesses.get(type)?.baseUrl;
  }

  isUsable(type: ChatProviderType): boolean {
    const access = this.#accesses.get(type);
    return access !== undefined && (access.key !== null || access.bedrock !== null);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [INSPECT](): string {
    return REDACTED;
  }

  [Symbol.toPrimitive](): string {
    return REDACTED;
  }
}

/** With the address of the provider's row, so that a custom one survives. */
export function accessOf(
  { baseUrl }: Pick<ChatProvider, "baseUrl">,
  { key, bedrock, apiVersion }: DirectCredentials,
): DirectAccess {
  return { key, bedrock, apiVersion, baseUrl };
}
