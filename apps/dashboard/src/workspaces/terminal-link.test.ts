import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import { TerminalLink, type TerminalSocket, type TerminalState } from "./terminal-link.ts";

type FakeSocket = TerminalSocket & { readonly sent: unknown[]; isClosed: boolean };

function setUp() {
  const clock = new FakeClock();
  const sockets: FakeSocket[] = [];
  const states: TerminalState[] = [];
  const shown: string[] = [];
  const open = (size: object): TerminalSocket => {
    const socket: FakeSocket = {
      readyState: 0,
      binaryType: "blob",
      sent: [size],
      isClosed: false,
      send: (text) => socket.sent.push(JSON.parse(text as string)),
      close: () => (socket.isClosed = true),
      onopen: null,
      onmessage: null,
      onclose: null,
    };
    sockets.push(socket);
    return socket;
  };
  const link = new TerminalLink(
    {
      clock,
      open,
      onBytes: (bytes) => shown.push(new TextDecoder().decode(bytes)),
      onState: (state) => states.push(state),
      onFresh: () => shown.push("(fresh)"),
    },
    { width: 80, height: 24 },
  );
  const connect = (socket: FakeSocket | undefined): void => {
    Object.assign(socket ?? {}, { readyState: 1 });
    socket?.onopen?.();
  };
  return { clock, sockets, states, shown, link, connect };
}

test("keys and sizes go there, bytes come back", () => {
  const { sockets, shown, link, connect } = setUp();
  link.type("lost: nobody is there yet");
  connect(sockets[0]);
  link.type("ls\r");
  link.resize({ width: 100, height: 30 });
  sockets[0]?.onmessage?.({ data: new TextEncoder().encode("$ ").buffer });
  assert.deepEqual(sockets[0]?.sent, [
    { width: 80, height: 24 },
    { data: "ls\r" },
    { width: 100, height: 30 },
  ]);
  assert.deepEqual(shown, ["(fresh)", "$ "]);
});

test("a connection that breaks is dialled again with the size of now, later each time", async () => {
  const { clock, sockets, states, link, connect } = setUp();
  connect(sockets[0]);
  link.resize({ width: 100, height: 30 });
  sockets[0]?.onclose?.({ code: 1_006, reason: "" });
  await clock.advance(500);
  assert.deepEqual(sockets[1]?.sent, [{ width: 100, height: 30 }]);
  sockets[1]?.onclose?.({ code: 1_011, reason: "away" });
  await clock.advance(999);
  assert.equal(sockets.length, 2);
  await clock.advance(1);
  connect(sockets[2]);
  sockets[2]?.onclose?.({ code: 1_006, reason: "" });
  assert.deepEqual(states, [
    { kind: "connecting" },
    { kind: "connected" },
    { kind: "waiting", retryInMs: 500, reason: "" },
    { kind: "connecting" },
    { kind: "waiting", retryInMs: 1_000, reason: "away" },
    { kind: "connecting" },
    { kind: "connected" },
    { kind: "waiting", retryInMs: 500, reason: "" },
  ]);
});

test("a terminal whose program ended is not dialled again, nor one that was left", async () => {
  const ended = setUp();
  ended.connect(ended.sockets[0]);
  ended.sockets[0]?.onclose?.({ code: 1_000, reason: "" });
  await ended.clock.advance(60_000);
  assert.equal(ended.sockets.length, 1);
  assert.deepEqual(ended.states.at(-1), { kind: "ended" });

  const left = setUp();
  left.connect(left.sockets[0]);
  left.link.close();
  assert.ok(left.sockets[0]?.isClosed);
  left.sockets[0]?.onclose?.({ code: 1_005, reason: "" });
  await left.clock.advance(60_000);
  assert.equal(left.sockets.length, 1);
});
