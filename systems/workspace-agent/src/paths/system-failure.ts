/** What the machine's refusals mean to a caller. */
import type { Result } from "@atelier/base/result";
import type {
  WorkspaceFailure,
  WorkspaceFailureCode,
} from "@atelier/contract/rpc/workspace/operation";

type Meaning = { readonly code: WorkspaceFailureCode; readonly says: string };

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOENT: { code: "not_found", says: "does not exist" },
  EEXIST: { code: "already_exists", says: "exists already" },
  ENOTDIR: { code: "not_a_directory", says: "is not a directory, or lies below a file" },
  EISDIR: { code: "not_a_file", says: "is a directory" },
  ENXIO: { code: "not_a_file", says: "is not a regular file" },
  EAGAIN: { code: "not_a_file", says: "has nothing to read now: it is not a regular file" },
  EACCES: { code: "permission_denied", says: "may not be used by the agent's user" },
  EPERM: { code: "permission_denied", says: "may not be changed by the agent's user" },
  EROFS: { code: "permission_denied", says: "lies on a read-only file system" },
  ENOSPC: { code: "no_space", says: "does not fit: no space is left" },
  EDQUOT: { code: "no_space", says: "does not fit: the quota is used up" },
  EFBIG: { code: "too_large", says: "would be too large for the file system" },
  ENAMETOOLONG: { code: "invalid", says: "is too long" },
  ELOOP: { code: "invalid", says: "leads through too many symlinks" },
  EINVAL: { code: "invalid", says: "is not possible here" },
  ENOTEMPTY: { code: "conflict", says: "is not empty" },
  EXDEV: { code: "unsupported", says: "lies on another file system" },
  EBUSY: { code: "busy", says: "is in use" },
  EMFILE: { code: "busy", says: "cannot be opened: too many files are open" },
  ENFILE: { code: "busy", says: "cannot be opened: too many files are open" },
  ETIMEDOUT: { code: "timed_out", says: "did not answer in time" },
};

/** Null: it is no refusal of the machine, but a bug or somebody's abort. */
export function systemFailure(error: unknown, path: string): WorkspaceFailure | null {
  if (!(error instanceof Error) || !("syscall" in error)) return null;
  const code = errorCode(error) ?? "unknown";
  const meaning = MEANINGS[code];
  if (meaning === undefined) return { code: "failed", message: `${path}: ${code}.` };
  return { code: meaning.code, message: `${path} ${meaning.says}.` };
}

/** The machine's own name of an error, such as `ENOENT`. */
export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}

/** Work whose refusals by the machine become failures; everything else goes on up. */
export async function tried<Value>(
  path: string,
  work: () => Promise<Result<Value, WorkspaceFailure>>,
): Promise<Result<Value, WorkspaceFailure>> {
  try {
    return await work();
  } catch (error) {
    const failure = systemFailure(error, path);
    if (failure === null) throw error;
    return { ok: false, failure };
  }
}

/** A value, or null where there is nothing of that name. */
export async function orAbsent<Value>(found: Promise<Value>): Promise<Value | null> {
  try {
    return await found;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw error;
  }
}
