/**
 * Terminals in a workspace. A terminal outlives its viewers: whoever attaches gets the screen exactly
 * as it is, the alternate screen included, and everything after it. Many may look and type at once.
 *
 * A viewer never answers the program's questions (cursor position, device attributes): the agent has
 * answered them already, and takes them out of what viewers get. Only questions about colours, which
 * the agent cannot know, reach one of the viewers.
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
  /** `exited` ones are kept for some minutes, for a last look. */
  state: z.enum(["running", "exited"]),
  /** Null while it runs, and when a signal ended it. */
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
});
export type TerminalInfo = z.infer<typeof TerminalInfo>;

export const TERMINAL_OPERATIONS = operations({
  /**
   * Attaches to the terminal of this id, and starts it where there is none; a running one takes the
   * size given. Incoming bytes are the screen as a sequence that restores it, then the live output,
   * always whole characters and, within reason, whole sequences; outgoing bytes are typed. The channel
   * ends when the program ended; ending it detaches and leaves the terminal running.
   *
   * `CSI 8 ; rows ; columns t` in the incoming bytes says the terminal's size from there on: another
   * viewer may have changed it. Programs cannot send it. A viewer too slow for the output gets, in place
   * of what it missed, the screen anew.
   */
  attach: {
    kind: "channel",
    input: z.object({
      id: TerminalId,
      ...Size,
      /** Run by the user's shell. Empty: the login shell itself. This and the rest are only for a terminal that does not exist yet. */
      command: z
        .string()
        .max(128 * 1024)
        .default(""),
      /** Absolute or below the home directory. Empty: the workspace's directory. */
      workingDirectory: z.string().default(""),
      environment: z.record(z.string().regex(/^[^=\0]+$/), z.string()).default({}),
      /** False: a failure `not_found` where there is none. */
      mayStart: z.boolean().default(true),
    }),
    output: TerminalInfo.extend({ isNew: z.boolean() }),
  },
  /** The latest size of any viewer counts. */
  resize: { kind: "call", input: z.object({ id: TerminalId, ...Size }), output: z.object({}) },
  get: { kind: "call", input: z.object({ id: TerminalId }), output: TerminalInfo },
  /** Oldest first. */
  list: {
    kind: "call",
    input: z.object({}),
    output: z.object({ terminals: z.array(TerminalInfo) }),
  },
  /** Ends every process of the terminal's session, or forgets a terminal that has exited. */
  close: { kind: "call", input: z.object({ id: TerminalId }), output: z.object({}) },
});

export type WorkspaceTerminals = ServiceOf<typeof TERMINAL_OPERATIONS>;
