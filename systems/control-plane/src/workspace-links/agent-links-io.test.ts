/** The links that one server holds, and what it writes down of them. */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { AgentLinks } from "./agent-links-io.ts";
import type { LinkRegistry } from "./link-registry.ts";

const AGENT = {
  ...{ agentId: "a", agentName: "main", workspaceId: "w", workspaceName: "box" },
  ...{ ownerId: "o", ownerName: "ann", isOwnerSuspended: false },
};

async function dialling() {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    dial: async () => {
      const client = new WebSocket(`ws://127.0.0.1:${port}`);
      const [held] = (await once(server, "connection")) as [WebSocket];
      await once(client, "open");
      return { client, held };
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of server.clients) client.terminate();
      http.close();
      await once(http, "close");
    },
  };
}

test("a connection that is over before it is written down is not: the agent may be elsewhere", async () => {
  await using sockets = await dialling();
  const claims: string[] = [];
  const gate = Promise.withResolvers<boolean>();
  const registry: LinkRegistry = {
    claim: ({ connectionId }) => {
      claims.push(connectionId);
      return gate.promise;
    },
    reclaim: async () => {},
    release: async () => {},
    standing: async () => "holds",
    saveFacts: async () => {},
  };
  await using links = new AgentLinks({
    ...{ clock: systemClock, random: systemRandom, log: silentLogger, registry },
    logOpened: async () => async () => {},
  });
  const from = { agent: AGENT, hashedToken: new Uint8Array(), ip: "", userAgent: "" };
  const first = await sockets.dial();
  const firstOver = links.attach(first.held, from);
  while (claims.length === 0) await new Promise((resolve) => setImmediate(resolve));
  // It waits for the first one to be written down.
  const second = await sockets.dial();
  const secondOver = links.attach(second.held, from);
  const closed = once(second.held, "close");
  second.client.terminate();
  await closed;
  gate.resolve(true);
  await Promise.all([firstOver, secondOver]);
  assert.equal(claims.length, 1);
});
