/** The network: signing, limits of patience, and what becomes of trouble. Real sockets on port 0. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import { httpSend, type SendTarget } from "./http-send.ts";

const GET = { method: "GET", path: "/api/v2/x?y=1", body: null } as const;

test("a request carries the token, and its answer comes with request id and Retry-After", async () => {
  await using server = await serving((request, response) => {
    response.setHeader("x-request-id", "r-1");
    response.setHeader("retry-after", "7");
    response.statusCode = 429;
    response.end(JSON.stringify([request.method, request.url, request.headers.authorization]));
  });
  const lines: string[] = [];
  const answer = await sending(server.url, { report: (line) => lines.push(line) })(GET, {});
  assert.deepEqual(answer, {
    ok: true,
    value: {
      status: 429,
      body: '["GET","/api/v2/x?y=1","Bearer the-token"]',
      requestId: "r-1",
      retryAfterSeconds: 7,
    },
  });
  assert.match(lines.join(), /^GET http:.*\/api\/v2\/x\?y=1 429 \(request r-1\) in \d+ ms$/);
  assert.ok(!lines.join().includes("the-token"));
});

test("a redirect is not followed, so the token stays", async () => {
  let requests = 0;
  await using other = await serving((_, response) => {
    requests += 1;
    response.end("{}");
  });
  await using server = await serving((_, response) => {
    response.writeHead(307, { location: `${other.url}/api` }).end();
  });
  const answer = await sending(server.url)(GET, {});
  assert.ok(!answer.ok);
  assert.equal(answer.failure.code, "client.redirected");
  assert.ok(answer.failure.message.includes(other.url));
  assert.equal(requests, 0);
});

test("nothing listening is unreachable", async () => {
  const server = await serving(() => {});
  await server[Symbol.asyncDispose]();
  const answer = await sending(server.url)(GET, {});
  assert.ok(!answer.ok);
  assert.equal(answer.failure.code, "client.unreachable");
  assert.match(answer.failure.message, /nothing listens there/);
});

test("a connection that is cut in the middle of an answer is unreachable", async () => {
  await using server = await serving((_, response) => {
    response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy());
  });
  const answer = await sending(server.url)(GET, {});
  assert.equal(!answer.ok && answer.failure.code, "client.unreachable");
});

test("a server that does not answer in time ends the wait", async () => {
  await using server = await serving(() => {});
  const answer = await sending(server.url, { timeoutMs: 50 })(GET, {});
  assert.equal(!answer.ok && answer.failure.code, "client.timed_out");
});

test("Ctrl-C ends the wait", async () => {
  const interrupted = new AbortController();
  await using server = await serving(() => interrupted.abort());
  const answer = await sending(server.url)(GET, { signal: interrupted.signal });
  assert.equal(!answer.ok && answer.failure.code, "client.cancelled");
});

function sending(url: string, target: Partial<SendTarget> = {}) {
  return httpSend(
    {
      url,
      token: new Secret("the-token"),
      timeoutMs: 5_000,
      userAgent: "test",
      report: () => {},
      ...target,
    },
    systemClock,
  );
}

async function serving(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
