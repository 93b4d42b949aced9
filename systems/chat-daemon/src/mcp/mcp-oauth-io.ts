/**
 * Speaks OAuth with authorization servers, by the protocol's own library: discovery (RFC 9728, 8414),
 * registration (7591), PKCE, renewal, revocation (7009).
 *
 * Whom it asks is what the tool server that an administrator added names, and what that one names in
 * turn: over HTTPS, or on the tool server's own origin. Answers redirect within their origin only.
 */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import type { ModelFetch } from "@atelier/contract/rpc/model-transport";
import type * as McpLibrary from "@modelcontextprotocol/client";
import type { AuthorizationServerMetadata, FetchLike } from "@modelcontextprotocol/client";
import { within } from "./mcp-client-io.ts";
import type {
  BegunSignIn,
  KeptAttempt,
  KeptSignIn,
  McpAuthorizer,
  NewClient,
  OAuthGrant,
  OAuthPlace,
  OAuthTokens,
  RenewFailure,
} from "./mcp-sign-in.ts";

export type OAuthDeps = { readonly clock: Clock; readonly fetch: ModelFetch };

const ASK_MS_MAX = 10_000;
const ANSWER_BYTES_MAX = 256 * 1024;
const CLIENT_NAME = "Atelier";

type Library = typeof McpLibrary;
type Asking = { readonly library: Library; readonly fetch: FetchLike };

export function mcpAuthorizer(deps: OAuthDeps): McpAuthorizer {
  return {
    begin: (request, signal) =>
      asking(deps, { serverUrl: request.serverUrl, signal }, (asked) => begin(asked, request)),
    finish: (serverUrl, attempt, answer) =>
      asking(deps, { serverUrl, signal: null }, (asked) => finish(asked, attempt, answer)),
    renew: async (serverUrl, grant, refreshToken) => {
      const renewed = await asking(deps, { serverUrl, signal: null }, (asked) =>
        renew(asked, grant, refreshToken),
      );
      return renewed.ok ? renewed.value : fail({ words: renewed.failure, isOver: false });
    },
    revoke: async (serverUrl, kept) => {
      await asking(deps, { serverUrl, signal: null }, (asked) => revoke(asked, kept));
    },
  };
}

type BeginRequest = Parameters<McpAuthorizer["begin"]>[0];

async function begin(asked: Asking, request: BeginRequest): Promise<BegunSignIn> {
  const { library } = asked;
  const { redirectUrl, state } = request;
  const { place, metadata, scope } = await discover(asked, request);
  const known = request.client ?? clientKnownAt(request, place);
  const registered =
    known === null
      ? await register(asked, { place, metadata, redirectUrl, scope })
      : { client: known, secretExpiresAt: null };
  const { client } = registered;
  const started = await library.startAuthorization(place.url, {
    ...{ metadata, clientInformation: client, redirectUrl, state },
    ...(scope !== null && { scope }),
    ...(place.resource !== null && { resource: place.resource }),
  });
  const kept = { grant: { place, client }, verifier: started.codeVerifier, redirectUrl };
  const { href: authorizationUrl } = started.authorizationUrl;
  const newClient = known === null ? { ...registered, url: place.url, redirectUrl } : null;
  return { authorizationUrl, kept, newClient };
}

function clientKnownAt({ known, redirectUrl }: BeginRequest, { url }: OAuthPlace) {
  const serves = known !== null && known.url === url && known.redirectUrl === redirectUrl;
  return serves ? known.client : null;
}

type Discovered = {
  readonly place: OAuthPlace;
  readonly metadata: AuthorizationServerMetadata;
  readonly scope: string | null;
};

async function discover(
  { library, fetch }: Asking,
  { serverUrl, scope: wanted }: BeginRequest,
): Promise<Discovered> {
  const challenge = await challengeOf({ library, fetch }, serverUrl);
  const { resourceMetadataUrl } = challenge;
  const info = await library.discoverOAuthServerInfo(serverUrl, {
    fetchFn: fetch,
    ...(resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
  });
  const { authorizationServerMetadata: metadata, authorizationServerUrl: url } = info;
  if (metadata === undefined) throw new PlainFailure("It does not say who signs people in.");
  mayBeAsked(new URL(serverUrl), new URL(metadata.authorization_endpoint));
  const resource = info.resourceMetadata?.resource ?? null;
  const requestedResource = library.resourceUrlFromServerUrl(serverUrl);
  if (
    resource !== null &&
    !library.checkResourceAllowed({ requestedResource, configuredResource: resource })
  ) {
    throw new PlainFailure("It says that it is another server than the one at this URL.");
  }
  const scope =
    wanted ?? challenge.scope ?? info.resourceMetadata?.scopes_supported?.join(" ") ?? null;
  const place = { url, metadata: { ...metadata }, resource };
  return { place, metadata, scope: withRenewal(scope, metadata) };
}

/** What a request without credentials is told: RFC 9728 names its metadata there. */
async function challengeOf(
  { library, fetch }: Asking,
  serverUrl: string,
): Promise<{ readonly resourceMetadataUrl?: URL; readonly scope?: string }> {
  try {
    const answer = await fetch(serverUrl, {
      headers: { accept: "text/event-stream" },
      redirect: "manual",
    });
    await answer.body?.cancel();
    if (answer.status !== 401) return {};
    const { resourceMetadataUrl, scope } = library.extractWWWAuthenticateParams(answer);
    const isOwn = resourceMetadataUrl?.origin === new URL(serverUrl).origin;
    return {
      ...(isOwn && resourceMetadataUrl !== undefined && { resourceMetadataUrl }),
      ...(scope !== undefined && { scope }),
    };
  } catch {
    // It may still be described where descriptions are by default.
    return {};
  }
}

/** Servers that know `offline_access` give refresh tokens only for it. */
function withRenewal(scope: string | null, metadata: AuthorizationServerMetadata): string | null {
  const isOffered = metadata.scopes_supported?.includes("offline_access") === true;
  if (scope === null || !isOffered || scope.split(" ").includes("offline_access")) return scope;
  return `${scope} offline_access`;
}

async function register(
  { library, fetch }: Asking,
  about: Discovered & { readonly redirectUrl: string },
): Promise<Pick<NewClient, "client" | "secretExpiresAt">> {
  const { place, metadata, redirectUrl, scope } = about;
  if (metadata.registration_endpoint === undefined) {
    throw new PlainFailure(
      "Its authorization server registers nobody by itself: an administrator has to give a client id.",
    );
  }
  // Its successor needs a page about this deployment that the authorization server can reach.
  // oxlint-disable-next-line typescript/no-deprecated
  const registered = await library.registerClient(place.url, {
    metadata,
    clientMetadata: {
      client_name: CLIENT_NAME,
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: authMethodOf(metadata),
    },
    ...(scope !== null && { scope }),
    fetchFn: fetch,
  });
  const { client_id, client_secret, client_secret_expires_at: seconds = 0 } = registered;
  return {
    client: { client_id, ...(client_secret !== undefined && { client_secret }) },
    // 0: never.
    secretExpiresAt: seconds === 0 ? null : new Date(seconds * 1_000),
  };
}

/** A secret of each deployment is better than none, where the server takes one. */
function authMethodOf({
  token_endpoint_auth_methods_supported: methods,
}: AuthorizationServerMetadata): string {
  const known = ["client_secret_basic", "client_secret_post", "none"];
  return known.find((method) => methods?.includes(method)) ?? "client_secret_basic";
}

async function finish(
  { library, fetch }: Asking,
  { grant, verifier, redirectUrl }: KeptAttempt,
  { code, iss }: { readonly code: string; readonly iss: string | undefined },
): Promise<OAuthTokens> {
  const { place, client } = grant;
  const tokens = await library.exchangeAuthorization(place.url, {
    metadata: metadataOf(place),
    clientInformation: client,
    authorizationCode: code,
    codeVerifier: verifier,
    redirectUri: redirectUrl,
    ...(iss !== undefined && { iss }),
    ...(place.resource !== null && { resource: place.resource }),
    fetchFn: fetch,
  });
  return toTokens(tokens);
}

async function renew(
  { library, fetch }: Asking,
  { place, client }: OAuthGrant,
  refreshToken: string,
): Promise<Result<OAuthTokens, RenewFailure>> {
  try {
    const tokens = await library.refreshAuthorization(place.url, {
      ...{ metadata: metadataOf(place), clientInformation: client, refreshToken },
      ...(place.resource !== null && { resource: place.resource }),
      fetchFn: fetch,
    });
    return ok(toTokens(tokens));
  } catch (error) {
    if (!library.OAuthError.isInstance(error) || !FINAL_CODES.has(error.code)) throw error;
    return fail({ words: `The authorization server says ${error.code}.`, isOver: true });
  }
}

/** With these, the refresh token never serves again. */
const FINAL_CODES: ReadonlySet<string> = new Set([
  "invalid_grant",
  "invalid_client",
  "unauthorized_client",
]);

async function revoke({ fetch }: Asking, { grant, ...tokens }: KeptSignIn): Promise<void> {
  const { place, client } = grant;
  const endpoint = place.metadata["revocation_endpoint"];
  if (typeof endpoint !== "string") return;
  const url = new URL(endpoint);
  const form = new URLSearchParams({
    token: tokens.refreshToken ?? tokens.accessToken,
    token_type_hint: tokens.refreshToken === null ? "access_token" : "refresh_token",
  });
  const headers = new Headers({ "content-type": "application/x-www-form-urlencoded" });
  const { client_id: id, client_secret: secret } = client;
  if (secret === undefined) form.set("client_id", id);
  else {
    const pair = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
    headers.set("authorization", `Basic ${btoa(pair)}`);
  }
  const answer = await fetch(url, { method: "POST", headers, body: form, redirect: "error" });
  await answer.body?.cancel();
}

function metadataOf(place: OAuthPlace): AuthorizationServerMetadata {
  return place.metadata as AuthorizationServerMetadata; // The library gave it, and parsed it then.
}

function toTokens(tokens: {
  readonly access_token: string;
  readonly refresh_token?: string | undefined;
  readonly expires_in?: number | undefined;
}): OAuthTokens {
  const { access_token: accessToken, refresh_token: refreshToken = null } = tokens;
  const { expires_in: seconds } = tokens;
  return { accessToken, refreshToken, livesMs: seconds === undefined ? null : seconds * 1_000 };
}

/** Its message is for people. */
class PlainFailure extends Error {}

async function asking<Value>(
  deps: OAuthDeps,
  about: { readonly serverUrl: string; readonly signal: AbortSignal | null },
  work: (asked: Asking) => Promise<Value>,
): Promise<Result<Value, string>> {
  const signal = about.signal ?? new AbortController().signal;
  const done = await within(deps, { ms: ASK_MS_MAX, signal }, async (limit) => {
    const library = await import("@modelcontextprotocol/client");
    const fetch = guardedFetch(deps.fetch, { home: new URL(about.serverUrl), limit });
    try {
      return ok(await work({ library, fetch }));
    } catch (error) {
      if (limit.aborted) throw error;
      return fail(wordsOf(library, error));
    }
  });
  return done.ok ? done.value : done;
}

/** Answers may repeat what they were sent: none of them is quoted, but for codes of the standard. */
function wordsOf(library: Library, error: unknown): string {
  if (error instanceof PlainFailure) return error.message;
  if (library.OAuthError.isInstance(error)) {
    const code = /^[a-z_]{1,40}$/.test(error.code) ? error.code : "no";
    return `The authorization server says ${code}.`;
  }
  if (library.RegistrationRejectedError.isInstance(error)) {
    return "The authorization server does not register this deployment: an administrator has to give a client id.";
  }
  if (library.IssuerMismatchError.isInstance(error)) {
    return "The answer comes from another authorization server than the one that was asked.";
  }
  if (library.InsecureTokenEndpointError.isInstance(error)) {
    return "Its authorization server does not use HTTPS.";
  }
  return "It could not be asked, or its answer is not as the standard says.";
}

function guardedFetch(
  fetch: ModelFetch,
  { home, limit }: { readonly home: URL; readonly limit: AbortSignal },
): FetchLike {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    mayBeAsked(home, url);
    const answer = await fetch(url, { ...init, signal: limit });
    return cut(answer);
  };
}

/** HTTPS, or what the administrator's own URL is reached by. */
function mayBeAsked(home: URL, url: URL): void {
  const isPlain = url.protocol === "http:";
  const isHome = url.origin === home.origin;
  const isBesideHome = LOOPBACK.has(home.hostname) && LOOPBACK.has(url.hostname);
  if (url.protocol === "https:" || (isPlain && (isHome || isBesideHome))) return;
  throw new PlainFailure("It names an authorization server that does not use HTTPS.");
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** The same answer, which ends with an error where it is longer than such answers are. */
function cut(answer: Response): Response {
  if (answer.body === null) return answer;
  let bytes = 0;
  const counted = answer.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        bytes += chunk.byteLength;
        if (bytes > ANSWER_BYTES_MAX) controller.error(new PlainFailure("Its answer is too long."));
        else controller.enqueue(chunk);
      },
    }),
  );
  const { status, statusText, headers } = answer;
  return new Response(counted, { status, statusText, headers });
}
