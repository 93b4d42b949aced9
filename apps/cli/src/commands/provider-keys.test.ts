/** Single keys of a model provider: how they are shown, and what acts on them. */
import assert from "node:assert/strict";
import test from "node:test";
import { cli, ID, SIGNED_IN, TIME, type Parsed } from "../cli-scene.test.ts";

const FIRST = "0b8f1f5e-1111-4a4a-8b8b-0a4c1f1e2d3c";
const SECOND = "0b8f1f5e-2222-4a4a-8b8b-0a4c1f1e2d3c";
const THIRD = "0b8f1f5e-3333-4a4a-8b8b-0a4c1f1e2d3c";
const WELL = {
  enabled: true,
  state: "valid",
  last_error: null,
  returns_at: null,
  under_way: null as number | null,
  last_checked_at: null as string | null,
  created_at: TIME,
};
const KEYS = [
  {
    ...WELL,
    id: FIRST,
    masked: "sk-a...wxyz",
    state: "temporary",
    last_error: { status: 429, message: "slow\u001b[2J down", at: TIME },
    returns_at: "2026-01-01T00:00:45.000Z",
  },
  {
    ...WELL,
    id: SECOND,
    masked: "sk-b...wxyz",
    state: "permanent",
    last_error: { status: 401, message: "invalid x-api-key", at: "2025-12-31T21:00:00.000Z" },
  },
  { ...WELL, id: THIRD, masked: "sk-c...wxyz", enabled: false, state: "unknown" },
];
const PROVIDER = {
  id: ID,
  type: "openai",
  name: "main",
  display_name: "",
  enabled: true,
  base_url: "https://api.openai.com/v1",
  api_keys: KEYS,
  max_concurrency_per_key: null as number | null,
  central_api_key_enabled: true,
  allow_user_api_key: true,
  allow_central_api_key_fallback: true,
  settings: {},
  settings_masked: {},
  status: { state: "enabled", warnings: [] as string[], breakers: [] as object[], waiting: 0 },
  created_at: TIME,
  updated_at: TIME,
};
const WELL_PROVIDER = {
  ...PROVIDER,
  name: "well",
  api_keys: [{ ...WELL, id: FIRST, masked: "k" }],
};

test("keys are listed in their order, with what is wrong with them", async () => {
  const api = { variables: SIGNED_IN, "GET /api/v2/ai/providers/:provider": () => PROVIDER };
  const words = ["providers", "keys", "list", "main"];
  assert.deepEqual((await cli(words, api)).out.split("\n"), [
    "KEY          ON   STATE      LAST ERROR                      RETURNS  ID",
    `sk-a...wxyz  yes  temporary  429, just now: slow\ufffd[2J down    in 45s   ${FIRST}`,
    `sk-b...wxyz  yes  permanent  401, 3h ago: invalid x-api-key  -        ${SECOND}`,
    `sk-c...wxyz  no   disabled   -                               -        ${THIRD}`,
    "",
  ]);
  const json = await cli([...words, "--json"], api);
  assert.deepEqual(JSON.parse(json.out), { api_keys: KEYS, count: 3 });
  const narrow = await cli([...words, "--no-color"], { ...api, columns: 90 });
  for (const line of narrow.out.split("\n")) assert.ok(line.length <= 90, line);
  assert.ok(narrow.out.includes(FIRST), "ids stay whole");
});

test("a fault without an answer is told as such", async () => {
  const last_error = { status: null, message: "could not be reached", at: TIME };
  const run = await cli(["providers", "keys", "list", "main"], {
    variables: SIGNED_IN,
    "GET /api/v2/ai/providers/:provider": () => ({
      ...PROVIDER,
      api_keys: [{ ...WELL, id: FIRST, masked: "k", last_error }],
    }),
  });
  assert.match(run.out, /no answer, just now: could not be reached/);
});

test("a provider without keys says who brings them", async () => {
  const run = await cli(["providers", "keys", "list", "main"], {
    variables: SIGNED_IN,
    "GET /api/v2/ai/providers/:provider": () => ({ ...PROVIDER, api_keys: [] }),
  });
  assert.match(run.out, /^No keys: callers bring their own/);
});

for (const [verb, enabled] of [
  ["enable", true],
  ["disable", false],
] as const) {
  test(`keys ${verb} switches one key and shows them all`, async () => {
    const bodies: unknown[] = [];
    const run = await cli(["providers", "keys", verb, "main", FIRST], {
      variables: SIGNED_IN,
      "PATCH /api/v2/ai/providers/:provider/keys/:key": ({ body }) => {
        bodies.push(body);
        return PROVIDER;
      },
    });
    assert.equal(run.exitCode, 0, run.err);
    assert.deepEqual(bodies, [{ enabled }]);
    assert.match(run.out, new RegExp(`^${verb === "enable" ? "Enabled" : "Disabled"}\\.\n\nKEY`));
    assert.equal(run.requests[0]?.path, `/api/v2/ai/providers/main/keys/${FIRST}`);
  });
}

test("a key is moved to its place among all that there are", async () => {
  const bodies: unknown[] = [];
  const api = {
    variables: SIGNED_IN,
    "GET /api/v2/ai/providers/:provider": () => PROVIDER,
    "PUT /api/v2/ai/providers/:provider/keys/order": ({ body }: Parsed) => {
      bodies.push(body);
      return PROVIDER;
    },
  };
  const ids = KEYS.map(({ id }) => id);
  const last = ids.at(-1) ?? "";
  const moved = await cli(["providers", "keys", "move", "main", last, "1"], api);
  assert.match(moved.out, /^Moved\.\n\nKEY/);
  await cli(["providers", "keys", "move", "main", ids[0] ?? "", "99"], api);
  assert.deepEqual(bodies, [
    { key_ids: [last, ...ids.slice(0, -1)] },
    { key_ids: [...ids.slice(1), ids[0]] },
  ]);
  const words = ["providers", "keys", "move", "main"];
  assert.equal((await cli([...words, last, "0"], api)).exitCode, 2);
  assert.equal((await cli([...words, PROVIDER.id, "1"], api)).exitCode, 4);
  assert.equal(bodies.length, 2);
});

test("a reset says that it is done, and an unknown key that there is none", async () => {
  const words = ["providers", "keys", "reset", "main", FIRST];
  const route = "POST /api/v2/ai/providers/:provider/keys/:key/reset";
  const run = await cli(words, { variables: SIGNED_IN, [route]: () => null });
  assert.equal(run.out, `Every server tries key ${FIRST} of main again.\n`);
  const json = await cli([...words, "--json"], { variables: SIGNED_IN, [route]: () => null });
  assert.deepEqual(JSON.parse(json.out), { reset: FIRST });
  const unknown = await cli(words, {
    variables: SIGNED_IN,
    [route]: () => "resource.not_found" as const,
  });
  assert.equal(unknown.exitCode, 4);
});

test("the status of all providers counts keys by state, and names breakers and warnings", async () => {
  const breaker = {
    endpoint: "/v1/responses",
    model: "gpt-5",
    state: "half_open",
    retries_at: "2026-01-01T00:00:30.000Z",
  };
  const ill = {
    ...PROVIDER,
    status: { state: "error", warnings: ["base URL: wrong"], breakers: [breaker], waiting: 0 },
  };
  const answer = { providers: [ill, WELL_PROVIDER], count: 2 };
  const api = { variables: SIGNED_IN, "GET /api/v2/ai/providers": () => answer };
  const run = await cli(["providers", "status"], api);
  assert.deepEqual(run.out.split("\n"), [
    "PROVIDER  STATE    KEYS                                  BREAKERS",
    "main      error    1 temporary, 1 permanent, 1 disabled  1 not closed",
    "well      enabled  1 valid                               -",
    "",
    "PROVIDER  ENDPOINT       MODEL  BREAKER    RETRIES",
    "main      /v1/responses  gpt-5  half-open  in 30s",
    "",
    "PROVIDER  WARNING",
    "main      base URL: wrong",
    "",
  ]);
  const json = await cli(["providers", "status", "--json"], api);
  assert.deepEqual(JSON.parse(json.out), answer);
});

test("a refused key says when it was checked", async () => {
  const checked = { ...KEYS[1], last_checked_at: "2025-12-31T23:59:00.000Z" };
  const provider = { ...PROVIDER, api_keys: [checked] };
  const api = { variables: SIGNED_IN, "GET /api/v2/ai/providers/:provider": () => provider };
  const { out } = await cli(["providers", "keys", "list", "main"], api);
  assert.match(out, /401, 3h ago: invalid x-api-key \(checked 1m ago\)/);
});

test("the status says how busy keys with a limit are, and who waits", async () => {
  const limited = {
    ...WELL_PROVIDER,
    max_concurrency_per_key: 4,
    api_keys: WELL_PROVIDER.api_keys.map((key) => ({ ...key, under_way: 3 })),
  };
  const busy = { ...limited, name: "busy", status: { ...limited.status, waiting: 2 } };
  const providers = [limited, busy, { ...WELL_PROVIDER, name: "free" }];
  const answer = { providers, count: 3 };
  const api = { variables: SIGNED_IN, "GET /api/v2/ai/providers": () => answer };
  assert.deepEqual((await cli(["providers", "status"], api)).out.split("\n"), [
    "PROVIDER  STATE    KEYS     IN USE             BREAKERS",
    "well      enabled  1 valid  3 of 4             -",
    "busy      enabled  1 valid  3 of 4, 2 waiting  -",
    "free      enabled  1 valid  -                  -",
    "",
  ]);
});

test("of providers that are well the status is one table; of none it is a hint", async () => {
  const of = async (providers: object[]) => {
    const answer = { providers, count: providers.length };
    const api = { variables: SIGNED_IN, "GET /api/v2/ai/providers": () => answer };
    return (await cli(["providers", "status"], api)).out;
  };
  assert.match(await of([WELL_PROVIDER]), /^PROVIDER .*\nwell .*\n$/);
  assert.match(await of([]), /^No model providers\. Add one/);
});

test("switching a whole provider sends just that", async () => {
  const bodies: unknown[] = [];
  const api = {
    variables: SIGNED_IN,
    "PATCH /api/v2/ai/providers/:provider": ({ body }: { readonly body: unknown }) => {
      bodies.push(body);
      return PROVIDER;
    },
  };
  const disabled = await cli(["providers", "disable", "main"], api);
  const enabled = await cli(["providers", "enable", "main"], api);
  assert.deepEqual(bodies, [{ enabled: false }, { enabled: true }]);
  assert.deepEqual(
    [disabled.out, enabled.out],
    ["Disabled model provider main.\n", "Enabled model provider main.\n"],
  );
});
