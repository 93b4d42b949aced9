/**
 * As whom the embedded Postgres runs. Postgres refuses to be root, so a server that is root gives its
 * Postgres to an unprivileged user; everybody else's Postgres runs as themselves.
 */
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

export type ServerUser = {
  readonly uid: number;
  readonly gid: number;
  /** Whether this is another user than the one this process runs as. */
  readonly isOther: boolean;
};

/** Preferred first. initdb insists on a user with a name. */
const UNPRIVILEGED_NAMES = ["postgres", "nobody"];

/** `ownerUid`: who owns the data directory already, or null when there is none. */
export function chooseServerUser(ownerUid: number | null): ServerUser {
  // Systems without numbers for users have no root either.
  const uid = process.getuid?.() ?? -1;
  const gid = process.getgid?.() ?? -1;
  if (uid !== 0) return { uid, gid, isOther: false };
  const users = listUsers();
  const user =
    ownerUid === null || ownerUid === 0
      ? UNPRIVILEGED_NAMES.map((name) => users.find((other) => other.name === name)).find(
          (found) => found !== undefined,
        )
      : users.find((other) => other.uid === ownerUid);
  if (user === undefined) {
    throw new Error(
      "the embedded Postgres cannot run as root, and there is no user for it: " +
        "add a user named postgres, or start Atelier as a user that is not root",
    );
  }
  return { uid: user.uid, gid: user.gid, isOther: true };
}

/** Whether the user may enter `directory` and each directory above it. Judges permission bits only. */
export function mayReach(user: ServerUser, directory: string): boolean {
  if (!user.isOther) return true;
  for (let path = directory; ; path = dirname(path)) {
    const { uid, gid, mode } = statSync(path);
    const mayEnter = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & mayEnter) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

function listUsers(): readonly { name: string; uid: number; gid: number }[] {
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  return lines.map((line) => {
    const [name = "", , uid = "", gid = ""] = line.split(":");
    return { name, uid: Number(uid), gid: Number(gid) };
  });
}
