/**
 * The AWS credentials of one provider: static ones, a profile's, those of the process's environment
 * (variables, files, web identity, single sign-on, instance metadata), or a role's on top of these.
 *
 * Temporary ones are kept until shortly before they expire, and got once for all calls that wait.
 * AWS's own library gets them; it is loaded when the first provider needs it.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import type { BedrockAccess } from "@atelier/contract/rpc/gateway-ports";
import type { AwsCredentials } from "./aws-signature.ts";

export type GotCredentials = AwsCredentials & {
  /** Null: they say of no end. */
  readonly expiresAt: Date | null;
};

/** Gets credentials anew. Rejects where there are none. */
export type CredentialSource = () => Promise<GotCredentials>;

/** Spec gateway 4.5.1. */
const GET_MS_MAX = 30_000;
/** Before their end, credentials are replaced: at a quarter of their life, but not earlier than this. */
const RENEWAL_MS_MAX = 5 * 60_000;
const RENEWAL_SHARE = 0.25;
/** Files can be edited without anybody telling us. */
const ENDLESS_KEPT_MS = 15 * 60_000;
const ROLE_SESSION_NAME = "atelier";

export type AwsCredentialCacheDeps = {
  readonly source: CredentialSource;
  readonly clock: Clock;
  readonly log: Logger;
};

type Kept = { readonly credentials: GotCredentials; readonly renewAtMs: number };

export class AwsCredentialCache {
  readonly #deps: AwsCredentialCacheDeps;
  #kept: Kept | null = null;
  #getting: Promise<Result<GotCredentials, "no_credentials">> | null = null;

  constructor(deps: AwsCredentialCacheDeps) {
    this.#deps = deps;
  }

  get(): Promise<Result<GotCredentials, "no_credentials">> {
    const { clock } = this.#deps;
    if (this.#kept !== null && clock.now().getTime() < this.#kept.renewAtMs) {
      return Promise.resolve(ok(this.#kept.credentials));
    }
    this.#getting ??= this.#renew().finally(() => {
      this.#getting = null;
    });
    return this.#getting;
  }

  /** AWS does not take them any more. Others that were got meanwhile stay. */
  discard(credentials: AwsCredentials): void {
    if (this.#kept?.credentials === credentials) this.#kept = null;
  }

  async #renew(): Promise<Result<GotCredentials, "no_credentials">> {
    const { clock, log } = this.#deps;
    try {
      const credentials = await this.#getInTime();
      this.#kept = { credentials, renewAtMs: renewAtMs(credentials, clock.now()) };
      return ok(credentials);
    } catch (error) {
      const before = this.#kept?.credentials;
      const isStillGood =
        before !== undefined && (before.expiresAt === null || clock.now() < before.expiresAt);
      log.warn({ error, isStillGood }, "getting AWS credentials failed");
      return isStillGood ? ok(before) : fail("no_credentials");
    }
  }

  async #getInTime(): Promise<GotCredentials> {
    const { source, clock } = this.#deps;
    const over = new AbortController();
    const late = clock.sleep(GET_MS_MAX, over.signal).then(() => {
      throw new Error(`not within ${GET_MS_MAX} ms`);
    });
    const got = source();
    try {
      return await Promise.race([got, late]);
    } finally {
      over.abort();
      // The loser of the race ends in its own time, and nobody waits for it.
      await Promise.allSettled([late]);
    }
  }
}

function renewAtMs({ expiresAt }: GotCredentials, now: Date): number {
  if (expiresAt === null) return now.getTime() + ENDLESS_KEPT_MS;
  const lifeMs = Math.max(0, expiresAt.getTime() - now.getTime());
  return expiresAt.getTime() - Math.min(RENEWAL_MS_MAX, lifeMs * RENEWAL_SHARE);
}

/** Static ones are at hand; all others are asked for each time. */
export function credentialSource(access: BedrockAccess, region: string): CredentialSource {
  const given = staticCredentials(access);
  if (given !== null && access.roleArn === null) return () => Promise.resolve(given);
  return async () => {
    const aws = await import("@aws-sdk/credential-providers");
    const clientConfig = { region };
    // Made anew each time: what they keep, they would keep by a clock of their own.
    const base =
      given === null
        ? access.profile === null
          ? aws.fromNodeProviderChain({ ignoreCache: true, clientConfig })
          : aws.fromIni({ profile: access.profile, ignoreCache: true, clientConfig })
        : toIdentity(given);
    if (access.roleArn === null) return fromIdentity(await asProvider(base)());
    const role = aws.fromTemporaryCredentials({
      masterCredentials: base,
      params: {
        RoleArn: access.roleArn,
        RoleSessionName: ROLE_SESSION_NAME,
        ...(access.externalId === null ? {} : { ExternalId: access.externalId }),
      },
      clientConfig: {
        region,
        ...(access.stsEndpoint === null ? {} : { endpoint: access.stsEndpoint }),
      },
    });
    return fromIdentity(await role());
  };
}

type AwsIdentity = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
};

function asProvider(base: AwsIdentity | (() => Promise<AwsIdentity>)): () => Promise<AwsIdentity> {
  return typeof base === "function" ? base : () => Promise.resolve(base);
}

function staticCredentials(access: BedrockAccess): GotCredentials | null {
  const { accessKey, accessKeySecret, sessionToken } = access;
  if (accessKey === null || accessKeySecret === null) return null;
  return {
    accessKeyId: accessKey.reveal(),
    secretAccessKey: accessKeySecret,
    sessionToken,
    expiresAt: null,
  };
}

function toIdentity({ accessKeyId, secretAccessKey, sessionToken }: GotCredentials): AwsIdentity {
  return {
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken === null ? {} : { sessionToken: sessionToken.reveal() }),
  };
}

function fromIdentity(identity: AwsIdentity): GotCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = identity;
  return {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: sessionToken === undefined ? null : new Secret(sessionToken),
    expiresAt: expiration ?? null,
  };
}
