/**
 * Which part of the server answers a request: decided by its host and path alone, before anything parses it.
 * Hosts below the wildcard for previews have no path of ours: nothing that a workspace serves can stand where
 * a browser would take it for us, or the other way round. Elsewhere, all that no other part owns is the dashboard's, whose addresses are made in the browser.
 *
 * The AI gateway's routes begin with a model provider's name, and our own listings of what went
 * through it live beside them; names that could collide are reserved (contract, ai-providers).
 */
import { RESERVED_MODEL_PROVIDER_NAMES } from "@atelier/contract/http/ai-providers";
import { PREVIEW_AUTH_PATH } from "@atelier/contract/http/workspace-previews";
import { previewLabelOf, type PreviewWildcard } from "@atelier/contract/preview-address";
import { WORKSPACE_AGENT_FILE_PATH } from "@atelier/contract/http/workspaces";
import type { IncomingMessage } from "node:http";

export type RequestTarget =
  | { readonly kind: "gateway"; readonly prefix: string }
  | { readonly kind: "dashboard"; readonly path: string }
  | { readonly kind: "preview" | "preview_auth" }
  | { readonly kind: "liveness" | "readiness" | "metrics" | "workspace_agent" | "api" };

/** The newer name and the one that tools in the field use (design 2.1). */
const GATEWAY_PREFIXES = ["/api/v2/ai-gateway", "/api/v2/aibridge"] as const;

/** What is not a path belongs here too: the API's router refuses it. */
const API_PATH = /^\/api(?:\/|$)|^[^/]|^$/i;

const RESERVED: ReadonlySet<string> = new Set(RESERVED_MODEL_PROVIDER_NAMES);

/** `wildcard`: below which hosts are previews. Null: there are none. */
export function targetOfRequest(
  { url = "", headers }: Pick<IncomingMessage, "url" | "headers">,
  wildcard: PreviewWildcard | null,
): RequestTarget {
  return isPreviewHost(headers.host, wildcard) ? { kind: "preview" } : targetOf(url);
}

/** On any other host. */
export function targetOf(url: string): RequestTarget {
  const path = pathOf(url);
  for (const prefix of GATEWAY_PREFIXES) {
    if (path.startsWith(`${prefix}/`)) {
      const name = path.slice(prefix.length + 1).split("/", 1)[0] ?? "";
      return RESERVED.has(name) ? { kind: "api" } : { kind: "gateway", prefix };
    }
  }
  switch (path) {
    case "/healthz":
      return { kind: "liveness" };
    case "/readyz":
      return { kind: "readiness" };
    case "/metrics":
      return { kind: "metrics" };
    case PREVIEW_AUTH_PATH:
      return { kind: "preview_auth" };
    case WORKSPACE_AGENT_FILE_PATH:
      return { kind: "workspace_agent" };
    default:
      return API_PATH.test(path) ? { kind: "api" } : { kind: "dashboard", path };
  }
}

/** Tells the part before `/<provider>/…` of what the gateway answers. Null: another part answers it. */
export function gatewayPrefixes(
  wildcard: PreviewWildcard | null,
): (url: string, host: string | undefined) => string | null {
  return (url, host) => {
    const target = targetOf(url);
    return target.kind !== "gateway" || isPreviewHost(host, wildcard) ? null : target.prefix;
  };
}

function isPreviewHost(host: string | undefined, wildcard: PreviewWildcard | null): boolean {
  return wildcard !== null && previewLabelOf(host, wildcard) !== null;
}

function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}
