/**
 * Signing in to a tool server (OAuth), as far as it is data: what is kept of a sign-in and of one that was
 * begun, and what an authorizer does. Nothing kept here is ever shown or logged.
 */
import type { Result } from "@atelier/base/result";
import type { McpServer as WireMcpServer } from "@atelier/contract/http/mcp-servers";
import { z } from "zod";
import type { McpServer } from "./mcp-server.ts";

/** How this deployment is known to an authorization server. */
export const OAuthClient = z.object({
  client_id: z.string(),
  client_secret: z.string().optional(),
});
export type OAuthClient = z.output<typeof OAuthClient>;

/** An authorization server as it describes itself, and what of the tool server it is asked for. */
export const OAuthPlace = z.object({
  url: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  /** Null: the tool server does not say how it is called there. */
  resource: z.string().nullable(),
});
export type OAuthPlace = z.output<typeof OAuthPlace>;

/** Where tokens come from, for as long as they are renewed. */
export const OAuthGrant = z.object({ place: OAuthPlace, client: OAuthClient });
export type OAuthGrant = z.output<typeof OAuthGrant>;

/** Of this deployment, with an authorization server that registers whoever asks. */
export const KnownClient = z.object({
  client: OAuthClient,
  url: z.string(),
  redirectUrl: z.string(),
  untilMs: z.number(),
});
export type KnownClient = z.output<typeof KnownClient>;

export type NewClient = Omit<KnownClient, "untilMs"> & {
  /** Null: never. */
  readonly secretExpiresAt: Date | null;
};

/** What is kept beside a server to which people sign in. */
export const OAuthSecrets = z.object({
  /** As an administrator gave it. */
  client: OAuthClient.optional(),
  known: KnownClient.optional(),
});
export type OAuthSecrets = z.output<typeof OAuthSecrets>;

export const KeptAttempt = z.object({
  grant: OAuthGrant,
  verifier: z.string(),
  redirectUrl: z.string(),
});
export type KeptAttempt = z.output<typeof KeptAttempt>;

export const KeptSignIn = z.object({
  grant: OAuthGrant,
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
});
export type KeptSignIn = z.output<typeof KeptSignIn>;

export type OAuthTokens = {
  readonly accessToken: string;
  /** Null: when the access token is over, the person signs in again. */
  readonly refreshToken: string | null;
  /** Null: it is not said. */
  readonly livesMs: number | null;
};

/** `isOver`: trying again will not help, the person has to sign in. */
export type RenewFailure = { readonly words: string; readonly isOver: boolean };

export type BegunSignIn = {
  readonly authorizationUrl: string;
  readonly kept: KeptAttempt;
  /** Null: a known one served. */
  readonly newClient: NewClient | null;
};

/** Speaks with authorization servers. Failures are words for people, without anything secret. */
export interface McpAuthorizer {
  /** Asks the tool server who signs people in, registers this deployment there if need be. */
  begin(
    request: {
      readonly serverUrl: string;
      readonly redirectUrl: string;
      readonly state: string;
      /** Null: none is given. One is registered, unless a known one serves. */
      readonly client: OAuthClient | null;
      readonly known: KnownClient | null;
      /** Null: what the tool server says. */
      readonly scope: string | null;
    },
    signal: AbortSignal,
  ): Promise<Result<BegunSignIn, string>>;
  finish(
    serverUrl: string,
    attempt: KeptAttempt,
    answer: { readonly code: string; readonly iss: string | undefined },
  ): Promise<Result<OAuthTokens, string>>;
  renew(
    serverUrl: string,
    grant: OAuthGrant,
    refreshToken: string,
  ): Promise<Result<OAuthTokens, RenewFailure>>;
  /** Best effort. */
  revoke(serverUrl: string, kept: KeptSignIn): Promise<void>;
}

export type SignInState = WireMcpServer["sign_in"];

export function signInStateOf(
  { id, authType }: Pick<McpServer, "id" | "authType">,
  signedInTo: ReadonlySet<string>,
): SignInState {
  if (authType !== "oauth2") return "not_needed";
  return signedInTo.has(id) ? "done" : "needed";
}

export function nameOf({ displayName, slug }: Pick<McpServer, "displayName" | "slug">): string {
  return displayName === "" ? slug : displayName;
}

/** What a model reads, and tells the person. */
export function needsSignIn(server: Pick<McpServer, "displayName" | "slug">): string {
  return `${nameOf(server)} needs sign-in: its tools are there once the person has signed in. Ask them to run \`atelier mcp-servers connect ${server.slug}\`, and to write again then.`;
}

/** What the browser shows at the end. Nothing in it runs. */
export function signedInPage(server: Pick<McpServer, "displayName" | "slug">): string {
  const name = nameOf(server).replaceAll(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Signed in to ${name}</title><meta name="color-scheme" content="light dark"><meta name="viewport" content="width=device-width"></head><body><h1>Signed in to ${name}</h1><p>Your chats can use its tools now. You can close this window.</p></body></html>\n`;
}
