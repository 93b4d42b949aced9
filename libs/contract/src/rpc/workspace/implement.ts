/**
 * Makes a service's port from handlers: input is checked and defaults are filled in before a handler
 * sees it, in the same process as through a link, so that both behave alike.
 */
import { fail, type Result } from "@atelier/base/result";
import type { z } from "zod";
import type {
  ByteChannel,
  CallOptions,
  Operation,
  Operations,
  ServiceOf,
  WorkspaceFailure,
} from "./operation.ts";

type Outcome<Value> = Promise<Result<Value, WorkspaceFailure>>;

type HandlerOf<Op extends Operation> = Op extends { kind: "call" }
  ? (input: z.output<Op["input"]>, signal: AbortSignal) => Outcome<z.input<Op["output"]>>
  : Op extends { kind: "events" }
    ? (
        input: z.output<Op["input"]>,
        signal: AbortSignal,
      ) => Outcome<AsyncIterable<z.input<Op["output"]>>>
    : Op extends { kind: "download" }
      ? (
          input: z.output<Op["input"]>,
          signal: AbortSignal,
        ) => Outcome<{
          readonly value: z.input<Op["output"]>;
          readonly bytes: AsyncIterable<Uint8Array>;
        }>
      : Op extends { kind: "upload" }
        ? (
            input: z.output<Op["input"]>,
            bytes: AsyncIterable<Uint8Array>,
            signal: AbortSignal,
          ) => Outcome<z.input<Op["output"]>>
        : (
            input: z.output<Op["input"]>,
            signal: AbortSignal,
          ) => Outcome<{ readonly value: z.input<Op["output"]>; readonly channel: ByteChannel }>;

/** What implements a table of operations: one handler each. */
export type HandlersOf<Ops extends Operations> = {
  readonly [Name in keyof Ops]: HandlerOf<Ops[Name]>;
};

type AnyHandler = (...args: readonly unknown[]) => Outcome<unknown>;

/** The port. A handler's signal aborts with the caller's; without one it never aborts. */
export function implement<Ops extends Operations>(
  table: Ops,
  handlers: HandlersOf<Ops>,
): ServiceOf<Ops> {
  const entries = Object.entries(table).map(([name, operation]) => {
    const handler = handlers[name as keyof Ops] as unknown as AnyHandler;
    return [name, methodOf(operation, handler)] as const;
  });
  return Object.fromEntries(entries) as unknown as ServiceOf<Ops>;
}

function methodOf(operation: Operation, handler: AnyHandler): AnyHandler {
  const takesBytes = operation.kind === "upload";
  return async (input, ...rest) => {
    const parsed = operation.input.safeParse(input);
    if (!parsed.success) return fail(toInvalid(parsed.error));
    const options = rest[takesBytes ? 1 : 0] as CallOptions | undefined;
    const signal = options?.signal ?? new AbortController().signal;
    signal.throwIfAborted();
    return takesBytes ? handler(parsed.data, rest[0], signal) : handler(parsed.data, signal);
  };
}

function toInvalid(error: z.ZodError): WorkspaceFailure {
  const said = error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`,
  );
  return { code: "invalid", message: said.join("; ") };
}
