/** The filters that the lists of AI use have in common. */
import { textOption } from "./command.ts";
import { isoTimeOf, momentOption, searchQuery, type Moment } from "./search-query.ts";

export const USAGE_FILTERS = {
  user: textOption("--user <user>", "of this user, or `me`"),
  provider: textOption("--provider <name>", "through this model provider"),
  model: textOption("--model <model>", "with this model"),
  client: textOption("--client <client>", "from this client"),
  since: momentOption("--since <when>", "started after"),
  until: momentOption("--until <when>", "started before"),
};

export type UsageFilters = {
  readonly user: string | undefined;
  readonly provider: string | undefined;
  readonly model: string | undefined;
  readonly client: string | undefined;
  readonly since: Moment | undefined;
  readonly until: Moment | undefined;
};

export function usageQuery(
  filters: UsageFilters,
  now: Date,
  sessionId?: string,
): string | undefined {
  return searchQuery({
    initiator: filters.user,
    provider_name: filters.provider,
    model: filters.model,
    client: filters.client,
    session_id: sessionId,
    started_after: isoTimeOf(filters.since, now),
    started_before: isoTimeOf(filters.until, now),
  });
}
