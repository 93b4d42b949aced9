/**
 * Files in a workspace. Paths are absolute, or begin with `~/`; `root` keeps a call inside a
 * directory, also through symlinks. Writes are atomic: readers see the old or the new file.
 */
import { z } from "zod";
import { MaybeEffect, Replayed } from "./effect.ts";
import { operations, type ServiceOf } from "./operation.ts";

const Path = z
  .string()
  .min(1)
  .max(4_096)
  .regex(/^[^\0]+$/);

/** Empty: anywhere the agent's user may. */
const Root = z.string().max(4_096).default("");

/** Limits of one answer with lines: longer files are read in pieces. */
export const READ_LINES_MAX = 2_000;
export const READ_LINE_BYTES_MAX = 8 * 1024;
export const READ_ANSWER_BYTES_MAX = 256 * 1024;
/** Lines after the ones that are shown are counted up to here. */
export const READ_COUNTED_BYTES_MAX = 512 * 1024 * 1024;
export const EDIT_FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Of all files of one call together. */
export const EDIT_CALL_BYTES_MAX = 64 * 1024 * 1024;
/** Of all diffs of one answer together: what is longer is cut, and says so in its last line. */
export const EDIT_DIFF_BYTES_MAX = 256 * 1024;

export const FileInfo = z.object({
  /** Absolute, with symlinks as they were named. */
  path: z.string(),
  name: z.string(),
  kind: z.enum(["file", "directory", "symlink", "other"]),
  size: z.number(),
  /** Permission bits, such as 0o644. */
  mode: z.number().int(),
  modifiedAt: z.iso.datetime(),
  /** Where a symlink leads. Null for others, and where it leads nowhere or out of the root. */
  target: z.string().nullable(),
});
export type FileInfo = z.infer<typeof FileInfo>;

export const FileEdit = z.object({
  path: Path,
  oldText: z.string().min(1),
  newText: z.string(),
  /** False: `oldText` must stand there exactly once. */
  replaceAll: z.boolean().default(false),
});

export const FILE_OPERATIONS = operations({
  /** Of a symlink itself, not of where it leads. */
  stat: { kind: "call", input: z.object({ path: Path, root: Root }), output: FileInfo },
  /** Directories first, each sorted by name in code point order. */
  list: {
    kind: "call",
    input: z.object({
      path: Path,
      root: Root,
      limit: z.number().int().min(1).max(10_000).default(1_000),
      /** `next` of the page before. Empty: the first page. */
      after: z.string().max(4_096).default(""),
    }),
    /** `next` is null on the last page. */
    output: z.object({ entries: z.array(FileInfo), next: z.string().nullable() }),
  },
  /** Through symlinks. Read the bytes to their end, stop the iterator, or abort the call. */
  readBytes: {
    kind: "download",
    input: z.object({
      path: Path,
      root: Root,
      offset: z.number().int().min(0).default(0),
      /** Null: to the end. */
      length: z.number().int().min(0).nullable().default(null),
    }),
    output: FileInfo,
  },
  /**
   * For models: numbered lines. Lines and answers beyond the limits are cut, and it says so. A binary
   * file has no lines.
   */
  readLines: {
    kind: "call",
    input: z.object({
      path: Path,
      root: Root,
      /** 1: the first. */
      fromLine: z.number().int().min(1).default(1),
      lines: z.number().int().min(1).max(READ_LINES_MAX).default(READ_LINES_MAX),
    }),
    output: z.object({
      /** Each line as `<number>\t<text>\n`. */
      content: z.string(),
      fileSize: z.number(),
      linesRead: z.number(),
      /** Null: the file is so long that its lines were not counted. */
      totalLines: z.number().nullable(),
      /** What was left out, for the reader. Empty: nothing. */
      note: z.string(),
    }),
  },
  /**
   * Replaces a file or makes it, with the directories above. Keeps the mode of one that exists, and its
   * owner where the agent may give files away. Through a symlink: where it leads is replaced.
   */
  write: {
    kind: "upload",
    input: z.object({
      path: Path,
      root: Root,
      /** Of a new file; null: by the agent's umask. Given for one that exists, it changes it. */
      mode: z.number().int().min(0).max(0o7777).nullable().default(null),
      /** `never`: an existing file is a failure. */
      overwrite: z.enum(["always", "never"]).default("always"),
      effect: MaybeEffect,
    }),
    output: Replayed.extend({ file: FileInfo }),
  },
  /**
   * All or nothing: when one edit does not fit, no file changes and the failure says which and why.
   * White space and indentation may differ from `oldText`; the file's own, and its line ends, stay.
   * Edits of one file apply in their order. Only UTF-8 text.
   */
  edit: {
    kind: "call",
    input: z.object({ edits: z.array(FileEdit).min(1).max(256), root: Root, effect: MaybeEffect }),
    output: Replayed.extend({ files: z.array(z.object({ path: z.string(), diff: z.string() })) }),
  },
  /** With those above it. One that exists is a success. */
  makeDirectory: {
    kind: "call",
    input: z.object({ path: Path, root: Root, effect: MaybeEffect }),
    output: Replayed.extend({ directory: FileInfo }),
  },
  /** `to` must not exist. Symlinks themselves, never where they lead. */
  rename: {
    kind: "call",
    input: z.object({ from: Path, to: Path, root: Root, effect: MaybeEffect }),
    output: Replayed.extend({ file: FileInfo }),
  },
  /** A directory only with `recursive`. Symlinks themselves, never where they lead. */
  remove: {
    kind: "call",
    input: z.object({
      path: Path,
      root: Root,
      recursive: z.boolean().default(false),
      effect: MaybeEffect,
    }),
    output: Replayed,
  },
  /**
   * First `ready`, then changes below a directory, gathered over a short time. `overflow`: look yourself.
   * What is inside of `.git` and `node_modules` is left out, unless `path` itself is inside. Ends when
   * the directory goes away.
   */
  watch: {
    kind: "events",
    input: z.object({ path: Path, root: Root, recursive: z.boolean().default(true) }),
    output: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("ready") }),
      z.object({ kind: z.literal("changed"), paths: z.array(z.string()) }),
      z.object({ kind: z.literal("overflow") }),
    ]),
  },
});

export type WorkspaceFiles = ServiceOf<typeof FILE_OPERATIONS>;
