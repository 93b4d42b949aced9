/**
 * Previews: ports of workspaces as origins of their own, below the option `wildcard-access-url`. What is
 * served there is no part of the API; here is what leads there.
 */
import { z } from "zod";
import { endpoint } from "../endpoint.ts";
import { NoParams, NoQuery } from "./common.ts";

/**
 * Where a preview sends a browser that it does not know yet. It answers with redirects, and so is no endpoint:
 * to the sign-in, or back with a ticket.
 */
export const PREVIEW_AUTH_PATH = "/api/v2/applications/auth-redirect";

export const getPreviewHost = endpoint({
  tag: "workspaces",
  summary: "Below which hosts ports of workspaces can be opened in a browser",
  method: "GET",
  path: "/api/v2/applications/host",
  access: "signed_in",
  params: NoParams,
  query: NoQuery,
  body: null,
  success: {
    status: 200,
    /** Such as `https://*.apps.example.com`; null where previews are off. */
    body: z.object({ wildcard_url: z.string().nullable() }),
  },
  failures: [],
  audit: null,
});
