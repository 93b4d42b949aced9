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
export const EDIT_FILE_BYTES_MAX = 16 * 1024 * 1024;

export const FileInfo = z.object({
  /** Absolute, with symlinks as they were named. */
  path: z.string(),
  name: z.string(),
  kind: z.enum(["file", "directory", "symlink", "other"]),
  size: z.number(),
  /** Permission bits, such as 0o644. */
  mode: z.number().int(),
  modifiedAt: z.iso.datetime(),
  /** Where a symlink leads. Null for others, and where it leads nowhere. */
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
  stat: { kind: "call", input: z.object({ path: Path, root: Root }), output: FileInfo },
  /** Sorted by name, directories first. Key paging by the last name. */
  list: {
    kind: "call",
    input: z.object({
      path: Path,
      root: Root,
      limit: z.number().int().min(1).max(10_000).default(1_000),
      afterName: z.string().default(""),
    }),
    output: z.object({ entries: z.array(FileInfo), hasMore: z.boolean() }),
  },
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
  /** For models: numbered lines. Lines and answers beyond the limits are cut, and it says so. */
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
      totalLines: z.number(),
      /** What was left out, for the reader. Empty: nothing. */
      note: z.string(),
    }),
  },
  /** Replaces a file or makes it, with the directories above. Keeps the mode of one that exists. */
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
   */
  edit: {
    kind: "call",
    input: z.object({ edits: z.array(FileEdit).min(1).max(256), root: Root, effect: MaybeEffect }),
    output: Replayed.extend({ files: z.array(z.object({ path: z.string(), diff: z.string() })) }),
  },
  makeDirectory: {
    kind: "call",
    input: z.object({ path: Path, root: Root, effect: MaybeEffect }),
    output: Replayed.extend({ directory: FileInfo }),
  },
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
  /** First `ready`, then changes below a directory, gathered over a short time. `overflow`: look yourself. */
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
