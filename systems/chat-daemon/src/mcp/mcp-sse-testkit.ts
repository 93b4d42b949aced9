/** For tests: a tool server that speaks the protocol's older way, an event stream beside posts. */
import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/server";
import { remoteTools } from "./mcp-testkit.ts";

export type SseRemote = AsyncDisposable & {
  readonly url: string;
  /** With method, in the order in which they came. */
  readonly seen: (IncomingHttpHeaders & { readonly method: string })[];
  /** Event streams that are open. */
  readonly open: ReadonlySet<ServerResponse>;
};

export async function startSseRemote(): Promise<SseRemote> {
  const seen: (IncomingHttpHeaders & { method: string })[] = [];
  const open = new Set<ServerResponse>();
  const sessions = new Map<string, Transport>();
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    seen.push({ ...request.headers, method: request.method ?? "" });
    if (request.method === "GET") {
      const id = String(seen.length);
      open.add(response);
      response.on("close", () => open.delete(response));
      response.writeHead(200, { "content-type": "text/event-stream" });
      const transport: Transport = {
        start: async () => {},
        close: async () => {},
        send: async (message) => {
          response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
        },
      };
      sessions.set(id, transport);
      await remoteTools().connect(transport);
      response.write(`event: endpoint\ndata: /messages?session=${id}\n\n`);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const id = new URL(request.url ?? "", "http://remote").searchParams.get("session");
    response.writeHead(202).end("Accepted");
    const message = JSON.parse(Buffer.concat(chunks).toString()) as JSONRPCMessage;
    sessions.get(id ?? "")?.onmessage?.(message);
  };
  const http = createHttpServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  return {
    ...{ seen, open, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/sse` },
    [Symbol.asyncDispose]: async () => {
      http.closeAllConnections();
      http.close();
    },
  };
}
