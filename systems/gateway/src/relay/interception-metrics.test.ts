/** Counts that a provider makes up do no harm. */
import type { InterceptionEnd, InterceptionStart } from "@atelier/contract/rpc/gateway-ports";
import { createMetrics } from "@atelier/host/metrics";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelLabels } from "../labels/model-labels.ts";
import { CALLER } from "./gateway-testkit.ts";
import { createGatewayMetrics } from "./gateway-metrics.ts";
import { InterceptionMetrics } from "./interception-metrics.ts";

const START: InterceptionStart = {
  id: "i",
  caller: CALLER,
  provider: { type: "openai", name: "p" },
  model: "m",
  client: "Unknown",
  clientSessionId: null,
  userAgent: "",
  correlatingToolCallId: null,
  credentialKind: "centralized",
  credentialHint: "",
  startedAt: new Date(1_000),
};

const endWith = (tokens: Partial<InterceptionEnd["tokens"][number]>): InterceptionEnd => ({
  id: "i",
  startedAt: START.startedAt,
  // The host's clock was set back meanwhile.
  endedAt: new Date(0),
  credentialHint: "",
  error: null,
  tokens: [
    {
      responseId: "",
      input: 0,
      output: 0,
      cacheReadInput: 0,
      cacheWriteInput: 0,
      extra: {},
      ...tokens,
    },
  ],
  prompts: [],
  toolCalls: [],
  thoughts: [],
  trail: null,
});

test("negative, infinite and missing counts count nothing, and no time is negative", async () => {
  const metrics = createMetrics();
  const interceptions = new InterceptionMetrics({
    metrics: createGatewayMetrics(metrics),
    labels: new ModelLabels(),
    isByUser: false,
  });
  const series = interceptions.seriesOf(START, "/r");
  series.ended(endWith({ input: -5, output: Infinity, extra: { odd: Number.NaN } }), START);
  series.ended(endWith({ input: 3 }), START);
  interceptions.flush();
  const lines = (await metrics.render()).split("\n");
  const named = (name: string) =>
    lines.filter((line) => line.startsWith(`atelier_ai_gateway_${name}`));
  assert.deepEqual(named("tokens_total"), [
    'atelier_ai_gateway_tokens_total{provider="p",model="m",type="input",client="Unknown"} 3',
  ]);
  const [sum] = named("interceptions_duration_seconds_sum");
  assert.equal(
    sum,
    'atelier_ai_gateway_interceptions_duration_seconds_sum{provider="p",model="m"} 0',
  );
  assert.equal(interceptions.seriesOf(START, "/r"), series, "counters are found once");
});

test("durations are counted when somebody looks, and none is lost in a burst", async () => {
  const metrics = createMetrics();
  const interceptions = new InterceptionMetrics({
    metrics: createGatewayMetrics(metrics),
    labels: new ModelLabels(),
    isByUser: false,
  });
  const series = interceptions.seriesOf(START, "/r");
  const counted = async (): Promise<string | undefined> => {
    interceptions.flush();
    const lines = (await metrics.render()).split("\n");
    return lines
      .find((line) => /duration_seconds_(?:sum|count)/.test(line))
      ?.split(" ")
      .at(-1);
  };
  const afterOneSecond = { ...endWith({}), endedAt: new Date(2_000) };
  series.ended(afterOneSecond, START);
  assert.equal(await counted(), "1");
  for (let ended = 1; ended < 200; ended += 1) series.ended(afterOneSecond, START);
  assert.equal(await counted(), "200");
  assert.equal(await counted(), "200", "what was told is not told again");
});

test("with very many users every call still counts once", async () => {
  const metrics = createMetrics();
  const interceptions = new InterceptionMetrics({
    metrics: createGatewayMetrics(metrics),
    labels: new ModelLabels(),
    isByUser: true,
  });
  const startOf = (user: number): InterceptionStart => {
    return { ...START, caller: { ...CALLER, userId: `user-${user}` } };
  };
  const underWay = interceptions.seriesOf(startOf(0), "/r");
  underWay.began();
  for (let user = 1; user <= 10_000; user += 1) interceptions.seriesOf(startOf(user), "/r");
  underWay.relayed(0);
  underWay.ended(endWith({ input: 3 }), startOf(0));
  interceptions.flush();
  const lines = (await metrics.render()).split("\n");
  const counts = lines.filter((line) =>
    /inflight\{|tokens_total\{|"user-0".*"completed"/.test(line),
  );
  assert.deepEqual(
    counts.map((line) => line.split(" ").at(-1)),
    ["1", "0", "3"],
  );
});

test("tools that clients make up share one label past five hundred", () => {
  const labels = new ModelLabels();
  const names = new Set<string>();
  for (let i = 0; i < 600; i += 1) names.add(labels.toolOf("p", "m", `tool-${i}`));
  assert.equal(names.size, 501);
  assert.ok(names.has("other"));
});
