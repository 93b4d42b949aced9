/** The filters of usage, as people choose them and as the server reads them. */
import { quotedTerm } from "../gateway/session-search.ts";
import type { UsageDimension } from "@atelier/contract/http/ai-costs";

export type UsageBy = Exclude<UsageDimension, "day">;

/** What usage is told apart by, and the filter that a value of it becomes. */
export const USAGE_BY: readonly {
  readonly value: UsageBy;
  readonly label: string;
  readonly filter: UsageFilter;
}[] = [
  { value: "model", label: "Model", filter: "model" },
  { value: "user", label: "Person", filter: "initiator" },
  { value: "client", label: "Client", filter: "client" },
  { value: "provider", label: "Provider", filter: "provider_name" },
];

/** In the order in which they are shown. */
export const USAGE_FILTERS = [
  { name: "initiator", label: "Person" },
  { name: "model", label: "Model" },
  { name: "client", label: "Client" },
  { name: "provider_name", label: "Provider" },
  { name: "credential_kind", label: "Keys" },
] as const;
export type UsageFilter = (typeof USAGE_FILTERS)[number]["name"];

type Chosen = Readonly<Record<string, string | undefined>>;

/** The server's `q`. Undefined: nothing is chosen. */
export function usageQuery(chosen: Chosen): string | undefined {
  const terms = chosenFilters(chosen).map(({ name, value }) => `${name}:${quotedTerm(value)}`);
  return terms.length === 0 ? undefined : terms.join(" ");
}

export function chosenFilters(
  chosen: Chosen,
): readonly { readonly name: UsageFilter; readonly label: string; readonly value: string }[] {
  return USAGE_FILTERS.flatMap(({ name, label }) => {
    const value = chosen[name] ?? "";
    return value === "" ? [] : [{ name, label, value }];
  });
}

/** A person without a wider role is everywhere the only one. */
export function offeredBy(seesAll: boolean): typeof USAGE_BY {
  return seesAll ? USAGE_BY : USAGE_BY.filter(({ value }) => value !== "user");
}
