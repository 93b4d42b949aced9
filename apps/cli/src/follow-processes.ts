/**
 * The output of a workspace's processes as it comes, of those that run and of those that begin. It goes on
 * from where it was when the machine comes back after it was away.
 */
import type { Clock } from "@atelier/base/clock";
import type { ProcessInfo, WorkspaceProcesses } from "@atelier/contract/rpc/workspace/processes";
import { LineCutter } from "./process-log.ts";

export type ProcessLogEvent =
  | { readonly kind: "process"; readonly process: ProcessInfo }
  | {
      readonly kind: "output";
      readonly process: string;
      readonly stream: StreamName;
      readonly line: string;
    }
  | { readonly kind: "machine"; readonly status: "connected" | "disconnected" };

export type FollowOptions = {
  /** Null: all of them, also those to come. */
  readonly only: string | null;
  /** What is known already, with what of their output was shown. */
  readonly known: readonly KnownProcess[];
};

export type KnownProcess = {
  readonly process: ProcessInfo;
  readonly shownBytes: Readonly<Record<StreamName, number>>;
};

type StreamName = "stdout" | "stderr";

const LOOK_MS = 1_000;
const PROCESSES_MAX = 1_000;
/** Where output has its hole, reading goes on after it. */
const NOTHING_SHOWN = { stdout: 0, stderr: 0 } as const;

/** Until the signal aborts, or the one process has ended. `show` is called with one event at a time. */
export async function followProcesses(
  processes: WorkspaceProcesses,
  { only, known }: FollowOptions,
  deps: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly show: (event: ProcessLogEvent) => Promise<void>;
  },
): Promise<void> {
  const { clock, signal } = deps;
  const following = new Map<string, Promise<void>>();
  const seen = new Set(known.map(({ process }) => process.id));
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // It is raced below.
  let isAway = false;
  const follow = (from: KnownProcess): void => {
    const work = followOne(processes, from, deps);
    work.catch((error: unknown) => failed.reject(error));
    following.set(from.process.id, work);
  };
  for (const each of known) if (each.process.state === "running") follow(each);
  if (only !== null) {
    await following.get(only);
    return;
  }
  while (!signal.aborted) {
    const listed = await processes.list({ limit: PROCESSES_MAX }, { signal });
    if (listed.ok === isAway) {
      isAway = !listed.ok;
      await deps.show({ kind: "machine", status: isAway ? "disconnected" : "connected" });
    }
    const fresh = listed.ok ? listed.value.processes.filter(({ id }) => !seen.has(id)) : [];
    for (const process of fresh.toReversed()) {
      seen.add(process.id);
      await deps.show({ kind: "process", process });
      follow({ process, shownBytes: NOTHING_SHOWN });
    }
    await Promise.race([clock.sleep(LOOK_MS, signal), failed.promise]);
  }
}

async function followOne(
  processes: WorkspaceProcesses,
  { process, shownBytes }: KnownProcess,
  deps: Parameters<typeof followProcesses>[2],
): Promise<void> {
  const { id } = process;
  const streams = (["stdout", "stderr"] as const).map((stream) =>
    followStream(processes, { id, stream, offset: shownBytes[stream] }, deps),
  );
  await Promise.all(streams);
  if (deps.signal.aborted) return;
  const ended = await processes.get({ id }, { signal: deps.signal });
  if (ended.ok) await deps.show({ kind: "process", process: ended.value });
}

async function followStream(
  processes: WorkspaceProcesses,
  from: { readonly id: string; readonly stream: StreamName; readonly offset: number },
  { clock, signal, show }: Parameters<typeof followProcesses>[2],
): Promise<void> {
  const { id, stream } = from;
  const lines = new LineCutter();
  const showLines = async (texts: readonly string[]): Promise<void> => {
    for (const line of texts) await show({ kind: "output", process: id, stream, line });
  };
  let { offset } = from;
  while (!signal.aborted) {
    const followed = await processes.follow({ id, stream, offset }, { signal });
    if (followed.ok) {
      offset = followed.value.value.fromOffset;
      const chunks = followed.value.bytes[Symbol.asyncIterator]();
      for (;;) {
        // What breaks here is the link; what shows the lines may fail, and ends all.
        const next = await chunks.next().catch(() => null);
        if (next === null) break;
        if (next.done === true) return showLines(lines.end());
        offset += next.value.byteLength;
        await showLines(lines.push(next.value));
      }
    } else if (followed.failure.code === "not_found") return;
    await clock.sleep(LOOK_MS, signal);
  }
}
