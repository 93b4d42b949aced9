/** One's own provider keys: how they are shown, and how a key gets in. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { cli, ID, SIGNED_IN, TIME, type Parsed } from "../cli-scene.test.ts";

const UNSET = {
  provider_id: ID,
  provider_name: "anthropic",
  provider_display_name: "",
  provider_type: "anthropic",
  provider_enabled: false,
  allow_user_api_key: true,
  user_api_key_required: false,
  is_set: false,
  masked: null,
  created_at: null,
  updated_at: null,
};
const SET = {
  ...UNSET,
  provider_name: "openai",
  provider_type: "openai",
  provider_enabled: true,
  is_set: true,
  masked: "sk-o...cdef",
  created_at: TIME,
  updated_at: TIME,
};
const LIST = "GET /api/v2/users/:user/ai/provider-keys";
const PUT = "PUT /api/v2/users/:user/ai/provider-keys/:provider";
const DELETE = "DELETE /api/v2/users/:user/ai/provider-keys/:provider";

test("providers are listed with the key that one has, if there is one", async () => {
  const answer = { provider_keys: [UNSET, SET], count: 2, byok_enabled: true };
  const api = { variables: SIGNED_IN, [LIST]: () => answer };
  const run = await cli(["ai", "keys", "list"], api);
  assert.deepEqual(run.out.split("\n"), [
    "PROVIDER   TYPE       ON   KEY          SET",
    "anthropic  anthropic  no   -            -",
    "openai     openai     yes  sk-o...cdef  just now",
    "",
  ]);
  assert.equal(run.err, "");
  const json = await cli(["ai", "keys", "list", "--user", "bob", "--json"], api);
  assert.deepEqual(JSON.parse(json.out), answer);
  assert.equal(json.requests[0]?.path, "/api/v2/users/bob/ai/provider-keys");
});

test("a deployment that lets no such keys serve says so", async () => {
  const answer = { provider_keys: [], count: 0, byok_enabled: false };
  const run = await cli(["ai", "keys", "list"], { variables: SIGNED_IN, [LIST]: () => answer });
  assert.equal(run.out, "No model providers.\n");
  assert.match(run.err, /not enabled here/);
});

test("a key comes from stdin, a file or a question, never from the command line", async () => {
  const directory = await mkdtemp(join(tmpdir(), "atelier-cli-"));
  const file = join(directory, "key");
  await writeFile(file, "from-file\n");
  const bodies: unknown[] = [];
  const api = {
    variables: SIGNED_IN,
    [PUT]: ({ body }: Parsed) => {
      bodies.push(body);
      return SET;
    },
  };
  const words = ["ai", "keys", "set", "openai"];
  const run = await cli([...words, "--api-key-stdin"], { ...api, stdin: "from-stdin\n" });
  assert.match(run.out, /^Set\.\n\nPROVIDER .*\nopenai .* sk-o\.\.\.cdef /);
  await cli([...words, "--api-key-file", file], api);
  await cli(words, { ...api, answers: ["typed"] });
  assert.deepEqual(bodies, [
    { api_key: "from-stdin" },
    { api_key: "from-file" },
    { api_key: "typed" },
  ]);
  for (const wrong of [
    words,
    [...words, "sk-0123456789abcdef"],
    [...words, "--api-key", "sk-0123456789abcdef"],
    [...words, "--api-key-stdin", "--api-key-file", file],
  ]) {
    const refused = await cli(wrong, { ...api, stdin: "k" });
    assert.deepEqual([refused.exitCode, refused.requests], [2, []]);
    assert.doesNotMatch(refused.err + refused.out, /sk-0123456789abcdef/);
  }
  await rm(directory, { recursive: true });
});

test("a refusal tells what an operator can do", async () => {
  const run = await cli(["ai", "keys", "set", "openai", "--api-key-stdin"], {
    variables: SIGNED_IN,
    stdin: "k",
    [PUT]: () => "ai_user_key.byok_disabled" as const,
  });
  assert.equal(run.exitCode, 1);
  assert.match(run.err, /not enabled[^]*ai-gateway-allow-byok/);
});

test("removing asks first, and administrators name the user", async () => {
  const api = { variables: SIGNED_IN, [DELETE]: () => null };
  const own = await cli(["ai", "keys", "remove", "openai"], { ...api, answers: [true] });
  assert.equal(own.out, "Removed the key for openai.\n");
  assert.equal(own.requests[0]?.path, "/api/v2/users/me/ai/provider-keys/openai");
  const others = await cli(["ai", "keys", "remove", "openai", "--user", "bob", "-y"], api);
  assert.equal(others.requests[0]?.path, "/api/v2/users/bob/ai/provider-keys/openai");
  const nobody = await cli(["ai", "keys", "remove", "openai"], api);
  assert.deepEqual([nobody.exitCode, nobody.requests], [2, []]);
});
