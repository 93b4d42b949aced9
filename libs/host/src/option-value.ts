/**
 * One option value: from text as people write it, and back. Pure.
 *
 * What is wrong with a value is said as the end of a sentence that begins with where the value was
 * found. A secret is never quoted, not even a wrong one.
 */
import { formatDurationMs, parseDurationMs } from "@atelier/base/duration";
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import type { Address, Option, OptionValue } from "./option.ts";

/** Text from a flag or the environment; a YAML file can also give several. */
export type RawValue = string | readonly string[];

export function parseOptionValue(option: Option, raw: RawValue): Result<OptionValue, string> {
  if (option.kind === "list" || option.kind === "secrets") return parseItems(option, itemsOf(raw));
  if (typeof raw !== "string") return fail("takes one value, not a list");
  return parseSingle(option, raw.trim());
}

/** The value that holds when nobody says anything. A default that does not parse is our bug. */
export function defaultOf(option: Option): OptionValue {
  if (option.default === null) return null;
  if (option.kind === "int" || option.kind === "bool") return option.default;
  const raw = typeof option.default === "string" ? option.default : [...option.default];
  const parsed = parseOptionValue(option, raw);
  if (!parsed.ok) throw new Error(`the default of option ${option.name} ${parsed.failure}`);
  return parsed.value;
}

/** For people. Secrets read `[secret]`; null when there is no value. */
export function printOptionValue(option: Option, value: OptionValue): string | null {
  if (value === null) return null;
  if (option.kind === "duration") return formatDurationMs(Number(value));
  if (Array.isArray(value)) {
    return value.length === 0 ? null : value.map((item) => String(item)).join(", ");
  }
  if (isAddress(value)) return formatAddress(value);
  return String(value);
}

/** As `parseOptionValue` reads it. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function isAddress(value: OptionValue): value is Address {
  return typeof value === "object" && value !== null && "port" in value;
}

function itemsOf(raw: RawValue): readonly string[] {
  const items = typeof raw === "string" ? raw.split(/[,\n]/) : raw;
  return items.map((item) => item.trim()).filter((item) => item !== "");
}

function parseItems(
  option: Extract<Option, { kind: "list" | "secrets" }>,
  items: readonly string[],
): Result<OptionValue, string> {
  for (const [index, item] of items.entries()) {
    const problem = option.check?.(item) ?? null;
    const shown = option.kind === "secrets" ? `item ${index + 1}` : JSON.stringify(item);
    if (problem !== null) return fail(`${shown} ${problem}`);
  }
  const values = option.kind === "secrets" ? items.map((item) => new Secret(item)) : items;
  return ok(Object.freeze([...values]) as OptionValue); // All of one kind: the line above says so.
}

function parseSingle(
  option: Exclude<Option, { kind: "list" | "secrets" }>,
  text: string,
): Result<OptionValue, string> {
  switch (option.kind) {
    case "string":
      return checked(text, option.check, text);
    case "int":
      return parseInteger(option, text);
    case "bool":
      return parseBoolean(text);
    case "duration":
      return parseDuration(option, text);
    case "address":
      return text === "" && option.optional === true ? ok(null) : parseAddress(text);
    case "url":
      return parseUrl(text);
    case "secret":
      return checked(text, option.check, new Secret(text));
    case "choice":
      return option.choices.includes(text)
        ? ok(text)
        : fail(`${JSON.stringify(text)} is not one of ${option.choices.join(", ")}`);
  }
}

function checked(
  text: string,
  check: ((text: string) => string | null) | undefined,
  value: OptionValue,
): Result<OptionValue, string> {
  if (text === "") return fail("is empty");
  const problem = check?.(text) ?? null;
  return problem === null ? ok(value) : fail(problem);
}

function parseInteger(
  { min, max }: { readonly min: number; readonly max: number },
  text: string,
): Result<number, string> {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (min <= value && value <= max) return ok(value);
  return fail(`${JSON.stringify(text)} is not a whole number from ${min} to ${max}`);
}

function parseBoolean(text: string): Result<boolean, string> {
  const word = text.toLowerCase();
  if (["true", "1", "yes", "on"].includes(word)) return ok(true);
  if (["false", "0", "no", "off"].includes(word)) return ok(false);
  return fail(`${JSON.stringify(text)} is neither true nor false`);
}

function parseDuration(
  { minMs }: { readonly minMs?: number },
  text: string,
): Result<number, string> {
  const valueMs = parseDurationMs(text);
  if (valueMs === null) {
    return fail(
      `${JSON.stringify(text)} is not a duration; write it like 500ms, 90s, 15m, 24h, 7d`,
    );
  }
  if (minMs !== undefined && valueMs < minMs) {
    return fail(`${JSON.stringify(text)} is shorter than ${formatDurationMs(minMs)}`);
  }
  return ok(valueMs);
}

function parseAddress(text: string): Result<Address, string> {
  const match = /^(?:\[(?<ipv6>[0-9a-fA-F:.%]+)\]|(?<host>[^\s:/[\]]*)):(?<port>\d{1,5})$/.exec(
    text,
  );
  const port = Number(match?.groups?.["port"] ?? Number.NaN);
  if (match === null || port > 65_535) {
    return fail(`${JSON.stringify(text)} is not an address; write it like 127.0.0.1:3000`);
  }
  const host = match.groups?.["ipv6"] ?? match.groups?.["host"] ?? "";
  return ok(Object.freeze({ host, port }));
}

/** Never quotes the text: it may hold a password. */
function parseUrl(text: string): Result<string, string> {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    return fail("is not an http or https URL, such as https://atelier.example.com");
  }
  if (url.username !== "" || url.password !== "") return fail("must not hold a user or password");
  if (url.search !== "" || url.hash !== "") return fail("must not hold a query or fragment");
  return ok(url.href.replace(/\/+$/, ""));
}
