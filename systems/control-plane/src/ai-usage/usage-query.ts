/** What a list of usage is narrowed to: the search text of the endpoints, read (spec gateway 9.5). */
import { fail, ok, type Result } from "@atelier/base/result";
import type { Validation } from "@atelier/contract/failures";
import { z } from "zod";
import { parseSearchQuery } from "@atelier/contract/search-query";

/** Null: not narrowed by it. */
export type UsageFilter = {
  /** `me`, a user id or a username, not looked up yet. */
  readonly initiator: string | null;
  readonly provider: string | null;
  readonly providerName: string | null;
  readonly model: string | null;
  readonly client: string | null;
  readonly sessionId: string | null;
  readonly startedAfter: Date | null;
  readonly startedBefore: Date | null;
};

const KEYS = [
  "initiator",
  "provider",
  "provider_name",
  "model",
  "client",
  "session_id",
  "started_after",
  "started_before",
] as const;

const Time = z.iso.datetime({ offset: true });

export function parseUsageFilter(
  text: string | undefined,
): Result<UsageFilter, readonly Validation[]> {
  const parsed = parseSearchQuery(text ?? "", KEYS);
  if (!parsed.ok) return parsed;
  const terms = parsed.value;
  const mistakes = (["started_after", "started_before"] as const).flatMap((key) => {
    const value = terms.get(key);
    const isTime = value === undefined || Time.safeParse(value).success;
    return isTime ? [] : [{ field: "q", detail: `"${key}" is not a time as in RFC 3339.` }];
  });
  if (mistakes.length > 0) return fail(mistakes);
  const time = (value: string | undefined): Date | null =>
    value === undefined ? null : new Date(value);
  return ok({
    ...whoAndWhatOf(terms),
    sessionId: terms.get("session_id") ?? null,
    startedAfter: time(terms.get("started_after")),
    startedBefore: time(terms.get("started_before")),
  });
}

/** What sums of usage are narrowed to. Null: not narrowed by it. */
export type TotalsFilter = Pick<
  UsageFilter,
  "initiator" | "provider" | "providerName" | "model" | "client"
> & { readonly credentialKind: string | null };

const TOTALS_KEYS = [
  "initiator",
  "provider",
  "provider_name",
  "model",
  "client",
  "credential_kind",
] as const;

export function parseTotalsFilter(
  text: string | undefined,
): Result<TotalsFilter, readonly Validation[]> {
  const parsed = parseSearchQuery(text ?? "", TOTALS_KEYS);
  if (!parsed.ok) return parsed;
  const terms = parsed.value;
  return ok({ ...whoAndWhatOf(terms), credentialKind: terms.get("credential_kind") ?? null });
}

type WhoAndWhat = "initiator" | "provider" | "provider_name" | "model" | "client";

function whoAndWhatOf(terms: {
  get(key: WhoAndWhat): string | undefined;
}): Omit<TotalsFilter, "credentialKind"> {
  return {
    initiator: terms.get("initiator") ?? null,
    provider: terms.get("provider") ?? null,
    providerName: terms.get("provider_name") ?? null,
    model: terms.get("model") ?? null,
    client: terms.get("client") ?? null,
  };
}

/** A cursor where two people used the same session id: `<user id>/<session id>`. */
export function splitSessionCursor(
  text: string,
): { readonly initiatorId: string; readonly sessionId: string } | null {
  const match = /^([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})\/(.+)$/s.exec(text);
  const [, initiatorId, sessionId] = match ?? [];
  return initiatorId === undefined || sessionId === undefined ? null : { initiatorId, sessionId };
}
