/**
 * How the services of a workspace agent are described: each operation is data. The agent implements
 * them, and the server calls them in the same process or through a link; both are made from these
 * rows, so an operation cannot exist on one side only. One conformance suite holds for both.
 *
 * Nothing here throws for what the workspace answers: failures are values. A promise rejects only
 * with the caller's own abort reason.
 */
import type { Result } from "@atelier/base/result";
import { z } from "zod";

/** Every way in which an operation can fail. The code is protocol: old agents send it. */
export const WORKSPACE_FAILURE_CODES = [
  "invalid", // The input makes no sense; `message` says what is wrong.
  "not_found",
  "already_exists",
  "not_a_file",
  "not_a_directory",
  "permission_denied",
  "outside_root", // A path leads, perhaps through a symlink, to where this call may not act.
  "too_large",
  "no_space",
  "conflict", // What is there is not what the caller expected.
  "stale_fence", // A newer owner of the chat has acted: see Effect.
  "effect_mismatch", // The same call came before with another input.
  "effect_lost", // It had begun when the machine stopped; its outcome cannot be known.
  "unsupported", // By this agent's version or platform.
  "busy", // A limit with a name is reached.
  "timed_out",
  "disconnected", // The link broke; whether the operation took place is not known.
  "failed", // Anything else that the machine says.
] as const;

export type WorkspaceFailureCode = (typeof WORKSPACE_FAILURE_CODES)[number];

export const WorkspaceFailureSchema = z.object({
  code: z.enum(WORKSPACE_FAILURE_CODES),
  message: z.string(),
});

/** `message` is for people and models: one sentence, and what to do where that helps. */
export type WorkspaceFailure = z.infer<typeof WorkspaceFailureSchema>;

/** Bytes both ways, each with its own end. */
export interface ByteChannel {
  /** Ends when the other side ended its half; throws when the channel broke. Read it once. */
  readonly incoming: AsyncIterable<Uint8Array>;
  /** Resolves when more may be written: wait for it, it is the back-pressure. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends this half; what was written before arrives. */
  end(): Promise<void>;
  /** Ends both halves at once. Idempotent. */
  destroy(): void;
}

type Schemas = { readonly input: z.ZodType; readonly output: z.ZodType };

export type Operation =
  /** One answer. */
  | (Schemas & { readonly kind: "call" })
  /** Answers until it ends, or until the caller stops reading. */
  | (Schemas & { readonly kind: "events" })
  /** An answer, and bytes after it. */
  | (Schemas & { readonly kind: "download" })
  /** Bytes with the input, then one answer. */
  | (Schemas & { readonly kind: "upload" })
  /** An answer, and bytes both ways after it. */
  | (Schemas & { readonly kind: "channel" });

export type Operations = Readonly<Record<string, Operation>>;

export type CallOptions = { readonly signal?: AbortSignal };

type Outcome<Value> = Promise<Result<Value, WorkspaceFailure>>;

type MethodOf<Op extends Operation> = Op extends { kind: "call" }
  ? (input: z.input<Op["input"]>, options?: CallOptions) => Outcome<z.output<Op["output"]>>
  : Op extends { kind: "events" }
    ? (
        input: z.input<Op["input"]>,
        options?: CallOptions,
      ) => Outcome<AsyncIterable<z.output<Op["output"]>>>
    : Op extends { kind: "download" }
      ? (
          input: z.input<Op["input"]>,
          options?: CallOptions,
        ) => Outcome<{
          readonly value: z.output<Op["output"]>;
          readonly bytes: AsyncIterable<Uint8Array>;
        }>
      : Op extends { kind: "upload" }
        ? (
            input: z.input<Op["input"]>,
            bytes: AsyncIterable<Uint8Array>,
            options?: CallOptions,
          ) => Outcome<z.output<Op["output"]>>
        : (
            input: z.input<Op["input"]>,
            options?: CallOptions,
          ) => Outcome<{ readonly value: z.output<Op["output"]>; readonly channel: ByteChannel }>;

/** The port that a table of operations describes. */
export type ServiceOf<Ops extends Operations> = {
  readonly [Name in keyof Ops]: MethodOf<Ops[Name]>;
};

/** A table of operations, kept as literal as it is written. */
export function operations<const Ops extends Operations>(table: Ops): Ops {
  return table;
}
