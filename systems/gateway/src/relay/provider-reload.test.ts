/** Providers that change under load: nobody's request fails because of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { answerJson, provider, startTestGateway } from "./gateway-testkit.ts";
import { CHAT, CHAT_ANSWER, CHAT_BODY } from "./gateway-traffic-testkit.ts";

const RELOADS = 1_000;

test("a thousand changes of the providers under load fail no request", async () => {
  let upstreamUrl = "";
  await using gateway = await startTestGateway({
    upstream: (_req, res) => answerJson(res, 200, CHAT_ANSWER),
    providers: (url) => {
      upstreamUrl = url;
      return [provider("openai", "openai", `${url}/v1`)];
    },
  });
  let isOver = false;
  const statuses = new Map<number, number>();
  const work = async (): Promise<void> => {
    while (!isOver) {
      const { status } = await gateway.send(CHAT, { body: CHAT_BODY });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const workers = Array.from({ length: 4 }, work);
  for (let i = 0; i < RELOADS; i += 1) {
    // Every other time it has moved, so that its connections are closed under those who use them.
    const host = i % 2 === 0 ? upstreamUrl : upstreamUrl.replace("127.0.0.1", "localhost");
    gateway.setProviders([provider("openai", "openai", `${host}/v1`)]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  isOver = true;
  await Promise.all(workers);
  assert.deepEqual([...statuses.keys()], [200]);
  assert.ok((statuses.get(200) ?? 0) > 4, "there was load");
});
