/**
 * Processes in a workspace. A process belongs to the workspace and not to the call that started it:
 * it goes on when the link breaks and when the agent itself ends or is killed, and its output and
 * result are kept after it ended, until newer ones need the room.
 *
 * Output is kept as head and tail with the middle left out, within a limit. Offsets count all bytes
 * the process wrote, also those that were left out.
 */
import { z } from "zod";
import { MaybeEffect, Replayed } from "./effect.ts";
import { operations, type ServiceOf } from "./operation.ts";

export const PROCESS_SIGNALS = [
  "SIGTERM",
  "SIGKILL",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
] as const;

/** Longest wait of one call; callers ask again. */
export const WAIT_MS_MAX = 300_000;

/** Of a command in lists. */
export const COMMAND_SHOWN_CHARACTERS_MAX = 4_096;

/** The system's strings end at a zero. */
const Text = z.string().regex(/^[^\0]*$/, "holds a zero character");

const ProcessId = z.string().regex(/^[0-9a-z-]{1,64}$/);

export const StartProcess = z.object({
  /** Run by `sh -c` when it is one string; else as it is, without a shell. */
  command: z.union([
    Text.min(1).max(128 * 1024),
    z
      .array(Text)
      .min(1)
      .max(1_024)
      .refine(([program]) => program !== "", "names no program"),
  ]),
  /** Absolute or below the home directory. Empty: the workspace's directory. */
  workingDirectory: Text.max(4_096).default(""),
  /** On top of the agent's own environment for processes. Null takes a variable away. */
  environment: z.record(z.string().regex(/^[^=\0]+$/), Text.nullable()).default({}),
  /**
   * `pipe`: fed by `writeInput`; it ends when the agent does, because nobody could feed it after.
   * `none`: the process reads an end of file.
   */
  input: z.enum(["none", "pipe"]).default("none"),
  /** `combined`: stdout holds both, in the order of writing. */
  output: z.enum(["combined", "separate"]).default("combined"),
  /**
   * Two starts with the same key are one, as long as its process is kept; with another input the
   * second is a `conflict`. Empty: none. Of people; chats stamp an effect.
   */
  idempotencyKey: z.string().max(128).default(""),
  /** Shown in lists: a chat's id, or empty. */
  group: z.string().max(128).default(""),
  effect: MaybeEffect,
});
/** With defaults filled in. */
export type StartProcess = z.output<typeof StartProcess>;

export const ProcessInfo = z.object({
  id: ProcessId,
  /** As a shell would read it, cut to `COMMAND_SHOWN_CHARACTERS_MAX`. */
  command: z.string(),
  workingDirectory: z.string(),
  group: z.string(),
  /** Of the command itself. Null: it was lost before that was known. */
  pid: z.number().int().nullable(),
  /** `lost`: it ended and nobody saw how, because the machine stopped or its keeper was killed. */
  state: z.enum(["running", "exited", "lost"]),
  /** Null while it runs, when a signal ended it, and when it is `lost`. */
  exitCode: z.number().int().nullable(),
  /**
   * The signal that ended it. Shells tell it as 128 plus its number, so a program that itself exits
   * with such a number looks the same.
   */
  signal: z.string().nullable(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  /** All bytes written so far. */
  outputBytes: z.object({ stdout: z.number(), stderr: z.number() }),
});
export type ProcessInfo = z.infer<typeof ProcessInfo>;

const OutputName = z.enum(["stdout", "stderr"]);

export const PROCESS_OPERATIONS = operations({
  start: {
    kind: "call",
    input: StartProcess,
    output: Replayed.extend({ process: ProcessInfo }),
  },
  get: { kind: "call", input: z.object({ id: ProcessId }), output: ProcessInfo },
  /** Newest first; running ones before ended ones. */
  list: {
    kind: "call",
    input: z.object({
      group: z.string().max(128).optional(),
      limit: z.number().int().min(1).max(1_000).default(100),
    }),
    output: z.object({ processes: z.array(ProcessInfo) }),
  },
  /** Answers when the process ended or the time is over, whichever is first. */
  wait: {
    kind: "call",
    input: z.object({ id: ProcessId, timeoutMs: z.number().int().min(0).max(WAIT_MS_MAX) }),
    output: ProcessInfo,
  },
  /**
   * What is kept, cut to a limit, half of it for the head and half for the tail. Cuts never split a
   * character. The bytes of head and tail and those between them make the total.
   */
  output: {
    kind: "call",
    input: z.object({
      id: ProcessId,
      stream: OutputName.default("stdout"),
      maxBytes: z
        .number()
        .int()
        .min(1)
        .max(4 * 1024 * 1024)
        .default(32 * 1024),
    }),
    output: z.object({
      /** Valid UTF-8: what is not is replaced. */
      head: z.string(),
      /** Bytes between head and tail. 0: head is everything. */
      omittedBytes: z.number(),
      tail: z.string(),
      totalBytes: z.number(),
    }),
  },
  /**
   * The raw output from an offset on, live and without gaps, until the process ended. Where not all
   * of that is kept any more it begins later: `fromOffset` says where. A reader so slow that the
   * output is left out before it was read is broken off; it may ask again from where it was.
   */
  follow: {
    kind: "download",
    input: z.object({
      id: ProcessId,
      stream: OutputName,
      offset: z.number().int().min(0).default(0),
    }),
    output: z.object({ fromOffset: z.number() }),
  },
  /**
   * Feeds stdin until the bytes end; `endInput` closes it after them. A `conflict` when it is closed:
   * by an earlier call, by the process, or because the agent was started again since.
   */
  writeInput: {
    kind: "upload",
    input: z.object({ id: ProcessId, endInput: z.boolean().default(true) }),
    output: z.object({ bytes: z.number() }),
  },
  /**
   * To the whole process tree, also what left its session and what outlived the process itself.
   * SIGKILL: all of it is dead when this answers, mostly within milliseconds, or it is a failure.
   */
  signal: {
    kind: "call",
    input: z.object({ id: ProcessId, signal: z.enum(PROCESS_SIGNALS), effect: MaybeEffect }),
    output: Replayed.extend({ process: ProcessInfo }),
  },
});

export type WorkspaceProcesses = ServiceOf<typeof PROCESS_OPERATIONS>;
