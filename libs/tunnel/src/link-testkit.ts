/** A link over a real socket on this machine, for tests. */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { answerOverSocket, askOverSocket, type Link, type LinkDeps } from "./link.ts";

export type TestLink = AsyncDisposable & {
  readonly link: Link;
  /** The socket of the side that answers, as it dialled. */
  readonly agentSocket: WebSocket;
  readonly serverSocket: WebSocket;
  readonly agentClosed: Promise<void>;
};

export async function testLink(
  services: WorkspaceServices,
  deps: LinkDeps = { clock: systemClock, log: silentLogger },
): Promise<TestLink> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false, maxPayload: 0 });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const accepted = new Promise<WebSocket>((resolve) => sockets.once("connection", resolve));
  const agentSocket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await new Promise((resolve) => agentSocket.once("open", resolve));
  const serverSocket = await accepted;
  const answering = answerOverSocket(agentSocket, services, deps);
  const link = askOverSocket(serverSocket, deps);
  return {
    link,
    agentSocket,
    serverSocket,
    agentClosed: answering.closed,
    [Symbol.asyncDispose]: async () => {
      link.close();
      answering.close();
      await Promise.all([link.closed, answering.closed]);
      sockets.close();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
