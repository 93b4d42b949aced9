/**
 * For tests: an authorization server and the tool server that it guards, in one process, as the standards
 * describe them. Refresh tokens serve once. The person always agrees, in a browser by a press.
 */
import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { startRemote } from "./mcp-testkit.ts";

type Request = IncomingMessage & { readonly bodyText: string };
type Json = Readonly<Record<string, unknown>>;

export type GuardedRemote = Awaited<ReturnType<typeof startGuardedRemote>>;

export async function startGuardedRemote(
  options: { readonly livesSeconds?: number; readonly metadata?: Json } = {},
) {
  const { livesSeconds = 3_600 } = options;
  const state = {
    origin: "",
    clients: new Map<string, Json>(),
    codes: new Map<string, { readonly challenge: string; readonly clientId: string }>(),
    access: new Set<string>(),
    refresh: new Set<string>(),
    /** What the endpoints were asked, each with its form. */
    asked: [] as { readonly path: string; readonly form: URLSearchParams }[],
    /** Set: `/token` answers this. */
    tokenFailure: null as { readonly status: number; readonly error: string } | null,
    /** Waited for before a token is answered. */
    beforeToken: async (): Promise<void> => {},
  };

  const issue = (): Json => {
    const [access_token, refresh_token] = [`access-${randomUUID()}`, `refresh-${randomUUID()}`];
    state.access.add(access_token);
    state.refresh.add(refresh_token);
    return { access_token, refresh_token, token_type: "Bearer", expires_in: livesSeconds };
  };

  const token = async (form: URLSearchParams): Promise<readonly [number, Json]> => {
    await state.beforeToken();
    if (state.tokenFailure !== null) {
      return [state.tokenFailure.status, { error: state.tokenFailure.error }];
    }
    if (form.get("grant_type") === "refresh_token") {
      const isGood = state.refresh.delete(form.get("refresh_token") ?? "");
      return isGood ? [200, issue()] : [400, { error: "invalid_grant" }];
    }
    const code = state.codes.get(form.get("code") ?? "");
    state.codes.delete(form.get("code") ?? "");
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (code === undefined || code.challenge !== challenge)
      return [400, { error: "invalid_grant" }];
    return [200, issue()];
  };

  const metadata = (): Json => ({
    issuer: state.origin,
    authorization_endpoint: `${state.origin}/authorize`,
    token_endpoint: `${state.origin}/token`,
    registration_endpoint: `${state.origin}/register`,
    revocation_endpoint: `${state.origin}/revoke`,
    response_types_supported: ["code"],
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "none"],
    authorization_response_iss_parameter_supported: true,
    ...options.metadata,
  });

  const answerOf = async (url: URL, request: Request): Promise<readonly [number, Json] | null> => {
    const form = new URLSearchParams(request.bodyText);
    if (request.method === "POST") state.asked.push({ path: url.pathname, form });
    switch (url.pathname) {
      case "/.well-known/oauth-protected-resource/mcp":
        return [
          200,
          {
            resource: `${state.origin}/mcp`,
            authorization_servers: [state.origin],
            scopes_supported: ["wiki:read"],
          },
        ];
      case "/.well-known/oauth-authorization-server":
        return [200, metadata()];
      case "/register": {
        const client = { ...(JSON.parse(request.bodyText) as Json), client_id: randomUUID() };
        state.clients.set(client.client_id, client);
        return [201, { ...client, client_secret: "client-secret" }];
      }
      case "/token":
        return token(form);
      case "/revoke":
        state.refresh.delete(form.get("token") ?? "");
        return [200, {}];
      default:
        return null;
    }
  };

  const isSignedIn = ({ headers }: Request): boolean =>
    state.access.has(headers.authorization?.replace(/^Bearer /, "") ?? "");

  const agree = (authorizationUrl: string) => {
    const { searchParams } = new URL(authorizationUrl);
    const code = randomUUID();
    const challenge = searchParams.get("code_challenge") ?? "";
    state.codes.set(code, { challenge, clientId: searchParams.get("client_id") ?? "" });
    const iss = state.origin;
    return { state: searchParams.get("state") ?? "", code, iss, error: undefined };
  };

  const remote = await startRemote(async (request, response) => {
    const url = new URL(request.url ?? "", state.origin);
    if (url.pathname === "/authorize") return askPerson(response, url, agree);
    const answer = await answerOf(url, request);
    if (answer !== null) return json(response, answer);
    if (url.pathname === "/mcp" && isSignedIn(request)) return false;
    const challenge = `Bearer resource_metadata="${state.origin}/.well-known/oauth-protected-resource/mcp"`;
    response.writeHead(401, { "www-authenticate": challenge }).end();
    return true;
  });
  state.origin = new URL(remote.url).origin;
  return Object.assign(remote, {
    state,
    /** What the browser brings back once the person agreed. */
    agree,
  });
}

/** The page that a browser is sent to. */
function askPerson(
  response: ServerResponse,
  url: URL,
  agree: (url: string) => { readonly state: string; readonly code: string; readonly iss: string },
): true {
  const { state, code, iss } = agree(url.href);
  const back = new URL(url.searchParams.get("redirect_uri") ?? "");
  back.search = new URLSearchParams({ state, code, iss }).toString();
  const href = back.href.replaceAll("&", "&amp;");
  const page = `<!doctype html><title>The wiki</title><h1>The wiki</h1><a href="${href}">Allow Atelier</a>`;
  response.writeHead(200, { "content-type": "text/html" }).end(page);
  return true;
}

function json(response: ServerResponse, [status, body]: readonly [number, Json]): true {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  return true;
}
