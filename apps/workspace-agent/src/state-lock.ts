/**
 * One agent for one state directory. The lock is a socket that only this process can listen on: the
 * system takes it back with the process, however that ends.
 */
import { StartError } from "@atelier/host/start-error";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, realpathSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

/** Throws a StartError when another agent uses the directory. Makes it where there is none. */
export async function lockState(directory: string): Promise<AsyncDisposable> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = realpathSync(directory);
  const address =
    process.platform === "linux"
      ? `\0atelier-agent-${createHash("sha256").update(path).digest("hex")}`
      : join(path, "agent.sock");
  const taken = new StartError(
    `another workspace agent uses ${path}: stop it, or give this one a --state-dir of its own`,
  );
  if (!address.startsWith("\0")) {
    if (await answers(address)) throw taken;
    rmSync(address, { force: true });
  }
  const server = createServer((socket) => socket.destroy());
  server.unref().listen(address);
  try {
    await once(server, "listening");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") throw taken;
    throw error;
  }
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

async function answers(address: string): Promise<boolean> {
  const socket = connect(address);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
