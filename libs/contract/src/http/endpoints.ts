/** All endpoints: what the server must implement and the reference describes. */
import type { Endpoint } from "../endpoint.ts";
import * as aiProviderTest from "./ai-provider-test.ts";
import * as aiProviders from "./ai-providers.ts";
import * as aiUserKeys from "./ai-user-keys.ts";
import * as aiUsage from "./ai-usage.ts";
import * as audit from "./audit.ts";
import * as deployment from "./deployment.ts";
import * as signIn from "./sign-in.ts";
import * as users from "./users.ts";

export const ENDPOINTS: readonly Endpoint[] = [
  users,
  signIn,
  audit,
  aiProviders,
  aiUserKeys,
  aiProviderTest,
  aiUsage,
  deployment,
].flatMap((room) => Object.values(room).filter(isEndpoint).toSorted(byPath));

/** As people look them up: a thing's own path, then what lies below it. */
function byPath(a: Endpoint, b: Endpoint): number {
  return a.path < b.path || (a.path === b.path && a.method < b.method) ? -1 : 1;
}

function isEndpoint(value: unknown): value is Endpoint {
  return typeof value === "object" && value !== null && "method" in value && "path" in value;
}
