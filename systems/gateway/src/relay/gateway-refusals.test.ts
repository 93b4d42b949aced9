import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { PREFIX, TOKEN, answerJson, provider, startTestGateway } from "./gateway-testkit.ts";
import { CHAT, MESSAGES, RESPONSES, CHAT_BODY, CHAT_ANSWER } from "./gateway-traffic-testkit.ts";

const REFUSALS: [name: string, path: string, options: object, want: string, message: RegExp][] = [
  ["no token", CHAT, { token: null }, "400 application/json", /no authentication key provided/],
  ["no token on an unknown path", "/x/y", { token: null, method: "GET" }, "400 text/plain; charset=utf-8", /^no authentication key provided$/],
  ["a wrong token", CHAT, { token: "wrong" }, "403 application/json", /"unauthorized"/],
  ["a malformed token", MESSAGES, { token: null, headers: { "x-api-key": "' or 1=1 --" } }, "403 application/json", /"unauthorized"/],
  ["an unknown provider", "/nope/v1/chat/completions", { body: CHAT_BODY }, "404 application/json", /route not supported: POST \/nope\/v1\/chat\/completions/],
  ["an unknown path", "/openai/v1/files", { method: "GET" }, "404 text/plain; charset=utf-8", /^route not supported: GET \/openai\/v1\/files$/],
  ["a disabled provider", "/off/v1/chat/completions", { body: CHAT_BODY }, "503 application/json", /provider_disabled: AI provider \\"off\\" is disabled/],
  ["a wrong method", CHAT, { method: "GET" }, "405 application/json", /POST only/],
  ["a method that mirrors the key", "/openai/v1/models", { method: "TRACE" }, "405 application/json", /TRACE is not served/],
  ["path traversal", "/openai/v1/models/%2e%2e%2fadmin", { method: "GET" }, "400 text/plain; charset=utf-8", /not acceptable/],
  ["an empty body", CHAT, { body: "" }, "400 application/json", /body is empty/],
  ["a body that is not JSON", MESSAGES, { body: "{oops" }, "400 application/json", /not valid JSON/],
  ["a body that is no object", RESPONSES, { body: "[1]" }, "400 application/json", /not a JSON object/],
  ["a background request", RESPONSES, { body: `{"model":"m","input":"x","background":true}` }, "501 application/json", /background requests/],
  ["an unknown content encoding", CHAT, { body: "x", headers: { "content-encoding": "rot13" } }, "415 application/json", /encoding/],
  ["a wrong content encoding", CHAT, { body: CHAT_BODY, headers: { "content-encoding": "gzip" } }, "400 application/json", /does not match/],
  ["a provider without keys", "/keyless/v1/chat/completions", { body: CHAT_BODY }, "403 application/json", /no provider credentials/],
]; // prettier-ignore

for (const [name, path, options, want, message] of REFUSALS) {
  test(`${name} answers ${want.slice(0, 3)} and never reaches the provider`, async () => {
    let calls = 0;
    await using gateway = await startTestGateway({
      upstream: (_req, res) => {
        calls += 1;
        answerJson(res, 200, CHAT_ANSWER);
      },
      providers: (url) => [
        provider("openai", "openai", `${url}/v1`),
        provider("anthropic", "anthropic", url),
        provider("off", "openai", `${url}/v1`, { enabled: false }),
        provider("keyless", "openai", `${url}/v1`, { keys: [] }),
      ],
    });
    const got = await gateway.send(path, options);
    assert.equal(`${got.status} ${got.headers["content-type"]}`, want);
    assert.match(got.body.toString(), message);
    assert.equal(calls, 0);
  });
}

test("a body over 32 MiB answers 413, declared or not", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) => answerJson(res, 200, {}),
  });
  const body = Buffer.alloc(33 * 1024 * 1024, 0x20);
  const declared = await gateway.send(MESSAGES, { body });
  assert.equal(declared.status, 413);
  assert.deepEqual(
    JSON.parse(declared.body.toString()).error.message,
    "Request body too large. The maximum allowed request body size is 32MiB.",
  );
  const chunked = await gateway.send(CHAT, { body, headers: { "transfer-encoding": "chunked" } });
  assert.equal(chunked.status, 413);
});

test("a client that trickles its body is answered and let go", async () => {
  await using gateway = await startTestGateway({
    upstream: (_req, res) => answerJson(res, 200, {}),
    config: { bodyTimeoutMs: 100 },
  });
  const socket = connect(gateway.port, "127.0.0.1");
  socket.write(
    `POST ${PREFIX}${CHAT} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: 100\r\n\r\n{"mo`,
  );
  let text = "";
  while (!text.includes("in time")) text += String((await once(socket, "data"))[0]);
  assert.match(text, /^HTTP\/1\.1 408 /);
  socket.destroy();
});
