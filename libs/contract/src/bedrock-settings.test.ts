import assert from "node:assert/strict";
import { test } from "node:test";
import { bedrockBaseUrl, bedrockMistakes, isBedrockConfigured } from "./bedrock-settings.ts";

const MODELS = { model: "m", small_fast_model: "s" };
const STATIC = { access_key: "AKIA", access_key_secret: "secret" };
const URL = "https://bedrock.example";
const BOTH_KEYS = "both access key and access key secret must be provided together";

const CASES: readonly [name: string, settings: object, baseUrl: string, want: readonly string[]][] = [
  ["static keys and a region", { ...MODELS, ...STATIC, region: "us-east-1" }, "", []],
  ["static keys and a base URL", { ...MODELS, ...STATIC }, URL, []],
  ["static keys, region and base URL", { ...MODELS, ...STATIC, region: "us-east-1" }, URL, []],
  ["no keys: the environment may have some", { ...MODELS, region: "us-east-1" }, "", []],
  ["neither region nor base URL", { ...MODELS, ...STATIC }, "", ["region or base url required"]],
  ["an empty region", { ...MODELS, region: "" }, "", ["region or base url required"]],
  ["no model", { small_fast_model: "s", region: "r" }, "", ["model required"]],
  ["an empty model", { ...MODELS, model: "", region: "r" }, "", ["model required"]],
  ["no small model", { model: "m", region: "r" }, "", ["small fast model required"]],
  ["a null small model", { ...MODELS, small_fast_model: null, region: "r" }, "", ["small fast model required"]],
  ["an access key alone", { ...MODELS, region: "r", access_key: "AKIA" }, "", [BOTH_KEYS]],
  ["a secret alone", { ...MODELS, region: "r", access_key_secret: "s" }, "", [BOTH_KEYS]],
  ["nothing at all", {}, "", ["region or base url required", "model required", "small fast model required"]],
  ["a session token alone", { ...MODELS, session_token: "t" }, URL, ["a session token belongs to an access key"]],
  ["a profile beside an access key", { ...MODELS, ...STATIC, profile: "p" }, URL, ["a profile and an access key exclude each other"]],
  ["a bearer token beside a role", { ...MODELS, bearer_token: "b", role_arn: "arn:x" }, URL, ["a bearer token excludes access key, profile and role"]],
  ["a role with static keys", { ...MODELS, ...STATIC, role_arn: "arn:x" }, URL, []],
  ["a bearer token", { ...MODELS, bearer_token: "b" }, URL, []],
]; // prettier-ignore

for (const [name, settings, baseUrl, want] of CASES) {
  test(`Bedrock settings: ${name}`, () => {
    assert.deepEqual(bedrockMistakes(settings, baseUrl).map(({ message }) => message), want); // prettier-ignore
  });
}

for (const [settings, want] of [
  [{}, false],
  [MODELS, false],
  [{ sts_endpoint: URL }, false],
  [{ region: "" }, false],
  [{ region: "us-east-1" }, true],
  [{ access_key: "a" }, true],
  [{ access_key_secret: "a" }, true],
  [{ role_arn: "arn:x" }, true],
  [{ profile: "p" }, true],
  [{ bearer_token: "b" }, true],
] as const) {
  test(`${JSON.stringify(settings)} ${want ? "makes" : "does not make"} a provider of Bedrock`, () => {
    assert.equal(isBedrockConfigured(settings), want);
  });
}

test("a region has an address, China's own domain too", () => {
  assert.equal(bedrockBaseUrl("eu-west-1"), "https://bedrock-runtime.eu-west-1.amazonaws.com");
  assert.equal(bedrockBaseUrl("cn-north-1"), "https://bedrock-runtime.cn-north-1.amazonaws.com.cn");
});
