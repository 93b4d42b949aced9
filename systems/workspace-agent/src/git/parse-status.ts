/** Reads `git status --porcelain=v2 -z --branch` and `git diff --numstat -z`. */
export type GitStatus = {
  readonly branch: string | null;
  readonly commit: string | null;
  readonly upstream: string | null;
  readonly ahead: number;
  readonly behind: number;
  readonly files: readonly StatusFile[];
};

export type StatusFile = {
  readonly path: string;
  readonly status: string;
  readonly from: string | null;
};

export type LineCounts = {
  readonly added: number;
  readonly removed: number;
  readonly isBinary: boolean;
};

/** An output that was cut is read as far as it is whole. */
export function parseStatus(output: string): GitStatus {
  const heads = new Map<string, string>();
  const files: StatusFile[] = [];
  const records = output.split("\0").slice(0, -1);
  for (let i = 0; i < records.length; i += 1) {
    const record = records[i] ?? "";
    const kind = record.slice(0, 2);
    if (kind === "# ") {
      const [, key = "", value = ""] = /^# (\S+) (.*)$/s.exec(record) ?? [];
      heads.set(key, value);
    } else if (kind === "? ") {
      files.push({ path: record.slice(2), status: "??", from: null });
    } else if (kind === "1 ") files.push(toFile(record, 8));
    else if (kind === "u ") files.push(toFile(record, 10));
    else if (kind === "2 ") {
      i += 1;
      files.push({ ...toFile(record, 9), from: records[i] ?? null });
    }
  }
  const [, ahead = "0", behind = "0"] = /^\+(\d+) -(\d+)$/.exec(heads.get("branch.ab") ?? "") ?? [];
  const [branch, commit] = [heads.get("branch.head"), heads.get("branch.oid")];
  return {
    branch: branch === undefined || branch === "(detached)" ? null : branch,
    commit: commit === undefined || commit === "(initial)" ? null : commit,
    upstream: heads.get("branch.upstream") ?? null,
    ahead: Number(ahead),
    behind: Number(behind),
    files,
  };
}

/** The path is what follows so many fields, and may hold spaces. */
function toFile(record: string, fields: number): StatusFile {
  let at = 0;
  for (let i = 0; i < fields; i += 1) at = record.indexOf(" ", at) + 1;
  return { path: record.slice(at), status: record.slice(2, 4).replaceAll(".", " "), from: null };
}

/** By the path that a file has now. */
export function parseNumstat(output: string): ReadonlyMap<string, LineCounts> {
  const counts = new Map<string, LineCounts>();
  const records = output.split("\0").slice(0, -1);
  for (let i = 0; i < records.length; i += 1) {
    const [, added = "", removed = "", named = ""] =
      /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(records[i] ?? "") ?? [];
    let path = named;
    if (named === "") {
      // A rename: the old and the new path follow.
      path = records[i + 2] ?? "";
      i += 2;
    }
    const isBinary = added === "-";
    counts.set(path, {
      added: isBinary ? 0 : Number(added),
      removed: isBinary ? 0 : Number(removed),
      isBinary,
    });
  }
  return counts;
}
