/**
 * Where the dumps of a call lie below the dump directory (spec gateway 10.6). Providers are named by
 * administrators, models and paths by clients: whatever they hold, a name here is one harmless
 * component of a path.
 */

/** Long enough for every real name, short enough for every file system together with what follows. */
const COMPONENT_LENGTH_MAX = 120;

export type InterceptionDump = {
  readonly provider: string;
  readonly model: string;
  readonly interceptionId: string;
  readonly startedAt: Date;
};

export type PassthroughDump = {
  readonly provider: string;
  /** After the provider's name, without the query. */
  readonly path: string;
  readonly startedAt: Date;
  /** A few random characters: calls of one millisecond must not meet. */
  readonly salt: string;
};

/** The path of an interception's files without their suffixes. */
export function interceptionDumpPath(dump: InterceptionDump): string {
  const { provider, model, interceptionId, startedAt } = dump;
  const base = `${startedAt.getTime()}-${toComponent(interceptionId)}`;
  return `${toComponent(provider)}/${toComponent(model)}/${base}`;
}

/** The path of a passthrough call's files without their suffixes. */
export function passthroughDumpPath({ provider, path, startedAt, salt }: PassthroughDump): string {
  const base = `${startedAt.getTime()}-${toComponent(path.replace(/^\/+/, ""))}-${salt}`;
  return `${toComponent(provider)}/passthrough/${base}`;
}

/** An interception's attempts after the first say which they are. */
export function attemptSuffix(attempt: number): string {
  return attempt === 1 ? "" : `.attempt-${attempt}`;
}

function toComponent(name: string): string {
  const safe = name
    .replaceAll("/", "-")
    .replaceAll(/[^A-Za-z0-9._:@+=,-]/g, "_")
    // Neither the directory itself, nor the one above, nor hidden.
    .replace(/^\./, "_")
    .slice(0, COMPONENT_LENGTH_MAX);
  return safe === "" ? "unknown" : safe;
}
