/**
 * Terminals in a workspace. A terminal outlives its viewers: whoever attaches gets the screen exactly
 * as it is, the alternate screen included, and everything after it. Many may look and type at once.
 */
import { z } from "zod";
import { operations, type ServiceOf } from "./operation.ts";

const Size = {
  columns: z.number().int().min(1).max(1_000),
  rows: z.number().int().min(1).max(1_000),
};

/** Chosen by the client, so that it finds its terminal again. */
const TerminalId = z.uuid();

export const TerminalInfo = z.object({
  id: TerminalId,
  command: z.string(),
  pid: z.number().int(),
  ...Size,
  viewers: z.number().int(),
  title: z.string(),
  startedAt: z.iso.datetime(),
  state: z.enum(["running", "exited"]),
  exitCode: z.number().int().nullable(),
});
export type TerminalInfo = z.infer<typeof TerminalInfo>;

export const TERMINAL_OPERATIONS = operations({
  /**
   * Attaches to the terminal of this id, and starts it where there is none. Incoming bytes are the
   * screen as a sequence that restores it, then the live output; outgoing bytes are typed. The
   * channel ends when the program ended; ending it detaches and leaves the terminal running.
   */
  attach: {
    kind: "channel",
    input: z.object({
      id: TerminalId,
      ...Size,
      /** Empty: the user's login shell. Only for a terminal that does not exist yet. */
      command: z
        .string()
        .max(128 * 1024)
        .default(""),
      workingDirectory: z.string().default(""),
      environment: z.record(z.string(), z.string()).default({}),
      /** False: a failure `not_found` where there is none. */
      mayStart: z.boolean().default(true),
    }),
    output: TerminalInfo.extend({ isNew: z.boolean() }),
  },
  /** The latest size of any viewer counts. */
  resize: { kind: "call", input: z.object({ id: TerminalId, ...Size }), output: z.object({}) },
  list: {
    kind: "call",
    input: z.object({}),
    output: z.object({ terminals: z.array(TerminalInfo) }),
  },
  close: { kind: "call", input: z.object({ id: TerminalId }), output: z.object({}) },
});

export type WorkspaceTerminals = ServiceOf<typeof TERMINAL_OPERATIONS>;
