import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { openOutboundFetch } from "./outbound-fetch.ts";

test("headers and bodies go out and come back, and silence ends a request", async () => {
  const server = createServer((request, response) => {
    if (request.url === "/silent") return;
    response.setHeader("x-seen", String(request.headers["x-sent"]));
    request.pipe(response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const limits = { connectMs: 5_000, headerMs: 1_000, idleMs: 1_000 };
  await using outbound = openOutboundFetch(limits);
  const init = { method: "POST", headers: new Headers({ "x-sent": "1" }), body: "hello" };
  const answer = await outbound.fetch(`${url}/echo`, init);
  assert.deepEqual([answer.headers.get("x-seen"), await answer.text()], ["1", "hello"]);
  await assert.rejects(outbound.fetch(`${url}/silent`, init));
  const gone = AbortSignal.abort(new Error("gone"));
  await assert.rejects(outbound.fetch(`${url}/echo`, { ...init, signal: gone }), /gone/);
  server.closeAllConnections();
  server.close();
});
