/**
 * What a repository's configuration says that matters here: where its remotes are, and which programs
 * it would have run on contents. Those are its own choice and not the user's, so they are switched off.
 */
export type GitConfig = {
  /** `remote.origin.url` → values; the last one counts. Keys as git prints them. */
  readonly values: ReadonlyMap<string, string>;
  /** Names of filters that the repository itself configures. */
  readonly ownFilters: readonly string[];
};

/** Output of `git config --list --show-scope -z`: scope, NUL, key, newline, value, NUL, … */
export function parseGitConfig(output: string): GitConfig {
  const values = new Map<string, string>();
  const ownFilters = new Set<string>();
  const parts = output.split("\0");
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const [scope, entry = ""] = [parts[i], parts[i + 1]];
    const newline = entry.indexOf("\n");
    const key = newline === -1 ? entry : entry.slice(0, newline);
    values.set(key, newline === -1 ? "" : entry.slice(newline + 1));
    const filter = /^filter\.(.+)\.(?:clean|smudge|process)$/s.exec(key)?.[1];
    const isOwn = scope === "local" || scope === "worktree";
    if (isOwn && filter !== undefined) ownFilters.add(filter);
  }
  return { values, ownFilters: [...ownFilters] };
}

/** Options that make git look at contents as they are. */
export function withoutFilters(filters: readonly string[]): string[] {
  return filters.flatMap((name) =>
    ["clean=", "smudge=", "process=", "required=false"].flatMap((setting) => [
      "-c",
      `filter.${name}.${setting}`,
    ]),
  );
}

/** Of the upstream's remote, else of `origin`; null where there is none. */
export function remoteUrlOf(
  { values }: GitConfig,
  state: { readonly branch: string | null },
): string | null {
  const remote = values.get(`branch.${state.branch ?? ""}.remote`) ?? "origin";
  const url = values.get(`remote.${remote}.url`) ?? values.get("remote.origin.url");
  return url === undefined ? null : withoutCredentials(url);
}

/** People put tokens into URLs; whoever sees the state of a repository is not meant to. */
function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*(?:@[^/@]*)*@/i, (whole, scheme: string) =>
    // The user of ssh is part of the address.
    /^(?:git\+)?ssh:/i.test(scheme) ? whole.replace(/:[^:@/]*@$/, "@") : scheme,
  );
}
