/** A link with real sockets keeps every promise of a way to a workspace agent. */
import { testLinked } from "./link-conformance-testkit.ts";
import { testLink } from "./link-testkit.ts";

testLinked("a link of its own", async (services) => {
  const {
    link,
    serverSocket,
    agentClosed,
    [Symbol.asyncDispose]: dispose,
  } = await testLink(services);
  return {
    services: link.services,
    breakLink: () => serverSocket.terminate(),
    closed: Promise.all([link.closed, agentClosed]),
    [Symbol.asyncDispose]: dispose,
  };
});
