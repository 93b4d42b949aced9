/** What is recorded of a request's attempts, through the whole gateway. */
import type { RequestTrail } from "@atelier/contract/rpc/request-trail";
import { FakeClock } from "@atelier/testkit/fake-clock";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { GatewayConfig } from "../start.ts";
import { AttemptLog, ATTEMPTS_TOLD_MAX } from "./attempt-log.ts";
import { TIMEOUTS, TOKEN } from "./gateway-testkit.ts";
import {
  CHAT,
  CHAT_BODY,
  MESSAGES,
  MESSAGES_BODY,
  MESSAGE_START,
} from "./gateway-traffic-testkit.ts";
import {
  fine,
  OVERLOADED,
  refuses,
  streams,
  worldOf,
  type Reply,
  type World,
} from "./key-world-testkit.ts";

const FAULTS: Partial<GatewayConfig> = { failover: "faults" };
const BREAKER = { failureThreshold: 1, intervalMs: 10_000, openMs: 60_000, probesMax: 1 };
const chat = (world: World) => world.send(CHAT, { body: CHAT_BODY });
const messages = (world: World) => world.send(MESSAGES, { body: MESSAGES_BODY });

/** `hint-1 first set_aside 429 temporary`; of what was passed over: `(hint-1 resting)`. */
function story(trail: RequestTrail | null | undefined): string[] {
  if (trail === null || trail === undefined) return ["unknown"];
  if (trail.kind === "plain") return [`plain ${trail.reason}`];
  const passed = (keys: readonly { keyHint: string; why: string }[]): string[] =>
    keys.map(({ keyHint, why }) => `(${keyHint} ${why})`);
  const attempts = trail.attempts.map((each) =>
    [
      ...[each.keyHint, each.reason, ...passed(each.passedOver), each.outcome],
      ...[each.status, each.cause, each.keyEffect?.state, each.isRepaired || null],
    ]
      .filter((word) => word !== null && word !== undefined)
      .join(" "),
  );
  const { refusal, breaker } = trail;
  const ours = refusal === null ? [] : [[refusal.kind, ...passed(refusal.passedOver)].join(" ")];
  return [...attempts, ...ours, ...(breaker === null ? [] : [`breaker ${breaker}`])];
}

type Case = {
  readonly name: string;
  readonly replies: readonly Reply[];
  readonly config?: Partial<GatewayConfig>;
  readonly ask?: (world: World) => Promise<unknown>;
  /** Of each request in turn. */
  readonly want: readonly (readonly string[])[];
};

const resets: Reply = (res) => res.socket?.resetAndDestroy();

const CASES: readonly Case[] = [
  { name: "the first key serves", replies: [fine, fine], want: [["plain first"]] },
  {
    name: "a throttled key, and later one that rests",
    replies: [refuses(429, { "retry-after": "30" }), fine],
    want: [
      ["hint-1 first set_aside 429 temporary", "hint-2 next answered 200"],
      ["hint-2 free (hint-1 resting) answered 200"],
    ],
  },
  {
    name: "a key refused for good",
    replies: [refuses(401), fine],
    config: { keyAuthFailurePolicy: "permanent" },
    want: [
      ["hint-1 first set_aside 401 permanent", "hint-2 next answered 200"],
      ["hint-2 free (hint-1 refused) answered 200"],
    ],
  },
  {
    name: "a stream that begins with an overload",
    replies: [streams(OVERLOADED), streams(OVERLOADED)],
    ask: messages,
    want: [["hint-1 first overloaded 200", "hint-2 next overloaded 200"]],
  },
  {
    name: "all keys throttled: the next request reaches nobody",
    replies: [refuses(429), refuses(429)],
    want: [
      [
        "hint-1 first set_aside 429 temporary",
        "hint-2 next set_aside 429 temporary",
        "keys_resting",
      ],
      ["keys_resting (hint-1 resting) (hint-2 resting)"],
    ],
  },
  {
    name: "all keys refused",
    replies: [refuses(401)],
    config: { keyAuthFailurePolicy: "permanent" },
    want: [["hint-1 first set_aside 401 permanent", "keys_refused"], ["keys_refused (hint-1 refused)"]],
  },
  {
    name: "a fault that is the client's, which opens the breaker",
    replies: [refuses(503)],
    config: { circuitBreaker: BREAKER },
    want: [["hint-1 first answered 503", "breaker opened"], ["breaker_open"]],
  },
  {
    name: "a connection that breaks",
    replies: [resets],
    want: [["hint-1 first unreachable ECONNRESET"]],
  },
  {
    name: "a broken connection that the next key makes good",
    replies: [resets, fine],
    config: FAULTS,
    want: [["hint-1 first unreachable ECONNRESET", "hint-2 next answered 200"]],
  },
  {
    name: "faults until the key rests, then as a last resort",
    replies: [refuses(500)],
    config: FAULTS,
    want: [
      ["hint-1 first answered 500"],
      ["hint-1 first answered 500 temporary"],
      ["hint-1 last_resort answered 500 temporary"],
    ],
  },
  {
    name: "an answer that was kept is the client's after all",
    replies: [refuses(500), resets],
    config: FAULTS,
    want: [["hint-1 first answered 500", "hint-2 next unreachable ECONNRESET"]],
  },
  {
    name: "silence",
    replies: [() => {}, fine],
    config: { ...FAULTS, upstreamTimeouts: { ...TIMEOUTS, headerMs: 200 } },
    want: [["hint-1 first timeout NOT_BEGUN_IN_TIME temporary", "hint-2 next answered 200"]],
  },
  {
    name: "a stream that breaks off",
    replies: [streams(MESSAGE_START)],
    ask: messages,
    want: [["hint-1 first cut 200 the stream ended without its last event"]],
  },
  {
    name: "an answer that is the client's mistake",
    replies: [refuses(400), fine],
    want: [["hint-1 first answered 400"]],
  },
  {
    name: "the caller's own credential",
    replies: [],
    ask: (world) =>
      world.send(CHAT, {
        body: CHAT_BODY,
        token: null,
        headers: { "x-coder-ai-governance-token": TOKEN, authorization: "Bearer sk-key-1" },
      }),
    want: [["plain own"]],
  },
]; // prettier-ignore

for (const { name, replies, config = {}, ask = chat, want } of CASES) {
  test(`attempts of ${name}`, async () => {
    await using world = await worldOf(replies, config);
    for (const [i, each] of want.entries()) {
      await ask(world);
      const ends = await world.ended(i + 1);
      assert.deepEqual(story(ends[i]!.trail), each);
    }
  });
}

test("a rest that was waited for, its length, and when the key comes back", async () => {
  let asked = 0;
  const reply: Reply = (res) => {
    asked += 1;
    (asked === 1 ? refuses(429, { "retry-after-ms": "100" }) : fine)(res);
  };
  await using world = await worldOf([reply], { keyWaitMs: 5_000 });
  assert.equal((await chat(world)).status, 200);
  const [end] = await world.ended(1);
  assert.deepEqual(story(end!.trail), [
    "hint-1 first set_aside 429 temporary",
    "hint-1 rested answered 200",
  ]);
  assert.ok(end!.trail?.kind === "told");
  const [first, second] = end!.trail.attempts;
  assert.ok(first!.keyEffect!.until!.getTime() >= end!.startedAt.getTime() + 99);
  assert.ok(second!.waitedMs! > 0 && second!.waitedMs! <= 100, `${second!.waitedMs}`);
  assert.ok(second!.offsetMs >= first!.offsetMs + first!.durationMs + second!.waitedMs! - 1);
});

test("of very many attempts the last is told, and how many are not", () => {
  const log = new AttemptLog(new FakeClock());
  const about = { reason: "next", passedOver: [], waitedMs: null, beganAtMs: 0 } as const;
  for (let i = 1; i <= ATTEMPTS_TOLD_MAX + 3; i += 1) {
    log.began({ keyHint: `hint-${i}`, ...about });
    log.setAside({ kind: "failed", failure: { kind: "cut", cause: "X".repeat(900), detail: "" } });
  }
  const trail = log.trail(null);
  assert.ok(trail.kind === "told");
  assert.deepEqual(
    [trail.attempts.length, trail.attempts.at(-1)!.keyHint, trail.attemptsLeftOut],
    [ATTEMPTS_TOLD_MAX, `hint-${ATTEMPTS_TOLD_MAX + 3}`, 3],
  );
  assert.equal(trail.attempts[0]!.cause!.length, 64);
});
