/** Open sockets are pinged in turns; one that does not answer is ended, one that nobody can hear is not. */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { WebSocket } from "ws";
import { SocketPulse } from "./socket-pulse-io.ts";

class FakeSocket extends EventEmitter {
  readonly readyState = WebSocket.OPEN;
  isPaused = false;
  pings = 0;
  isTerminated = false;

  ping(): void {
    this.pings += 1;
  }

  terminate(): void {
    this.isTerminated = true;
  }

  get asSocket(): WebSocket {
    return this as unknown as WebSocket;
  }
}

test("one that answers stays, one that does not is ended after two turns", async () => {
  const clock = new FakeClock();
  const pulse = new SocketPulse(clock);
  const [well, dead, speaks] = [new FakeSocket(), new FakeSocket(), new FakeSocket()];
  const kept = [well, dead, speaks].map((socket) => pulse.keep(socket.asSocket));
  await clock.advance(10_000);
  assert.deepEqual([well.pings, dead.pings, speaks.pings], [1, 1, 1]);
  well.emit("pong");
  speaks.emit("message");
  await clock.advance(10_000);
  assert.deepEqual(
    [well.isTerminated, dead.isTerminated, speaks.isTerminated],
    [false, true, false],
  );
  for (const each of kept) each[Symbol.dispose]();
  await clock.advance(20_000);
  assert.deepEqual([well.pings, speaks.pings], [2, 2], "nothing is pinged that was let go");
});

test("a paused one is not ended: nobody reads what it answers", async () => {
  const clock = new FakeClock();
  const pulse = new SocketPulse(clock);
  const paused = new FakeSocket();
  paused.isPaused = true;
  using _kept = pulse.keep(paused.asSocket);
  await clock.advance(60_000);
  assert.equal(paused.isTerminated, false);
});

test("those that come at different times are pinged at different times", async () => {
  const clock = new FakeClock();
  const pulse = new SocketPulse(clock);
  const [first, second] = [new FakeSocket(), new FakeSocket()];
  using _first = pulse.keep(first.asSocket);
  await clock.advance(4_000);
  using _second = pulse.keep(second.asSocket);
  await clock.advance(6_000);
  assert.deepEqual([first.pings, second.pings], [1, 0]);
  await clock.advance(4_000);
  assert.deepEqual([first.pings, second.pings], [1, 1]);
});

test("begins again with the next one after all had gone", async () => {
  const clock = new FakeClock();
  const pulse = new SocketPulse(clock);
  pulse.keep(new FakeSocket().asSocket)[Symbol.dispose]();
  await clock.advance(30_000);
  const late = new FakeSocket();
  using _late = pulse.keep(late.asSocket);
  await clock.advance(10_000);
  assert.equal(late.pings, 1);
});
