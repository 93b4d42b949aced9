/** An answer without a socket, at its end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { MemoryRequest } from "./memory-request-io.ts";
import { MemoryResponse } from "./memory-response-io.ts";

function answered(): MemoryResponse {
  const call = { method: "POST", url: "/", headers: new Headers(), body: null, hold: null };
  const res = new MemoryResponse(new MemoryRequest(call));
  res.writeHead(200, {});
  return res;
}

test("the last bytes are read before the streams behind them are closed", async () => {
  const res = answered();
  const told: string[] = [];
  const reader = res.body.getReader();
  const reading = reader.read().then(({ value }) => told.push(`read ${String(value?.length)}`));
  reader.closed.then(
    () => told.push("closed"),
    () => told.push("broken"),
  );
  res.end(Buffer.from("all"));
  await reading;
  for (let microtasks = 0; microtasks < 50; microtasks += 1) await Promise.resolve();
  assert.deepEqual(told, ["read 3"]);
  assert.equal((await reader.read()).done, true);
  assert.deepEqual(told, ["read 3", "closed"]);
});

test("a reader that leaves between the last bytes and the end disturbs nobody", async () => {
  const res = answered();
  const reader = res.body.getReader();
  const reading = reader.read();
  res.end(Buffer.from("all"));
  await reading;
  await reader.cancel();
  // What is thrown in a turn of the event loop of its own ends the process.
  await setImmediate();
  assert.equal(res.destroyed, true);
});
