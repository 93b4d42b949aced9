/** Services for tests of the link: each kind of operation once, in memory, and easy to predict. */
import { fail, ok } from "@atelier/base/result";
import { FILE_OPERATIONS } from "@atelier/contract/rpc/workspace/files";
import { GIT_OPERATIONS } from "@atelier/contract/rpc/workspace/git";
import { implement, type HandlersOf } from "@atelier/contract/rpc/workspace/implement";
import { MACHINE_OPERATIONS } from "@atelier/contract/rpc/workspace/machine";
import type { ByteChannel, Operations } from "@atelier/contract/rpc/workspace/operation";
import { PORT_OPERATIONS } from "@atelier/contract/rpc/workspace/ports";
import { PROCESS_OPERATIONS } from "@atelier/contract/rpc/workspace/processes";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { TERMINAL_OPERATIONS } from "@atelier/contract/rpc/workspace/terminals";

/** What the fake services saw. */
export type Seen = {
  readonly events: string[];
  /** Resolves when an event was written down that begins with this. */
  until(prefix: string): Promise<void>;
};

export function fakeServices(): { readonly services: WorkspaceServices; readonly seen: Seen } {
  const events: string[] = [];
  const waiters = new Set<() => void>();
  const see = (event: string): void => {
    events.push(event);
    for (const wake of waiters) wake();
  };
  const until = async (prefix: string): Promise<void> => {
    while (!events.some((event) => event.startsWith(prefix))) {
      const woken = Promise.withResolvers<void>();
      waiters.add(woken.resolve);
      await woken.promise;
      waiters.delete(woken.resolve);
    }
  };
  const services: WorkspaceServices = {
    machine: implement(MACHINE_OPERATIONS, unsupported(MACHINE_OPERATIONS)),
    git: implement(GIT_OPERATIONS, unsupported(GIT_OPERATIONS)),
    terminals: implement(TERMINAL_OPERATIONS, unsupported(TERMINAL_OPERATIONS)),
    files: implement(FILE_OPERATIONS, unsupported(FILE_OPERATIONS)),
    processes: implement(PROCESS_OPERATIONS, {
      ...unsupported(PROCESS_OPERATIONS),
      /** Waits until the caller leaves. */
      wait: async (_input, signal) => {
        see("wait began");
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        see("wait aborted");
        return fail({ code: "timed_out", message: "aborted" });
      },
      /** `offset` bytes of zeroes in chunks of 64 KiB; an id `broken` fails in the middle. */
      follow: async ({ id, offset }) =>
        ok({ value: { fromOffset: offset }, bytes: zeroes(offset, id === "broken") }),
      /** Counts the bytes; an id `full` refuses after the first, `known` answers without reading. */
      writeInput: async ({ id }, bytes) => {
        if (id === "known") return ok({ bytes: 0 });
        let count = 0;
        try {
          for await (const chunk of bytes) {
            count += chunk.byteLength;
            if (id === "full") return fail({ code: "no_space", message: "No space is left." });
          }
        } catch {
          see(`upload broke after ${count}`);
          return fail({ code: "failed", message: "broke" });
        }
        see(`uploaded ${count}`);
        return ok({ bytes: count });
      },
    }),
    ports: implement(PORT_OPERATIONS, {
      list: async () => ok({ ports: [] }),
      /** Three events, then nothing until the caller leaves. */
      watch: async (_input, signal) => ok(threeEvents(signal, see)),
      /** An echo. */
      dial: async () => ok({ value: {}, channel: echo(see) }),
    }),
  };
  return { services, seen: { events, until } };
}

function unsupported<Ops extends Operations>(table: Ops): HandlersOf<Ops> {
  const refuse = async () => fail({ code: "unsupported" as const, message: "not here" });
  return Object.fromEntries(
    Object.keys(table).map((name) => [name, refuse]),
  ) as unknown as HandlersOf<Ops>;
}

async function* zeroes(bytes: number, isBroken: boolean): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.alloc(64 * 1024);
  for (let left = bytes; left > 0; left -= chunk.byteLength) {
    if (isBroken && left <= bytes / 2) throw new Error("the disk broke");
    yield chunk.subarray(0, Math.min(left, chunk.byteLength));
  }
}

async function* threeEvents(
  signal: AbortSignal,
  see: (event: string) => void,
): AsyncGenerator<{
  ports: { port: number; address: string; processName: string; pid: number | null }[];
}> {
  for (const port of [1, 2, 3]) {
    yield { ports: [{ port, address: "127.0.0.1", processName: "", pid: null }] };
  }
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  }
  see("watch ended");
}

function echo(see: (event: string) => void): ByteChannel {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  return {
    incoming: readable,
    write: (bytes) => writer.write(bytes),
    end: () => writer.close(),
    destroy: () => {
      see("channel destroyed");
      writer.abort(new Error("destroyed")).catch(() => {});
    },
  };
}
