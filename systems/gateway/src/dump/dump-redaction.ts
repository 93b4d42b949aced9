/**
 * What a dump shows of credentials: their masked form (spec gateway 5.7, 10.6), and the credentials
 * themselves for whoever has to keep them out of the rest.
 */
import { maskCredential } from "@atelier/base/mask";

/** Lower-case names. The governance header never goes upstream; it is here in case it ever does. */
const REQUEST_SECRETS: ReadonlySet<string> = new Set([
  "authorization",
  "x-api-key",
  "api-key",
  "x-auth-token",
  "x-goog-api-key",
  "cookie",
  "proxy-authorization",
  "x-amz-security-token",
  "x-coder-ai-governance-token",
  "coder-session-token",
]);

const ANSWER_SECRETS: ReadonlySet<string> = new Set([
  "set-cookie",
  "www-authenticate",
  "proxy-authenticate",
]);

/** Names of query parameters that hold credentials, of whichever provider. */
const QUERY_SECRETS =
  /^(?:key|api[-_]?key|access[-_]?token|token|sig|x-amz-(?:signature|credential|security-token))$/i;

export type HeaderLine = readonly [name: string, value: string];

/** Sorted by name; several of one name keep their order. */
export function requestHeaderLines(rawHeaders: readonly string[]): HeaderLine[] {
  return headerLines(rawHeaders, REQUEST_SECRETS);
}

export function answerHeaderLines(rawHeaders: readonly string[]): HeaderLine[] {
  return headerLines(rawHeaders, ANSWER_SECRETS);
}

/** Path and query, with credentials in the query masked. */
export function redactTarget(target: string): string {
  const queryAt = target.indexOf("?");
  if (queryAt === -1) return target;
  const parts = target.slice(queryAt + 1).split("&");
  const shown = parts.map((part) => {
    const [name, value] = splitOnce(part, "=");
    return value !== undefined && QUERY_SECRETS.test(name)
      ? `${name}=${maskCredential(value)}`
      : part;
  });
  return `${target.slice(0, queryAt)}?${shown.join("&")}`;
}

/** The credentials that a request carries, without the words before them such as `Bearer`. */
export function credentialsIn(rawHeaders: readonly string[], target: string): string[] {
  const found = new Set<string>();
  for (const [name, value] of pairsOf(rawHeaders)) {
    if (!REQUEST_SECRETS.has(name.toLowerCase())) continue;
    const [, scheme] = splitOnce(value.trim(), " ");
    found.add(scheme === undefined ? value.trim() : scheme.trim());
  }
  const queryAt = target.indexOf("?");
  const query = queryAt === -1 ? [] : target.slice(queryAt + 1).split("&");
  for (const part of query) {
    const [name, value] = splitOnce(part, "=");
    if (value !== undefined && QUERY_SECRETS.test(name)) found.add(value);
  }
  found.delete("");
  return [...found];
}

function headerLines(
  rawHeaders: readonly string[],
  secretNames: ReadonlySet<string>,
): HeaderLine[] {
  return pairsOf(rawHeaders)
    .map(([name, value]): HeaderLine => {
      return [name, secretNames.has(name.toLowerCase()) ? maskCredential(value) : value];
    })
    .toSorted(([a], [b]) => compare(a.toLowerCase(), b.toLowerCase()));
}

function pairsOf(rawHeaders: readonly string[]): HeaderLine[] {
  const pairs: HeaderLine[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    pairs.push([rawHeaders[i] ?? "", rawHeaders[i + 1] ?? ""]);
  }
  return pairs;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
