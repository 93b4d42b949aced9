/** Streams that pass through a server in the middle behave as on a link of their own. */
import assert from "node:assert/strict";
import { connect, performServerHandshake } from "node:http2";
import { duplexPair } from "node:stream";
import { test } from "node:test";
import { testLinked } from "./link-conformance-testkit.ts";
import { testLink, type TestLink } from "./link-testkit.ts";
import { relayStreams } from "./relay-streams.ts";
import { remoteServices } from "./remote-services.ts";

/** A caller's session, whose streams go through `relayStreams` to the link. */
function through(target: TestLink | null) {
  const [caller, middle] = duplexPair();
  const answering = performServerHandshake(middle);
  answering.on("error", () => {});
  relayStreams(answering, { target: () => target?.link.session ?? null });
  const asking = connect("http://relay", { createConnection: () => caller });
  asking.on("error", () => {});
  return {
    services: remoteServices((path) =>
      asking.request({ ":method": "POST", ":path": path }, { endStream: false }),
    ),
    [Symbol.dispose]: () => {
      asking.destroy();
      answering.destroy();
    },
  };
}

testLinked("through a relay", async (services) => {
  const target = await testLink(services);
  const relayed = through(target);
  return {
    services: relayed.services,
    breakLink: () => target.serverSocket.terminate(),
    closed: Promise.all([target.link.closed, target.agentClosed]),
    [Symbol.asyncDispose]: async () => {
      relayed[Symbol.dispose]();
      await target[Symbol.asyncDispose]();
    },
  };
});

test("without a link behind it the relay answers as disconnected", async () => {
  using relayed = through(null);
  const answer = await relayed.services.ports.list({});
  assert.ok(!answer.ok);
  assert.equal(answer.failure.code, "disconnected");
});
