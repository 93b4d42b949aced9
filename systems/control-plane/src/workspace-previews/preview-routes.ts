/** What clients of the API learn of previews. */
import { ok } from "@atelier/base/result";
import { getPreviewHost } from "@atelier/contract/http/workspace-previews";
import { formatPreviewWildcard, type PreviewWildcard } from "@atelier/contract/preview-address";
import { route, type Route } from "../http/route.ts";

/** `wildcard` is null where previews are off. */
export function previewRoutes(wildcard: PreviewWildcard | null): Route[] {
  const wildcard_url = wildcard === null ? null : formatPreviewWildcard(wildcard);
  return [route(getPreviewHost, async () => ok({ wildcard_url }))];
}
