/** TCP ports, in the agent's own process and through a link. */
import { openPorts } from "@atelier/workspace-agent/ports/workspace-ports-io";
import assert from "node:assert/strict";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { failsWith, valueOf } from "./answers.ts";
import { testPorts, type PortsWorld } from "./workspace-ports.ts";
import { hostDeps, throughLink } from "./workspace-world.ts";

/** The servers of the tests are this process' own: the agent is another. */
async function open({ agentPid = -1, platform = "linux" } = {}): Promise<PortsWorld> {
  return {
    ports: openPorts({ ...hostDeps, agentPid, platform }),
    [Symbol.asyncDispose]: async () => {},
  };
}

testPorts("in process", open);

testPorts("through a link", async () => {
  const stack = new AsyncDisposableStack();
  const { ports } = stack.use(await open());
  const { service } = stack.use(await throughLink("ports", ports));
  return { ports: service, [Symbol.asyncDispose]: () => stack.disposeAsync() };
});

test("ports: the agent's own are not listed", async () => {
  await using world = await open({ agentPid: process.pid });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { ports } = valueOf(await world.ports.list({}));
  assert.ok(!ports.some((each) => each.port === port));
  await new Promise((resolve) => server.close(resolve));
});

test("ports: on other platforms they are dialled but not listed", async () => {
  await using world = await open({ platform: "win32" });
  failsWith(await world.ports.list({}), "unsupported");
  failsWith(await world.ports.watch({}), "unsupported");
});
