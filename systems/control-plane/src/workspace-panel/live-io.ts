/**
 * What happens in a workspace, to viewers: each event of the machine is one text. A slow viewer slows
 * the machine's stream, so nothing piles up here. Ends with the viewer, or with a word why.
 */
import { ok, type Result } from "@atelier/base/result";
import { FAILURES } from "@atelier/contract/failures";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { toMachineFailure } from "@atelier/contract/rpc/workspace/machine-failure";
import type { EventStream } from "../http/socket-route.ts";
import { absolutePath } from "./machine-path.ts";
import { toWireGitState, toWirePort, toWireStats } from "./panel-wire.ts";
import { textPieces } from "./text-pieces.ts";

const BROKE: WorkspaceFailure = { code: "disconnected", message: "The connection broke." };

export function showPorts({ ports }: WorkspaceServices, stream: EventStream): Promise<void> {
  return show(stream, ports.watch({}, { signal: stream.signal }), (seen) => ({
    ports: seen.ports.map(toWirePort),
  }));
}

export function showStats({ machine }: WorkspaceServices, stream: EventStream): Promise<void> {
  return show(stream, machine.watchStats({}, { signal: stream.signal }), toWireStats);
}

export async function showGit(
  services: WorkspaceServices,
  { path: asked }: { readonly path: string },
  stream: EventStream,
): Promise<void> {
  const { signal } = stream;
  const watching = absolutePath({ services, signal }, asked).then((path) =>
    path.ok ? services.git.watch({ path: path.value }, { signal }) : path,
  );
  await show(stream, watching, toWireGitState);
}

export async function showOutput(
  { processes }: WorkspaceServices,
  wanted: { readonly id: string; readonly stream: "stdout" | "stderr"; readonly offset: number },
  stream: EventStream,
): Promise<void> {
  const following = processes
    .follow(wanted, { signal: stream.signal })
    .then((followed) =>
      followed.ok
        ? ok(textPieces(followed.value.bytes, followed.value.value.fromOffset))
        : followed,
    );
  await show(stream, following, (piece) => piece);
}

async function show<Event>(
  stream: EventStream,
  watching: Promise<Result<AsyncIterable<Event>, WorkspaceFailure>>,
  toWire: (event: Event) => unknown,
): Promise<void> {
  try {
    const watched = await watching;
    if (!watched.ok) return await sayWhy(stream, watched.failure);
    for await (const event of watched.value) await stream.send("data", toWire(event));
  } catch (error) {
    if (stream.signal.aborted) return; // The viewer left, or may not look any more.
    await sayWhy(stream, BROKE).catch(() => {
      throw error; // It is the viewer's side that broke.
    });
  }
}

async function sayWhy(stream: EventStream, failure: WorkspaceFailure): Promise<void> {
  const { code, detail } = toMachineFailure(failure);
  await stream.send("error", { code, message: detail ?? FAILURES[code].message });
}
