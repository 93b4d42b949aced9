/** What people type to search workspaces, as terms. */
import type { Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import { WorkspaceStatus } from "@atelier/contract/http/workspaces";
import { z } from "zod";
import { parseSearch } from "@atelier/contract/search-query";

const Terms = z.object({
  owner: z.string().optional(),
  name: z.string().optional(),
  status: WorkspaceStatus.optional(),
});

export type WorkspaceSearch = z.output<typeof Terms>;

export function parseWorkspaceSearch(
  text: string,
): Result<WorkspaceSearch, Failure<"request.invalid">> {
  return parseSearch(text, Terms);
}
