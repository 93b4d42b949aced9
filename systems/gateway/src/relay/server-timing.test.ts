/** The header Server-Timing on answers of every kind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerJson, startTestGateway } from "./gateway-testkit.ts";
import {
  CHAT,
  CHAT_ANSWER,
  CHAT_BODY,
  MESSAGES,
  MESSAGES_BODY,
  MESSAGE_REST,
  MESSAGE_START,
} from "./gateway-traffic-testkit.ts";

/** As a browser reads it: names with their durations. */
function parse(header: unknown): Record<string, number> {
  return Object.fromEntries(
    String(header)
      .split(", ")
      .map((entry) => {
        const [, name = "", ms] = /^([\w-]+);dur=(\d+(?:\.\d+)?)$/.exec(entry) ?? [];
        assert.notEqual(name, "", entry);
        return [name, Number(ms)];
      }),
  );
}

for (const { name, path, method, body, want } of [
  { name: "a blocking answer", path: CHAT, method: "POST", body: CHAT_BODY, want: "auth,body,record,upstream,total" },
  { name: "a stream", path: MESSAGES, method: "POST", body: MESSAGES_BODY, want: "auth,body,record,upstream,total" },
  { name: "a passthrough call", path: "/openai/v1/models", method: "GET", body: "", want: "auth,body,upstream,total" },
] as const) {
  test(`${name} says where the time went until it began`, async () => {
    await using gateway = await startTestGateway({
      upstream: (req, res) => {
        if (req.url !== "/v1/messages") return answerJson(res, 200, CHAT_ANSWER);
        res.writeHead(200, { "content-type": "text/event-stream" });
        return res.end(MESSAGE_START + MESSAGE_REST);
      },
    });
    const answer = await gateway.send(path, { method, body });
    const { total = 0, ...parts } = parse(answer.headers["server-timing"]);
    assert.equal([...Object.keys(parts), "total"].join(), want);
    const sum = Object.values(parts).reduce((all, each) => all + each, 0);
    assert.ok(Math.abs(sum - total) < 0.1, `${sum} is ${total}`);
    assert.ok((parts["upstream"] ?? 0) > 0);
  });
} // prettier-ignore

test("an answer of ours in the provider's place says it too, and a provider's own stays", async () => {
  await using gateway = await startTestGateway({
    upstream: (req, res) => {
      if (req.url?.includes("chat") === true) return req.socket.destroy();
      res.writeHead(200, { "content-type": "application/json", "server-timing": "edge;dur=7" });
      return res.end("{}");
    },
  });
  const failed = await gateway.send(CHAT, { body: CHAT_BODY });
  assert.equal(failed.status, 502);
  assert.ok((parse(failed.headers["server-timing"])["total"] ?? 0) > 0);
  const passed = await gateway.send("/openai/v1/models", { method: "GET" });
  assert.equal(parse(passed.headers["server-timing"])["edge"], 7);
});

test("whoever is refused learns no times", async () => {
  await using gateway = await startTestGateway({ upstream: (_req, res) => res.end() });
  const refused = await gateway.send(CHAT, { body: CHAT_BODY, token: "wrong" });
  assert.equal(refused.headers["server-timing"], undefined);
});
