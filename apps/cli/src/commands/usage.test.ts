/** Tokens and money in the terminal: sums, tables for spreadsheets, prices as people write them. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { cli, ID, SIGNED_IN, TIME, type Parsed } from "../cli-scene.test.ts";
import { money } from "../output/money.ts";
import { dollars, microsOf } from "../output/prices.ts";

const SUMS = {
  ...{ requests: 1_200, errors: 3, input_tokens: 1_000_000, output_tokens: 20_000 },
  ...{ cache_read_input_tokens: 5_000_000, cache_write_input_tokens: 0 },
};
const ROW = { day: null, user: null, model: null, client: null, provider: null, ...SUMS };
const ANN = { id: ID, username: "ann", name: "Ann" };
const ROWS = [
  { ...ROW, user: ANN, model: "gpt-x", cost_micros: 12_345_678, unpriced_requests: 0 },
  { ...ROW, user: ANN, model: "own", cost_micros: null, unpriced_requests: 7 },
];
const PRICE = {
  ...{ provider: "anthropic", model: "claude-x", origin: "catalog", catalog_version: "list 1" },
  ...{ valid_from: TIME, set_by: null },
  tiers: [
    { from_tokens: 0, input: 3e6, output: 15e6, cache_read: 3e5, cache_write: 3.75e6, cache_write_1h: null },
    { from_tokens: 200_001, input: 6e6, output: 22.5e6, cache_read: 6e5, cache_write: 7.5e6, cache_write_1h: null },
  ],
}; // prettier-ignore
const UNKNOWN = {
  ...{ provider: "openai-compat", model: "own", origin: null, tiers: [], catalog_version: null },
  ...{ valid_from: null, set_by: null },
};
const API = {
  variables: SIGNED_IN,
  "GET /api/v2/ai-gateway/usage": ({ query }: Parsed) => ({
    ...{
      from: "2026-01-01",
      to: "2026-01-02",
      time_zone: "UTC",
      group_by: String(query["group_by"]).split(","),
    },
    ...{ total: { ...SUMS, cost_micros: 12_345_678, unpriced_requests: 7 }, rows: ROWS, count: 2 },
  }),
  "GET /api/v2/ai-gateway/prices": () => ({ prices: [PRICE, UNKNOWN], count: 2 }),
  "PUT /api/v2/ai-gateway/prices": () => PRICE,
  "DELETE /api/v2/ai-gateway/prices": () => null,
};

test("usage is summed up by what is asked, and says what has no known price", async () => {
  const args = ["usage", "--by", "user", "--by", "model", "--time-zone", "UTC", "--user", "me"];
  const run = await cli(args, API);
  const asked = new URL(run.requests[0]?.path ?? "", "http://x").searchParams;
  assert.deepEqual([asked.get("group_by"), asked.get("q")], ["user,model", "initiator:me"]);
  assert.deepEqual(
    run.out.trimEnd().split("\n").map((line) => line.split(/ +/).join(" ")),
    [
      "USER MODEL REQUESTS ERRORS INPUT CACHED OUTPUT COST UNPRICED",
      "ann gpt-x 1.2K 3 1M 5M 20K $12.35 0",
      "ann own 1.2K 3 1M 5M 20K unknown 7",
      "Total 1.2K 3 1M 5M 20K $12.35 7",
    ],
  ); // prettier-ignore
  const csv = await cli([...args, "--csv"], API);
  assert.deepEqual(csv.out.trimEnd().split("\r\n").slice(1), [
    "ann,gpt-x,1200,3,1000000,20000,5000000,0,12.345678,0",
    "ann,own,1200,3,1000000,20000,5000000,0,,7",
  ]);
  assert.deepEqual(JSON.parse((await cli([...args, "--json"], API)).out).rows, ROWS);
  const many = ["user", "day", "model", "client"].flatMap((each) => ["--by", each]);
  assert.equal((await cli(["usage", ...many], API)).exitCode, 2);
});

test("prices are dollars for a million tokens, and an unknown one says so", async () => {
  const listed = await cli(["ai-prices", "list"], API);
  assert.match(
    listed.out,
    /anthropic +claude-x +catalog +any +\$3\.00 +\$15\.00 +\$0\.30 +\$3\.75 +-/,
  );
  assert.match(listed.out, /≥200K +\$6\.00 +\$22\.50/);
  assert.match(listed.out, /openai-compat +own +unknown/);
  const prices = ["--input", "0.25", "--output", "$1.5", "--cache-read", "0.000001"];
  const set = await cli(["ai-prices", "set", "own", "--provider", "openai-compat", ...prices], API);
  assert.deepEqual(JSON.parse(set.requests.at(-1)?.body ?? ""), {
    ...{ provider: "openai-compat", model: "own", input: 250_000, output: 1_500_000 },
    ...{ cache_read: 1, cache_write: null, cache_write_1h: null },
  });
  for (const wrong of ["-1", "1e3", "0.0000001", "", "free"]) {
    const args = ["ai-prices", "set", "m", "--provider", "openai", "--output", "1"];
    assert.equal((await cli([...args, `--input=${wrong}`], API)).exitCode, 2, wrong);
  }
  const deleted = await cli(["ai-prices", "delete", "own", "--provider", "openai-compat"], API);
  assert.match(deleted.requests.at(-1)?.path ?? "", /provider=openai-compat&model=own/);
});

test("apply goes on until the last part, and sums up", async () => {
  let parts = 0;
  const apply = ({ body }: Parsed) => {
    parts += 1;
    const { after } = body as { after?: string };
    assert.equal(after, parts === 1 ? undefined : "here");
    const next = parts === 1 ? "here" : null;
    return { examined: 10, changed: parts, cost_change_micros: 2_000_000, next };
  };
  const api = { ...API, "POST /api/v2/ai-gateway/prices/apply": apply };
  const run = await cli(["ai-prices", "apply", "--since", "30d"], api);
  assert.match(run.out, /Counted 20 requests, of which 3 changed: \$4\.00 in all\./);
  assert.equal((await cli(["ai-prices", "apply"], api)).exitCode, 2);
});

test("money is shown as what it is", () => {
  const table: [number | null, string][] = [
    [null, "unknown"],
    [0, "$0.0000"],
    [1, "<$0.0001"],
    [50, "$0.0001"],
    [123_456, "$0.1235"],
    [999_960, "$1.0000"],
    [1_000_000, "$1.00"],
    [12_345_678, "$12.35"],
    [-5_000_000, "-$5.00"],
  ];
  for (const [micros, text] of table) assert.equal(money(micros), text);
  fc.assert(
    fc.property(fc.nat(999_999_999), (micros) => {
      assert.equal(microsOf(dollars(micros)), micros);
    }),
  );
});
