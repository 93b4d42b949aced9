/** A provider with keys that an upstream answers each in its own way. For tests only. */
import { Secret } from "@atelier/base/secret";
import { systemClock } from "@atelier/base/system-clock";
import type { ServerResponse } from "node:http";
import {
  answerJson,
  provider,
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
} from "./gateway-testkit.ts";
import {
  CHAT,
  CHAT_ANSWER,
  CHAT_BODY,
  MESSAGES,
  MESSAGES_BODY,
  RESPONSES,
} from "./gateway-traffic-testkit.ts";

const RESPONSES_BODY = `{"model":"m","input":"hi","stream":true}`;
export const OVERLOADED = `event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n`;
const REQUESTS = [
  { kind: "chat, blocking", path: CHAT, method: "POST", body: CHAT_BODY },
  {
    kind: "chat, streaming",
    path: CHAT,
    method: "POST",
    body: CHAT_BODY.replace("{", `{"stream":true,`),
  },
  {
    kind: "responses, blocking",
    path: RESPONSES,
    method: "POST",
    body: RESPONSES_BODY.replace("true", "false"),
  },
  { kind: "responses, streaming", path: RESPONSES, method: "POST", body: RESPONSES_BODY },
  {
    kind: "messages, blocking",
    path: MESSAGES,
    method: "POST",
    body: MESSAGES_BODY.replace("true", "false"),
  },
  { kind: "messages, streaming", path: MESSAGES, method: "POST", body: MESSAGES_BODY },
  { kind: "passing through", path: "/openai/v1/models", method: "GET", body: "" },
] as const;

/** The requests that every case of the matrix is played with. */
export const KINDS = REQUESTS.map((each) => ({
  ...each,
  isRecorded: each.method === "POST",
  play: (world: World) => {
    const { path, method, body } = each;
    return world.send(path, method === "GET" ? { method } : { method, body });
  },
}));

export type Reply = (res: ServerResponse) => void;

export const fine: Reply = (res) => answerJson(res, 200, CHAT_ANSWER);
export const refuses =
  (status: number, headers: Record<string, string> = {}): Reply =>
  (res) => {
    res.writeHead(status, { "content-type": "application/json", ...headers });
    res.end(`{"error":{"message":"refused with ${status}","type":"x"}}`);
  };
export const streams =
  (text: string): Reply =>
  (res) => {
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.end(text);
  };

export type World = TestGateway & { readonly calls: string[] };

/** A provider with keys k1, k2 …, each of which the upstream answers its own way. */
export async function worldOf(
  replies: readonly Reply[],
  config: TestGatewayOptions["config"] = {},
  { clock = systemClock }: Pick<TestGatewayOptions, "clock"> = {},
): Promise<World> {
  const calls: string[] = [];
  const keys = replies.map((_, i) => ({
    id: `k${i + 1}`,
    secret: new Secret(`sk-key-${i + 1}`),
    hint: `hint-${i + 1}`,
  }));
  const gateway = await startTestGateway({
    ...{ config, clock },
    upstream: (req, res) => {
      const credential = req.headers.authorization ?? req.headers["x-api-key"];
      const index = Number(/sk-key-(\d+)/.exec(String(credential))?.[1] ?? 0);
      calls.push(`k${index}`);
      req.resume().on("end", () => (replies[index - 1] ?? fine)(res));
    },
    providers: (url) => [
      provider("openai", "openai", `${url}/v1`, { keys }),
      provider("anthropic", "anthropic", url, { keys }),
    ],
  });
  return Object.assign(gateway, { calls });
}

export function providerIdOf(path: string): string {
  return path.startsWith("/openai") ? "id-openai" : "id-anthropic";
}

export function healthOf(world: World, path: string): string[] {
  return world.gateway.health
    .keysOf(providerIdOf(path))
    .map(({ keyId, state }) => `${keyId} ${state}`);
}
