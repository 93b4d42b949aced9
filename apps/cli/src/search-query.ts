/** The `q` of the API's lists: `key:value` terms. What is not plain is quoted and escaped. */
import { InvalidArgumentError } from "commander";
import { parseDurationMs } from "@atelier/base/duration";
import type { OptionSpec } from "./command.ts";

/** Undefined when no term has a value. */
export function searchQuery(
  terms: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const given = Object.entries(terms).filter(
    (term): term is [string, string] => term[1] !== undefined,
  );
  return given.length === 0
    ? undefined
    : given.map(([key, value]) => `${key}:${quoted(value)}`).join(" ");
}

function quoted(value: string): string {
  return /^[\w.:@+-]+$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** How long ago, or a date: what `--since` and `--until` take. */
export type Moment = { readonly agoMs: number } | { readonly date: Date };

export function momentOption(flags: string, description: string): OptionSpec<Moment | undefined> {
  return {
    flags,
    description: `${description}: a date, or how long ago, such as 24h`,
    choices: null,
    isRepeatable: false,
    parse: parseMoment,
    valueOf: (raw) => raw as Moment | undefined, // parse() made it.
  };
}

/** ISO 8601; undefined stays undefined. */
export function isoTimeOf(moment: Moment | undefined, now: Date): string | undefined {
  if (moment === undefined) return undefined;
  const date = "date" in moment ? moment.date : new Date(now.getTime() - moment.agoMs);
  return date.toISOString();
}

function parseMoment(text: string): Moment {
  const agoMs = parseDurationMs(text);
  if (agoMs !== null) return { agoMs };
  const date = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : null;
  if (date !== null && !Number.isNaN(date.getTime())) return { date };
  throw new InvalidArgumentError("A date such as 2026-01-31T12:00:00Z, or a duration such as 24h.");
}
