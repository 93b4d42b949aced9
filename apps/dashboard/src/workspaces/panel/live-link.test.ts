import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveLink, type LiveSocket, type LiveState } from "./live-link.ts";

function setUp() {
  const clock = new FakeClock();
  const sockets: (LiveSocket & { isClosed: boolean })[] = [];
  const states: LiveState[] = [];
  const told: unknown[] = [];
  const link = new LiveLink({
    clock,
    open: () => {
      const socket = {
        isClosed: false,
        onmessage: null,
        onclose: null,
        close() {
          socket.isClosed = true;
        },
      };
      sockets.push(socket);
      return socket;
    },
    onData: (data) => told.push(data),
    onState: (state) => states.push(state),
  });
  const say = (type: string, data: unknown): void =>
    sockets.at(-1)?.onmessage?.({ data: JSON.stringify({ type, data }) });
  const end = (code: number): void => sockets.at(-1)?.onclose?.({ code });
  return { clock, sockets, states, told, link, say, end };
}

test("what is told arrives, and a break is dialled again, later each time", async () => {
  const { clock, sockets, states, told, say, end } = setUp();
  say("data", { n: 1 });
  end(1_006);
  await clock.advance(500);
  say("error", { code: "workspace_agent.disconnected", message: "away" });
  end(1_000);
  await clock.advance(499);
  assert.equal(sockets.length, 2);
  await clock.advance(1_000);
  assert.equal(sockets.length, 3);
  say("data", { n: 2 });
  assert.deepEqual(told, [{ n: 1 }, { n: 2 }]);
  assert.deepEqual(states, [
    { kind: "connecting" },
    { kind: "live" },
    { kind: "waiting", retryInMs: 500, problem: null },
    { kind: "connecting" },
    {
      kind: "waiting",
      retryInMs: 1_000,
      problem: { code: "workspace_agent.disconnected", message: "away" },
    },
    { kind: "connecting" },
    { kind: "live" },
  ]);
});

test("what is over or refused for good is not dialled again, nor what was left", async () => {
  const over = setUp();
  over.say("data", 1);
  over.end(1_000);
  await over.clock.advance(60_000);
  assert.deepEqual([over.sockets.length, over.states.at(-1)], [1, { kind: "ended" }]);

  const refused = setUp();
  const problem = { code: "resource.not_found", message: "no repository" };
  refused.say("error", problem);
  refused.end(1_000);
  await refused.clock.advance(60_000);
  assert.deepEqual(
    [refused.sockets.length, refused.states.at(-1)],
    [1, { kind: "refused", problem }],
  );

  const left = setUp();
  left.link.close();
  assert.ok(left.sockets[0]?.isClosed);
  left.say("data", 1);
  left.end(1_005);
  await left.clock.advance(60_000);
  assert.deepEqual([left.sockets.length, left.told], [1, []]);
});
