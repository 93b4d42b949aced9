/** What people type to search workspaces, as terms. */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import { WorkspaceStatus } from "@atelier/contract/http/workspaces";
import { z } from "zod";
import { parseSearchQuery } from "../http/search-query.ts";

const KEYS = ["owner", "name", "status"] as const;

const Terms = z.object({
  owner: z.string().optional(),
  name: z.string().optional(),
  status: WorkspaceStatus.optional(),
});

export type WorkspaceSearch = z.output<typeof Terms>;

export function parseWorkspaceSearch(
  text: string,
): Result<WorkspaceSearch, Failure<"request.invalid">> {
  const words = parseSearchQuery(text, KEYS);
  if (!words.ok) return fail({ code: "request.invalid", validations: words.failure });
  const terms = Terms.safeParse(Object.fromEntries(words.value));
  if (terms.success) return ok(terms.data);
  const validations = terms.error.issues.map(({ path, message }) => ({
    field: "q",
    detail: `${path.join(".")}: ${message}`,
  }));
  return fail({ code: "request.invalid", validations });
}
