/**
 * How a part of this process calls models through the gateway: by a fetch without a socket, which
 * SDKs take in place of the global one (spec gateway 7.6, 7.7; agents 8.3, 8.4).
 *
 * Each call is made on behalf of a person: it names the API key that the person's request came with,
 * and the gateway asks again, every time, whether that key still lets them in. Without it nothing is
 * sent. What an SDK puts into its credential headers is a placeholder and never goes upstream, unless
 * the call says that it is the person's own key.
 */
import { fail, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import type { ModelProviderType } from "../http/ai-providers.ts";

/** Which part of the process calls; goes to the log. */
export type ModelCallSource = "agents";

export type ModelFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** What a call that is made ready before its time waits for. */
export type Hold = {
  /** Nothing of the call goes to a provider before; where it rejects, nothing does. */
  readonly until: Promise<unknown>;
  /** Told when the call is on its way to the provider. Must not throw. */
  readonly left: () => void;
};

export type DelegatedInit = RequestInit & {
  /** The API key id of whoever the call is for. Absent or empty: the call is refused. */
  readonly delegatedApiKeyId?: string;
  /** See `Delegation`. */
  readonly hold?: Hold | null;
};

export interface ModelTransport {
  /**
   * As the global fetch, but for the host of the URL, which is not looked at. Rejects with a
   * ModelTransportError before anything is sent; later failures are answers, or break the body.
   */
  fetch(input: string | URL | Request, init?: DelegatedInit): Promise<Response>;
}

export type ModelTransportFailure = "provider_name_missing" | "gateway_not_mounted";

export interface ModelTransports {
  transportFor(
    providerName: string,
    source: ModelCallSource,
  ): Result<ModelTransport, ModelTransportFailure>;
}

export class ModelTransportError extends Error {
  override readonly name = "ModelTransportError";
}

/**
 * Where the gateway's transports are found while a gateway runs. Holders keep the slot and ask it each
 * time, so that a gateway can come and go.
 */
export class ModelTransportSlot implements ModelTransports {
  #mounted: ModelTransports | null = null;

  /** Until the result is disposed. */
  mount(transports: ModelTransports): Disposable {
    this.#mounted = transports;
    return {
      [Symbol.dispose]: () => {
        if (this.#mounted === transports) this.#mounted = null;
      },
    };
  }

  transportFor(
    providerName: string,
    source: ModelCallSource,
  ): Result<ModelTransport, ModelTransportFailure> {
    return this.#mounted?.transportFor(providerName, source) ?? fail("gateway_not_mounted");
  }
}

/** Marks a request whose credential headers are the caller's own; beside it stands who calls. */
export const GOVERNANCE_TOKEN_HEADER = "x-coder-ai-governance-token";
/** In place of a token, on calls inside this process. From the network it is no token. */
export const DELEGATED_MARKER = "delegated";

const INSPECT = Symbol.for("nodejs.util.inspect.custom");
const REDACTED = "ProviderAuth{headers: <redacted>}";

/** The headers that carry a person's own provider key, or none. Prints without them. */
export class ProviderAuth {
  static readonly none = new ProviderAuth([]);
  readonly #headers: readonly (readonly [name: string, value: Secret])[];

  private constructor(headers: readonly (readonly [string, Secret])[]) {
    this.#headers = headers;
  }

  static ownKey(type: ModelProviderType, key: Secret): ProviderAuth {
    return type === "anthropic" || type === "bedrock"
      ? new ProviderAuth([["x-api-key", key]])
      : new ProviderAuth([["authorization", new Secret(`Bearer ${key.reveal()}`)]]);
  }

  get isNone(): boolean {
    return this.#headers.length === 0;
  }

  /** Puts the headers in, over an SDK's placeholders, and says that they are the person's own. */
  applyTo(headers: Headers): void {
    if (this.isNone) return;
    for (const [name, value] of this.#headers) headers.set(name, value.reveal());
    headers.set(GOVERNANCE_TOKEN_HEADER, DELEGATED_MARKER);
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

export type Delegation = {
  /** On whose behalf, and with whose key. */
  readonly apiKeyId: string;
  readonly auth: ProviderAuth;
  /**
   * The gateway does all that comes before the provider, the record too, and then waits for it. Absent: for nothing.
   */
  readonly hold?: Hold | null;
};

/** The fetch that an SDK is given for one turn. The delegation wins over whatever the SDK sets. */
export function delegatedFetch(
  transport: ModelTransport,
  { apiKeyId, auth, hold = null }: Delegation,
): ModelFetch {
  return (input, init) => {
    const headers = new Headers(
      init?.headers ?? (input instanceof Request ? input.headers : undefined),
    );
    // Only the delegation says whose key serves.
    headers.delete(GOVERNANCE_TOKEN_HEADER);
    auth.applyTo(headers);
    return transport.fetch(input, { ...init, headers, delegatedApiKeyId: apiKeyId, hold });
  };
}

export interface ProviderAuthSource {
  /**
   * The person's own key for this provider, as headers. None where they stored none, and where the
   * deployment does not allow it. Rejects when it cannot be known or opened: the company's keys must
   * not serve in its place.
   */
  authOf(
    userId: string,
    provider: { readonly id: string; readonly type: ModelProviderType },
  ): Promise<ProviderAuth>;
}
