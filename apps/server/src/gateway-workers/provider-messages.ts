/**
 * The provider snapshot of a gateway in another thread. Secrets do not survive a structured clone as
 * what they are: they leave their box here, for the one port to a thread of this process, and are put
 * into a new one on the other side.
 */
import { Secret } from "@atelier/base/secret";
import type {
  BedrockAccess,
  GatewayProvider,
  ProviderSnapshot,
  ProviderSource,
} from "@atelier/contract/rpc/gateway-ports";

const BEDROCK_SECRETS = ["accessKey", "accessKeySecret", "sessionToken", "bearerToken"] as const;

type BedrockSecret = (typeof BEDROCK_SECRETS)[number];

type PlainProvider = Omit<GatewayProvider, "keys" | "bedrock"> & {
  readonly keys: readonly { readonly id: string; readonly secret: string; readonly hint: string }[];
  readonly bedrock:
    | (Omit<BedrockAccess, BedrockSecret> & Readonly<Record<BedrockSecret, string | null>>)
    | null;
};

/** With the secrets in clear: only for a message inside this process. */
export type PlainSnapshot = {
  readonly version: number;
  readonly providers: readonly (readonly [name: string, provider: PlainProvider])[];
};

export function toPlainSnapshot({ version, providers }: ProviderSnapshot): PlainSnapshot {
  const plain = [...providers].map(([name, provider]) => [name, toPlain(provider)] as const);
  return { version, providers: plain };
}

function toPlain(provider: GatewayProvider): PlainProvider {
  const { keys, bedrock } = provider;
  return {
    ...provider,
    keys: keys.map((key) => ({ ...key, secret: key.secret.reveal() })),
    bedrock: bedrock && {
      ...bedrock,
      accessKey: bedrock.accessKey?.reveal() ?? null,
      accessKeySecret: bedrock.accessKeySecret?.reveal() ?? null,
      sessionToken: bedrock.sessionToken?.reveal() ?? null,
      bearerToken: bedrock.bearerToken?.reveal() ?? null,
    },
  };
}

function fromPlain(plain: PlainProvider): GatewayProvider {
  const { keys, bedrock } = plain;
  return {
    ...plain,
    keys: keys.map((key) => ({ ...key, secret: new Secret(key.secret) })),
    bedrock: bedrock && {
      ...bedrock,
      accessKey: boxed(bedrock.accessKey),
      accessKeySecret: boxed(bedrock.accessKeySecret),
      sessionToken: boxed(bedrock.sessionToken),
      bearerToken: boxed(bedrock.bearerToken),
    },
  };
}

function boxed(text: string | null): Secret | null {
  return text === null ? null : new Secret(text);
}

/** The worker's side: the latest snapshot that arrived. */
export class MessageProviderSource implements ProviderSource {
  #snapshot: ProviderSnapshot;

  constructor(first: PlainSnapshot) {
    this.#snapshot = fromPlainSnapshot(first);
  }

  current(): ProviderSnapshot {
    return this.#snapshot;
  }

  take(plain: PlainSnapshot): void {
    if (plain.version > this.#snapshot.version) this.#snapshot = fromPlainSnapshot(plain);
  }
}

function fromPlainSnapshot({ version, providers }: PlainSnapshot): ProviderSnapshot {
  const boxedProviders = providers.map(([name, plain]) => [name, fromPlain(plain)] as const);
  return { version, providers: new Map(boxedProviders) };
}
