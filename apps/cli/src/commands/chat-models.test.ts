/** Models for chats in the terminal: how they are named, what is sent, what is refused at once. */
import assert from "node:assert/strict";
import test from "node:test";
import { cli, ID, SIGNED_IN, TIME, type Parsed } from "../cli-scene.test.ts";

const OTHER = "99999999-9999-4999-8999-999999999999";
const MODEL = {
  ...{ id: ID, organization_id: ID, ai_provider_id: OTHER, provider: "openai", model: "gpt-x" },
  ...{ display_name: "The one", enabled: true, is_default: true, context_limit: 1_000 },
  ...{ compression_threshold: 70, reasoning_efforts: ["none", "minimal", "low"], available: true },
  ...{ options: { temperature: 0.5 }, created_at: TIME, updated_at: TIME },
};
const PROVIDER = {
  ...{ id: OTHER, name: "ours", type: "openai", display_name: "", enabled: true },
  ...{ has_api_key: true, has_user_api_key: false, has_effective_api_key: true },
  ...{ allow_user_api_key: true, available: true, warnings: [] },
};
const keyless = { id: OTHER, model: "b", display_name: "", is_default: false, available: false };
const LIST = {
  models: [MODEL, { ...MODEL, ...keyless, unavailable_reason: "missing_api_key" }],
  ...{ providers: [PROVIDER], unsupported_providers: [], count: 2 },
};
const ROOT = "/api/v2/organizations/:organization/chats";
const API = {
  variables: SIGNED_IN,
  [`GET ${ROOT}/models`]: () => LIST,
  [`POST ${ROOT}/models`]: ({ body }: Parsed) => ({ ...MODEL, ...(body as object) }),
  [`PATCH ${ROOT}/models/:model`]: ({ body }: Parsed) => ({ ...MODEL, ...(body as object) }),
  [`DELETE ${ROOT}/models/:model`]: () => null,
  [`GET ${ROOT}/model-overrides`]: () => ({
    overrides: [{ context: "compaction", model_config_id: ID, reasoning_effort: "low" }],
  }),
  [`PUT ${ROOT}/model-overrides/:context`]: () => null,
} as const;

type Run = Awaited<ReturnType<typeof cli>>;
const bodyOf = ({ requests }: Run): unknown => JSON.parse(requests.at(-1)?.body ?? "null");

test("a list says which models can be used, and which not and why", async () => {
  const listed = await cli(["chat-models", "list"], API);
  assert.match(listed.out, /gpt-x +The one +openai +yes +yes/);
  assert.match(listed.out, /b +- +openai +missing api key/);
  const json = await cli(["chat-models", "list", "--json"], API);
  assert.deepEqual(JSON.parse(json.out), LIST);
  const none = { ...API, [`GET ${ROOT}/models`]: () => ({ ...LIST, models: [], count: 0 }) };
  assert.match((await cli(["chat-models", "list"], none)).out, /chat-models create/);
});

test("create finds the provider by its name, and sends what is given", async () => {
  const args = ["chat-models", "create", "gpt-y", "--provider", "ours", "--context-limit", "5000"];
  const options = '{"reasoning_effort":{"default":"low","max":"high"}}';
  const made = await cli([...args, "--options", options, "--default"], API);
  assert.deepEqual(bodyOf(made), {
    ...{ ai_provider_id: OTHER, model: "gpt-y", context_limit: 5_000, is_default: true },
    ...{ enabled: true, options: { reasoning_effort: { default: "low", max: "high" } } },
  });
  assert.match(made.out, /^Created\.\n\nModel +gpt-y/);
  assert.equal((await cli(["chat-models", "create", "gpt-y"], API)).exitCode, 2);
  const unknown = await cli(
    ["chat-models", "create", "x", "--provider", "no", "--context-limit", "5"],
    API,
  );
  assert.match(unknown.err, /no model provider called no/);
  for (const wrong of ["{", '{"max_tokens":1}', '{"temperature":9}']) {
    const refused = await cli([...args, "--options", wrong], API);
    assert.deepEqual([refused.exitCode, refused.requests.length], [2, 0], refused.err);
  }
});

test("update, set-default and delete find the model by any of its names", async () => {
  const path = `/api/v2/organizations/default/chats/models/${ID}`;
  for (const ref of ["gpt-x", "The one", ID]) {
    const run = await cli(
      ["chat-models", "update", ref, "--disable", "--compression-threshold", "0"],
      API,
    );
    const last = run.requests.at(-1);
    assert.deepEqual(
      [last?.path, bodyOf(run)],
      [path, { enabled: false, compression_threshold: 0 }],
    );
  }
  assert.equal((await cli(["chat-models", "update", "gpt-x"], API)).exitCode, 2);
  assert.equal(
    (await cli(["chat-models", "update", "gpt-x", "--compression-threshold", "101"], API)).exitCode,
    2,
  );
  const usual = await cli(["chat-models", "set-default", "gpt-x"], API);
  assert.deepEqual(
    [usual.out, bodyOf(usual)],
    ["gpt-x is the default now.\n", { is_default: true }],
  );
  const gone = await cli(["chat-models", "delete", "gpt-x", "-y"], API);
  assert.deepEqual([gone.out, gone.requests.at(-1)?.path], ["Deleted model gpt-x.\n", path]);
  assert.match(
    (await cli(["chat-models", "delete", "nothing", "-y"], API)).err,
    /No model for chats/,
  );
  const twins = {
    ...API,
    [`GET ${ROOT}/models`]: () => ({ ...LIST, models: [MODEL, { ...MODEL, id: OTHER }] }),
  };
  assert.equal((await cli(["chat-models", "set-default", "gpt-x"], twins)).exitCode, 2);
});

test("overrides are listed for every kind of work, set and taken away", async () => {
  const listed = await cli(["chat-models", "overrides", "list"], API);
  assert.match(listed.out, /compaction +gpt-x +low/);
  assert.match(listed.out, /advisor +the chat's own/);
  const set = await cli(
    ["chat-models", "overrides", "set", "advisor", "gpt-x", "--effort", "low"],
    API,
  );
  assert.deepEqual(bodyOf(set), { model_config_id: ID, reasoning_effort: "low" });
  const cleared = await cli(["chat-models", "overrides", "set", "advisor"], API);
  assert.deepEqual(bodyOf(cleared), { model_config_id: "" });
  assert.equal((await cli(["chat-models", "overrides", "set", "cooking"], API)).exitCode, 2);
});
