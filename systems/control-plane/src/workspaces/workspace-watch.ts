/**
 * Tells a viewer how a workspace is, at the start and at each change. Changes that come while the
 * viewer is slow or the database is read become one; after missed messages it is read anew.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import type { EventStream } from "../http/socket-route.ts";
import { toWireWorkspace } from "./workspace-wire.ts";
import { WORKSPACES_CHANGED, type Workspace } from "./workspace.ts";

export type WatchDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly pubSub: {
    subscribe(channel: string, on: { message(payload: string): void; resync(): void }): Disposable;
  };
  /** Undefined: there is none of this id any more. */
  readonly findWorkspace: (id: string) => Promise<Workspace | undefined>;
};

const PING_EVERY_MS = 15_000;

/** Runs until the stream ends or the workspace does. */
export async function watchWorkspace(
  deps: WatchDeps,
  workspaceId: string,
  stream: EventStream,
): Promise<void> {
  let changed = Promise.withResolvers<void>();
  using _subscription = deps.pubSub.subscribe(WORKSPACES_CHANGED, {
    message: (payload) => {
      if (payload === workspaceId) changed.resolve();
    },
    resync: () => changed.resolve(),
  });
  let shown = "";
  for (;;) {
    // Before the read: what changes from here on is read again.
    changed = Promise.withResolvers<void>();
    const change = changed.promise;
    const workspace = await find(deps, workspaceId);
    if (workspace === "gone") {
      await stream.send("error", { message: "The workspace does not exist any more." });
      return;
    }
    if (workspace !== "unknown") {
      const wire = toWireWorkspace(workspace);
      const text = JSON.stringify(wire);
      if (text !== shown) await stream.send("data", wire);
      shown = text;
    }
    while (!(await isResolvedWithin(deps.clock, change, stream.signal))) {
      await stream.send("ping", {});
      if (workspace === "unknown") break;
    }
  }
}

/** Unknown: the database is away, and a later look will tell. */
async function find(
  { findWorkspace, log }: WatchDeps,
  id: string,
): Promise<Workspace | "gone" | "unknown"> {
  try {
    return (await findWorkspace(id)) ?? "gone";
  } catch (error) {
    log.warn({ error }, "a watched workspace could not be read");
    return "unknown";
  }
}

async function isResolvedWithin(
  clock: Clock,
  change: Promise<void>,
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted();
  const timer = new AbortController();
  const late = clock.sleep(PING_EVERY_MS, AbortSignal.any([timer.signal, signal]));
  try {
    return await Promise.race([change.then(() => true), late.then(() => false)]);
  } finally {
    timer.abort(new Error("waited"));
    await late.catch(() => {}); // Aborted just now.
  }
}
