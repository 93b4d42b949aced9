import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentNamesOf } from "@atelier/host/option";
import { defaultOf } from "@atelier/host/option-value";
import { OPTIONS, parseConfig } from "./config.ts";
import { PROVIDER_FAMILY } from "./provider-options.ts";

const SECRET = "hunter2-0123456789abcdef";
const BEDROCK_DEFAULTS = {
  model: "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
  small_fast_model: "global.anthropic.claude-haiku-4-5-20251001-v1:0",
};

function parse(env: Record<string, string>, file = "") {
  const argv = file === "" ? [] : ["--config", "/c"];
  return parseConfig({ argv, env, readFile: () => file });
}

/** With the secrets as texts. */
function seedsOf(env: Record<string, string>, file?: string) {
  const config = parse(env, file);
  assert.ok(config.ok, config.ok ? "" : config.failure.join("\n"));
  assert.doesNotMatch(JSON.stringify(config.value.optionRows), /hunter2/);
  return config.value.providerSeeds.map(({ keys, settings, ...seed }) => ({
    ...seed,
    keys: keys.map((key) => key.reveal()),
    settings: Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [
        name,
        typeof value === "string" ? value : value.reveal(),
      ]),
    ),
  }));
}

function mistakesOf(env: Record<string, string>): readonly string[] {
  const config = parse(env);
  assert.ok(!config.ok, "the options hold mistakes");
  assert.doesNotMatch(config.failure.join(), /hunter2/);
  return config.failure;
}

test("without options there is nothing to store, and no model's default makes a Bedrock", () => {
  assert.deepEqual(seedsOf({}), []);
  assert.deepEqual(seedsOf({ CODER_AIBRIDGE_BEDROCK_MODEL: "m" }), []);
  assert.deepEqual(seedsOf({ ATELIER_AI_GATEWAY_PROVIDER_0_TYPE: "" }), []);
});

for (const prefix of ["ATELIER_AI_GATEWAY", "CODER_AI_GATEWAY", "CODER_AIBRIDGE"]) {
  test(`${prefix}_*: one provider of each kind that has a name of its own`, () => {
    const seeds = seedsOf({
      [`${prefix}_OPENAI_KEY`]: SECRET,
      [`${prefix}_ANTHROPIC_KEY`]: SECRET,
      [`${prefix}_ANTHROPIC_BASE_URL`]: "https://proxy.example/anthropic/",
    });
    assert.deepEqual(seeds, [
      {
        origin: "ai-gateway-openai-*",
        type: "openai",
        name: "openai",
        baseUrl: "https://api.openai.com/v1",
        keys: [SECRET],
        keyConcurrencyMax: null,
        settings: {},
      },
      {
        origin: "ai-gateway-anthropic-*",
        type: "anthropic",
        name: "anthropic",
        baseUrl: "https://proxy.example/anthropic",
        keys: [SECRET],
        keyConcurrencyMax: null,
        settings: {},
      },
    ]);
  });

  test(`${prefix}_PROVIDER_<N>_*: any number of providers, by number`, () => {
    const seeds = seedsOf({
      [`${prefix}_PROVIDER_1_TYPE`]: "anthropic",
      [`${prefix}_PROVIDER_1_NAME`]: "claude",
      [`${prefix}_PROVIDER_1_KEYS`]: `${SECRET}, ${SECRET}-2`,
      [`${prefix}_PROVIDER_0_TYPE`]: "openai-compat",
      [`${prefix}_PROVIDER_0_BASE_URL`]: "http://models.internal:8000/v1",
      [`${prefix}_PROVIDER_0_KEY`]: SECRET,
      [`${prefix}_PROVIDER_2_TYPE`]: "copilot",
    });
    assert.deepEqual(
      seeds.map(({ type, name, baseUrl, keys }) => [type, name, baseUrl, keys]),
      [
        ["openai-compat", "openai-compat", "http://models.internal:8000/v1", [SECRET]],
        ["anthropic", "claude", "https://api.anthropic.com", [SECRET, `${SECRET}-2`]],
        ["copilot", "copilot", "https://api.individual.githubcopilot.com", []],
      ],
    );
  });
}

test("a limit of concurrent requests per key can be given, but not where there are no keys", () => {
  const env = {
    ATELIER_AI_GATEWAY_PROVIDER_0_TYPE: "openai",
    ATELIER_AI_GATEWAY_PROVIDER_0_MAX_CONCURRENCY_PER_KEY: "8",
  };
  assert.deepEqual(
    seedsOf(env).map(({ keyConcurrencyMax }) => keyConcurrencyMax),
    [8],
  );
  const bedrock = {
    ...env,
    ATELIER_AI_GATEWAY_PROVIDER_0_TYPE: "bedrock",
    ATELIER_AI_GATEWAY_PROVIDER_0_BEDROCK_REGION: "eu-west-1",
  };
  assert.match(mistakesOf(bedrock).join(), /-max-concurrency-per-key: Bedrock takes no keys/);
});

test("the file can hold the same, and a secret can come from a file of its own", () => {
  const file = [
    "ai-gateway-provider-0-type: azure",
    "ai-gateway-provider-0-base-url: https://ours.openai.azure.com/openai/v1",
    "ai-gateway-provider-0-api-version: 2024-10-21",
    `ai-gateway-provider-0-keys: [${SECRET}, ${SECRET}-2]`,
  ].join("\n");
  const [seed] = seedsOf({}, file);
  assert.deepEqual([seed?.type, seed?.name, seed?.keys], ["azure", "azure", [SECRET, `${SECRET}-2`]]); // prettier-ignore
  assert.deepEqual(seed?.settings, { api_version: "2024-10-21" });
  const fromFile = parseConfig({
    argv: [],
    env: { ATELIER_AI_GATEWAY_OPENAI_KEY_FILE: "/run/secrets/openai" },
    readFile: () => `${SECRET}\n`,
  });
  assert.ok(fromFile.ok);
  assert.equal(fromFile.value.providerSeeds[0]?.keys[0]?.reveal(), SECRET);
});

test("what is set is shown with its source, keys as secrets", () => {
  const config = parse({
    ATELIER_AI_GATEWAY_PROVIDER_0_TYPE: "openai",
    CODER_AIBRIDGE_PROVIDER_0_KEY: SECRET,
  });
  assert.ok(config.ok);
  const rows = config.value.optionRows.filter(({ name }) => name.includes("-provider-"));
  assert.deepEqual(
    rows.map(({ name, value, source }) => [name, value, source]),
    [
      ["ai-gateway-provider-0-type", "openai", "environment"],
      ["ai-gateway-provider-0-key", "[secret]", "environment"],
    ],
  );
});

const AWS = {
  CODER_AIBRIDGE_BEDROCK_ACCESS_KEY: "AKIA-hunter2",
  CODER_AIBRIDGE_BEDROCK_ACCESS_KEY_SECRET: SECRET,
};
const CREDENTIALS = { access_key: "AKIA-hunter2", access_key_secret: SECRET };

test("Bedrock's own variables make a provider called anthropic of type bedrock", () => {
  const env = { ...AWS, CODER_AIBRIDGE_BEDROCK_REGION: "eu-west-1" };
  const seed = {
    origin: "ai-gateway-bedrock-*",
    type: "bedrock",
    name: "anthropic",
    baseUrl: "https://bedrock-runtime.eu-west-1.amazonaws.com",
    keys: [],
    keyConcurrencyMax: null,
    settings: { region: "eu-west-1", ...BEDROCK_DEFAULTS, ...CREDENTIALS },
  };
  assert.deepEqual(seedsOf(env), [seed]);
  // Without a key of its own, the server's AWS environment gives the credentials.
  assert.deepEqual(seedsOf({ ATELIER_AI_GATEWAY_BEDROCK_REGION: "eu-west-1" }), [
    { ...seed, settings: { region: "eu-west-1", ...BEDROCK_DEFAULTS } },
  ]);
  const other = seedsOf({
    ...env,
    CODER_AI_GATEWAY_BEDROCK_BASE_URL: "https://vpce.example",
    CODER_AI_GATEWAY_BEDROCK_MODEL: "big",
    CODER_AI_GATEWAY_BEDROCK_SMALL_FASTMODEL: "small",
  });
  assert.deepEqual(
    [other[0]?.baseUrl, other[0]?.settings["model"], other[0]?.settings["small_fast_model"]],
    ["https://vpce.example", "big", "small"],
  );
});

for (const type of ["bedrock", "anthropic"]) {
  test(`a numbered ${type} with Bedrock settings is of type bedrock and keeps its name`, () => {
    const seeds = seedsOf({
      ATELIER_AI_GATEWAY_PROVIDER_0_TYPE: type,
      ATELIER_AI_GATEWAY_PROVIDER_0_BEDROCK_REGION: "us-east-1",
    });
    assert.deepEqual(
      seeds.map((seed) => [seed.type, seed.name, seed.settings]),
      [["bedrock", type, { region: "us-east-1", ...BEDROCK_DEFAULTS }]],
    );
  });
}

const P = "ATELIER_AI_GATEWAY_PROVIDER";
const MISTAKES: [name: string, env: Record<string, string>, mistakes: readonly (string | RegExp)[]][] = [
  ["a gap", { [`${P}_0_TYPE`]: "openai", [`${P}_2_TYPE`]: "google" }, [
    "ai-gateway-provider-2-* is set, but ai-gateway-provider-1-* is not: number model providers from 0 without gaps",
  ]],
  ["a count from 1", { [`${P}_1_TYPE`]: "openai" }, [/provider-1-\* is set, but ai-gateway-provider-0-\* is not/]],
  ["no type", { [`${P}_0_KEY`]: SECRET }, ["ai-gateway-provider-0-type is missing"]],
  ["an unknown type", { [`${P}_0_TYPE`]: "opneai" }, [/^ATELIER_AI_GATEWAY_PROVIDER_0_TYPE: is not one of openai, /]],
  ["a misspelt variable", { [`${P}_0_TYPE`]: "openai", [`${P}_0_KEYZ`]: SECRET }, [
    "ATELIER_AI_GATEWAY_PROVIDER_0_KEYZ: no such option; did you mean ATELIER_AI_GATEWAY_PROVIDER_0_KEY?",
  ]],
  ["key and keys", { [`${P}_0_TYPE`]: "openai", [`${P}_0_KEY`]: SECRET, [`${P}_0_KEYS`]: SECRET }, [/both set; keep one/]],
  ["no address", { [`${P}_0_TYPE`]: "azure" }, [/base-url is missing: type azure has no address/]],
  ["two of a name", { [`${P}_0_TYPE`]: "openai", [`${P}_1_TYPE`]: "google", [`${P}_1_NAME`]: "openai" }, [
    'ai-gateway-provider-0-* and ai-gateway-provider-1-* describe the same model provider, "openai": give each its own name',
  ]],
  ["a number and a name", { [`${P}_0_TYPE`]: "openai", ATELIER_AI_GATEWAY_OPENAI_KEY: SECRET }, [
    /^ai-gateway-openai-\* and ai-gateway-provider-0-\* describe the same model provider, "openai"/,
  ]],
  ["Anthropic and Bedrock", { ATELIER_AI_GATEWAY_ANTHROPIC_KEY: SECRET, ATELIER_AI_GATEWAY_BEDROCK_REGION: "x" }, [
    /^ai-gateway-anthropic-\* and ai-gateway-bedrock-\* describe the same model provider, "anthropic"/,
  ]],
  ["Bedrock with keys", { [`${P}_0_TYPE`]: "bedrock", [`${P}_0_BEDROCK_REGION`]: "x", [`${P}_0_KEY`]: SECRET }, [
    /^ai-gateway-provider-0-\*: Bedrock takes no API keys/,
  ]],
  ["Bedrock without a place", { [`${P}_0_TYPE`]: "bedrock" }, [/the region is missing/]],
  ["half an AWS credential", { ATELIER_AI_GATEWAY_BEDROCK_REGION: "x", ATELIER_AI_GATEWAY_BEDROCK_ACCESS_KEY: SECRET }, [
    /belong together/,
  ]],
  ["Bedrock's address alone", { ATELIER_AI_GATEWAY_BEDROCK_BASE_URL: "https://x.example" }, [/the region is missing/]],
  ["Bedrock settings elsewhere", { [`${P}_0_TYPE`]: "openai", [`${P}_0_BEDROCK_REGION`]: "x" }, [/has no Bedrock settings/]],
]; // prettier-ignore
for (const [name, env, wanted] of MISTAKES) {
  test(`a mistake is said with the option that has it: ${name}`, () => {
    const mistakes = mistakesOf(env);
    assert.equal(mistakes.length, wanted.length, mistakes.join("\n"));
    for (const [index, want] of wanted.entries()) {
      if (typeof want === "string") assert.equal(mistakes[index], want);
      else assert.match(mistakes[index] ?? "", want);
    }
  });
}

test("an address without a key is doubted", () => {
  const config = parse({ ATELIER_AI_GATEWAY_OPENAI_BASE_URL: "https://x.example" });
  assert.ok(config.ok);
  assert.deepEqual(config.value.warnings, [
    "ai-gateway-openai-base-url has no effect without ai-gateway-openai-key",
  ]);
});

test("no option of the family shares a variable with another, and each default is one", () => {
  const names = [...OPTIONS, ...PROVIDER_FAMILY].flatMap(environmentNamesOf);
  assert.equal(new Set(names).size, names.length);
  for (const option of PROVIDER_FAMILY) assert.doesNotThrow(() => defaultOf(option), option.name);
});
