/** A gateway worker that dies when it is told to, in the way that it is told. For tests only. */
import { BroadcastChannel, isMainThread, workerData } from "node:worker_threads";
import type { WorkerStart } from "./worker-protocol.ts";

export const DEATHS = "atelier-test-deaths";
export type Death = { readonly member: number; readonly how: "exit" | "throw" };

if (!isMainThread) {
  const channel = new BroadcastChannel(DEATHS);
  channel.addEventListener("message", (event) => {
    const { member, how } = (event as unknown as { data: Death }).data;
    if (member !== (workerData as WorkerStart).membership.member) return;
    if (how === "exit") process.exit(7);
    setImmediate(() => {
      throw new Error("made to fail");
    });
  });
  channel.unref();
  // Resolves only when the worker has ended.
  await import("./worker-thread.ts");
}
