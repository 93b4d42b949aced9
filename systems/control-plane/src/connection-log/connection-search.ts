/** What people type to search the connection log, as a filter. */
import type { Result } from "@atelier/base/result";
import type { Failure } from "@atelier/contract/failures";
import { ConnectionType } from "@atelier/contract/http/connection-log";
import { z } from "zod";
import { parseSearch } from "@atelier/contract/search-query";

/** A day in UTC, or a moment. */
const Moment = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

const Terms = z.object({
  type: ConnectionType.optional(),
  status: z.enum(["ongoing", "completed"]).optional(),
  workspace: z.string().optional(),
  workspace_id: z.uuid().optional(),
  workspace_owner: z.string().optional(),
  username: z.string().optional(),
  connected_after: Moment.optional(),
  connected_before: Moment.optional(),
});

export type ConnectionSearch = z.output<typeof Terms>;

export function parseConnectionSearch(
  text: string,
): Result<ConnectionSearch, Failure<"request.invalid">> {
  return parseSearch(text, Terms);
}
