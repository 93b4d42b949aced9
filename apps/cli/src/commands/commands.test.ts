/** What commands send and refuse to send: confirmation, pages, filters, secrets, lists of keys. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { ANN, cli, ID, SIGNED_IN, TIME, type Parsed } from "../cli-scene.test.ts";

// What cannot be undone.

test("deleting asks, takes no for an answer, and needs -y when nobody is there", async () => {
  const api = { variables: SIGNED_IN, "DELETE /api/v2/users/:user": () => null } as const;
  const yes = await cli(["users", "delete", "bob"], { ...api, answers: [true] });
  assert.equal(yes.out, "Deleted user bob.\n");
  const no = await cli(["users", "delete", "bob"], { ...api, answers: [false] });
  assert.equal(no.exitCode, 1);
  assert.deepEqual(no.requests, []);
  for (const json of [[], ["--json"]]) {
    const nobody = await cli(["users", "delete", "bob", ...json], api);
    assert.equal(nobody.exitCode, 2);
    assert.deepEqual(nobody.requests, []);
  }
  const forced = await cli(["users", "delete", "bob", "-y", "--json"], api);
  assert.deepEqual(JSON.parse(forced.out), { deleted: "bob" });
});

test("--json asks nothing, although somebody is there", async () => {
  const run = await cli(["users", "delete", "bob", "--json"], {
    variables: SIGNED_IN,
    answers: [true],
  });
  assert.equal(run.exitCode, 2);
});

// Lists, page after page.

test("--all follows the pages to the end; --limit follows them as far as needed", async () => {
  const everybody = Array.from({ length: 450 }, (_, index) => ({
    ...ANN,
    id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
  }));
  const pages = {
    variables: SIGNED_IN,
    "GET /api/v2/users": ({ query }: Parsed) => {
      const start = everybody.findIndex(({ id }) => id === query["after_id"]) + 1;
      return { users: everybody.slice(start, start + Number(query["limit"])), count: 450 };
    },
  };
  const all = await cli(["users", "list", "--all", "--json"], pages);
  assert.deepEqual(JSON.parse(all.out), { users: everybody, count: 450 });
  assert.equal(all.requests.length, 3);
  const some = await cli(["users", "list", "--limit", "250", "--json"], pages);
  assert.equal((JSON.parse(some.out) as { users: unknown[] }).users.length, 250);
  assert.equal(some.requests.length, 2);
  const after = await cli(["users", "list", "--after", everybody[447]?.id ?? "", "--json"], pages);
  assert.equal((JSON.parse(after.out) as { users: unknown[] }).users.length, 2);
});

test("a server that repeats its page does not keep us", async () => {
  const run = await cli(["users", "list", "--all", "--json"], {
    variables: SIGNED_IN,
    "GET /api/v2/users": () => ({ users: Array.from({ length: 200 }, () => ANN), count: 9_999 }),
  });
  assert.equal(run.requests.length, 2);
});

test("filters become the search text of the API", async () => {
  const queries: unknown[] = [];
  await cli(["audit", "list", "--user", "ann", "--target", 'a "b" \\c', "--since", "24h"], {
    variables: SIGNED_IN,
    "GET /api/v2/audit": ({ query }) => {
      queries.push(query["q"]);
      return { audit_logs: [], count: 0 };
    },
  });
  assert.deepEqual(queries, [
    'username:ann resource_target:"a \\"b\\" \\\\c" date_from:2025-12-31T00:00:00.000Z',
  ]);
});

// Tokens and keys.

test("a new token's value is alone on stdout with --quiet, and in the document with --json", async () => {
  const api = {
    variables: SIGNED_IN,
    "POST /api/v2/users/:user/keys/tokens": ({ body }: Parsed) => {
      assert.deepEqual(body, { token_name: "ci", lifetime: "30d", scopes: ["ai_gateway:use"] });
      return { key: "the-value", id: "k1", expires_at: TIME };
    },
  };
  const words = "tokens create --name ci --lifetime 30d --scope ai_gateway:use".split(" ");
  const quiet = await cli([...words, "--quiet"], api);
  assert.deepEqual([quiet.out, quiet.err], ["the-value\n", ""]);
  const json = await cli([...words, "--json"], api);
  assert.equal((JSON.parse(json.out) as { key: string }).key, "the-value");
  const people = await cli(words, api);
  assert.match(people.out, /\n {2}the-value\n/);
  assert.match(people.err, /not shown again/);
});

test("provider keys come from stdin, files or the command line, which is warned of", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "atelier-cli-")), "key");
  await writeFile(file, "from-file\n");
  const words = ["providers", "create", "main", "--type", "openai", "--api-key-stdin"];
  const run = await cli([...words, "--api-key-file", file, "--api-key", "from-argv"], {
    variables: SIGNED_IN,
    stdin: "from-stdin\n",
    "POST /api/v2/ai/providers": ({ body }) => {
      assert.deepEqual(body, {
        type: "openai",
        name: "main",
        base_url: "https://api.openai.com/v1",
        api_keys: ["from-stdin", "from-file", "from-argv"],
        enabled: true,
      });
      return PROVIDER;
    },
  });
  await rm(join(file, ".."), { recursive: true });
  assert.equal(run.exitCode, 0, run.err);
  assert.match(run.err, /Warning: .*process lists/);
  assert.match(run.out, /sk-a\.\.\.wxyz/);
});

test("a new provider's address is its type's own, where it has one", async () => {
  const bodies: unknown[] = [];
  const api = {
    variables: SIGNED_IN,
    "POST /api/v2/ai/providers": ({ body }: Parsed) => {
      bodies.push(body);
      return { ...PROVIDER, settings: { api_version: "2024-10-21" } };
    },
  };
  const create = ["providers", "create", "main", "--type"];
  await cli([...create, "google", "--api-key-stdin"], { ...api, stdin: "k" });
  // Nobody is asked for a key that the type does not take.
  await cli([...create, "copilot"], { ...api, answers: [] });
  const azure = [...create, "azure", "--api-key-stdin"];
  const lost = await cli(azure, { ...api, stdin: "k" });
  assert.deepEqual([lost.exitCode, lost.requests], [2, []]);
  const url = "https://ours.openai.azure.com/openai/deployments/gpt";
  const versioned = [...azure, "--base-url", url, "--api-version", "2024-10-21"];
  const run = await cli(versioned, { ...api, stdin: "k" });
  assert.match(run.out, /API version +2024-10-21/);
  const base = { name: "main", api_keys: ["k"], enabled: true };
  assert.deepEqual(bodies, [
    {
      ...base,
      type: "google",
      base_url: "https://generativelanguage.googleapis.com/v1beta/openai",
    },
    {
      ...base,
      type: "copilot",
      base_url: "https://api.individual.githubcopilot.com",
      api_keys: [],
    },
    { ...base, type: "azure", base_url: url, settings: { api_version: "2024-10-21" } },
  ]);
});

test("a provider's API version is changed, and taken away by an empty one", async () => {
  const bodies: unknown[] = [];
  const api = {
    variables: SIGNED_IN,
    "PATCH /api/v2/ai/providers/:provider": ({ body }: Parsed) => {
      bodies.push(body);
      return PROVIDER;
    },
  };
  await cli(["providers", "edit", "main", "--api-version", "preview"], api);
  await cli(["providers", "edit", "main", "--api-version", ""], api);
  assert.deepEqual(bodies, [
    { settings: { api_version: "preview" } },
    { settings: { api_version: null } },
  ]);
});

test("a provider's limit per key is given, changed, and taken away by none", async () => {
  const bodies: unknown[] = [];
  const take = ({ body }: Parsed) => {
    bodies.push((body as Record<string, unknown>)["max_concurrency_per_key"]);
    return { ...PROVIDER, max_concurrency_per_key: 8 };
  };
  const api = {
    variables: SIGNED_IN,
    "POST /api/v2/ai/providers": take,
    "PATCH /api/v2/ai/providers/:provider": take,
  };
  const limit = (value: string) => ["--max-concurrency-per-key", value];
  const create = ["providers", "create", "main", "--type", "copilot"];
  const made = await cli([...create, ...limit("8")], api);
  assert.match(made.out, /Requests per key +8 at once/);
  await cli(["providers", "edit", "main", ...limit("9")], api);
  await cli(["providers", "edit", "main", ...limit("none")], api);
  const wrong = await cli(["providers", "edit", "main", ...limit("0")], api);
  assert.match(wrong.err, /A whole number from 1 to 1000000, or none/);
  assert.deepEqual(bodies, [8, 9, null]);
});

test("whose keys serve chats is said by three switches, and shown in words", async () => {
  const bodies: unknown[] = [];
  const api = {
    variables: SIGNED_IN,
    "PATCH /api/v2/ai/providers/:provider": ({ body }: Parsed) => {
      bodies.push(body);
      return { ...PROVIDER, ...(body as object) };
    },
  };
  const edit = ["providers", "edit", "main"];
  const own = await cli([...edit, "--user-keys", "on", "--central-fallback", "off"], api);
  assert.match(own.out, /Chats use +people's own keys, not the company's/);
  await cli([...edit, "--central-keys", "off"], api);
  assert.deepEqual(bodies, [
    { allow_user_api_key: true, allow_central_api_key_fallback: false },
    { central_api_key_enabled: false },
  ]);
});

test("a provider of Bedrock is created in a region, with a secret from stdin, and shown masked", async () => {
  const bodies: unknown[] = [];
  const models = { model: "m", small_fast_model: "s" };
  const bedrock = {
    ...PROVIDER,
    type: "bedrock",
    api_keys: [],
    settings: { region: "eu-west-1", ...models, role_arn: "arn:x", external_id: "ext-1" },
    settings_masked: { access_key: "AKIA...MPLE", access_key_secret: "s...t" },
  };
  const api = {
    variables: SIGNED_IN,
    "POST /api/v2/ai/providers": ({ body }: Parsed) => {
      bodies.push(body);
      return bedrock;
    },
  };
  const create = ["providers", "create", "main", "--type", "bedrock"];
  const keys = ["--aws-access-key", "AKIA0123456789EXAMPLE", "--aws-secret-stdin"];
  const run = await cli([...create, "--region", "eu-west-1", ...keys], { ...api, stdin: "secret" });
  assert.deepEqual(bodies, [
    {
      type: "bedrock",
      name: "main",
      base_url: "https://bedrock-runtime.eu-west-1.amazonaws.com",
      api_keys: [],
      enabled: true,
      settings: {
        region: "eu-west-1",
        access_key: "AKIA0123456789EXAMPLE",
        access_key_secret: "secret",
      },
    },
  ]);
  assert.match(run.out, /Region +eu-west-1\n/);
  assert.match(run.out, /External id +ext-1\n/);
  assert.match(run.out, /Access key +AKIA\.\.\.MPLE\n/);
  assert.match(run.out, /Keys +none: requests are signed\n/);
  const nowhere = await cli(create, api);
  assert.deepEqual([nowhere.exitCode, nowhere.requests], [2, []]);
  const twice = [...create, "--region", "r", "--aws-secret-stdin", "--bearer-token-stdin"];
  assert.equal((await cli(twice, { ...api, stdin: "secret" })).exitCode, 2);
});

test("a provider of Bedrock moves to another region with its address, and settings are cleared", async () => {
  const bodies: unknown[] = [];
  const url = "https://bedrock-runtime.eu-west-1.amazonaws.com";
  const settings = { region: "eu-west-1" };
  const answers = (base_url: string) => ({
    variables: SIGNED_IN,
    "GET /api/v2/ai/providers/:provider": () => ({ ...PROVIDER, base_url, settings }),
    "PATCH /api/v2/ai/providers/:provider": ({ body }: Parsed) => {
      bodies.push(body);
      return PROVIDER;
    },
  });
  const edit = ["providers", "edit", "main"];
  await cli([...edit, "--region", "us-east-1"], answers(url));
  await cli([...edit, "--region", "us-east-1"], answers("https://proxy.example"));
  await cli([...edit, "--clear", "access_key", "--clear", "access_key_secret"], answers(url));
  await cli([...edit, "--aws-profile", "work", "--role-arn", ""], answers(url));
  assert.deepEqual(bodies, [
    {
      base_url: "https://bedrock-runtime.us-east-1.amazonaws.com",
      settings: { region: "us-east-1" },
    },
    { settings: { region: "us-east-1" } },
    { settings: { access_key: null, access_key_secret: null } },
    { settings: { profile: "work", role_arn: null } },
  ]);
});

test("adding and removing a key sends the complete list", async () => {
  const kept = { id: PROVIDER.api_keys[0]?.id };
  const bodies: unknown[] = [];
  const api = {
    variables: SIGNED_IN,
    "GET /api/v2/ai/providers/:provider": () => PROVIDER,
    "PATCH /api/v2/ai/providers/:provider": ({ body }: Parsed) => {
      bodies.push(body);
      return PROVIDER;
    },
  };
  await cli(["providers", "keys", "add", "main", "--api-key-stdin"], { ...api, stdin: "k2" });
  await cli(["providers", "keys", "remove", "main", kept.id ?? "", "-y"], api);
  assert.deepEqual(bodies, [
    { if_updated_at: TIME, api_keys: [kept, { api_key: "k2" }] },
    { if_updated_at: TIME, api_keys: [] },
  ]);
  const unknown = await cli(["providers", "keys", "remove", "main", ID, "-y"], api);
  assert.equal(unknown.exitCode, 4);
});

test("an empty secret on stdin is a mistake, not an empty password", async () => {
  const words = ["users", "create", "--username", "bob", "--email", "b@example.com"];
  const run = await cli([...words, "--password-stdin"], { variables: SIGNED_IN, stdin: "\n" });
  assert.equal(run.exitCode, 2);
  assert.deepEqual(run.requests, []);
});

test("two typed passwords that differ change nothing", async () => {
  const words = ["users", "create", "--username", "bob", "--email", "b@example.com"];
  const run = await cli(words, { variables: SIGNED_IN, answers: ["one", "two"] });
  assert.equal(run.exitCode, 1);
  assert.deepEqual(run.requests, []);
});

test("roles are set whole, or added to and taken from what is there", async () => {
  const bodies: unknown[] = [];
  const api = {
    variables: SIGNED_IN,
    "GET /api/v2/users/:user": () => ({ ...ANN, roles: ["user-admin"] }),
    "PUT /api/v2/users/:user/roles": ({ body }: Parsed) => {
      bodies.push(body);
      return ANN;
    },
  };
  const edit = (words: string) => cli(["users", "edit-roles", "bob", ...words.split(" ")], api);
  await edit("--role member");
  await edit("--role owner --role auditor");
  await edit("--add auditor --add user-admin");
  await edit("--remove user-admin");
  assert.deepEqual(bodies, [
    { roles: [] },
    { roles: ["owner", "auditor"] },
    { roles: ["user-admin", "auditor"] },
    { roles: [] },
  ]);
});

const PROVIDER = {
  id: ID,
  type: "openai",
  name: "main",
  display_name: "",
  enabled: true,
  base_url: "https://api.openai.com/v1",
  api_keys: [
    {
      id: "0b8f1f5e-1111-4a4a-8b8b-0a4c1f1e2d3c",
      masked: "sk-a...wxyz",
      enabled: true,
      state: "unknown",
      last_error: null,
      returns_at: null,
      created_at: TIME,
    },
  ],
  settings: {},
  status: { state: "enabled", warnings: [], breakers: [], waiting: 0 },
  created_at: TIME,
  updated_at: TIME,
};
