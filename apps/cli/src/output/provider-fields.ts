/** One model provider, as people read it. */
import { isBedrockConfigured } from "@atelier/contract/bedrock-settings";
import type { ModelProvider } from "@atelier/contract/http/ai-providers";
import type { z } from "zod";
import { faint, fields, orDash, since, table, type Cell, type Look } from "./people.ts";
import { keyStateCell } from "./provider-keys.ts";

type ProviderAnswer = z.output<typeof ModelProvider>;

export function providerFields(look: Look, provider: ProviderAnswer): string {
  const text = fields(look, [
    ["Name", provider.name],
    ["Type", provider.type],
    ["Display name", orDash(provider.display_name)],
    ["Base URL", provider.base_url],
    ...settingFields(provider),
    ["State", stateCell(provider.status.state)],
    ...provider.status.warnings.map((warning): [string, Cell] => [
      "Warning",
      { text: warning, tone: "bad" },
    ]),
    ["Keys", provider.api_keys.length === 0 ? faint(keylessNote(provider)) : keyCount(provider)],
    ...keyLimitFields(provider),
    ["Chats use", keyPolicyWords(provider)],
    ["Changed", since(look, provider.updated_at)],
    ["Id", provider.id],
  ]);
  if (provider.api_keys.length === 0) return text;
  const keys = table(
    look,
    [{ title: "KEY" }, { title: "STATE" }, { title: "ADDED" }, { title: "ID", isWhole: true }],
    provider.api_keys.map((key) => [
      key.masked,
      keyStateCell(key),
      since(look, key.created_at),
      key.id,
    ]),
  );
  return `${text}\n\n${keys}`;
}

function keyPolicyWords(provider: ProviderAnswer): string {
  const { central_api_key_enabled: central, allow_user_api_key: own } = provider;
  if (!central) return "people's own keys only";
  if (!own) return "the company's keys only";
  return provider.allow_central_api_key_fallback
    ? "people's own keys, else the company's"
    : "people's own keys, not the company's";
}

function keyLimitFields(provider: ProviderAnswer): [string, Cell][] {
  const { max_concurrency_per_key: max, status } = provider;
  if (max === null) return [];
  const limit: [string, Cell] = ["Requests per key", `${max} at once`];
  return status.waiting === 0 ? [limit] : [limit, ["Waiting", `${status.waiting} for a key`]];
}

const SETTING_TITLES = {
  api_version: "API version",
  region: "Region",
  model: "Model",
  small_fast_model: "Small fast model",
  profile: "AWS profile",
  role_arn: "Role",
  external_id: "External id",
  sts_endpoint: "STS endpoint",
} as const satisfies Record<keyof ProviderAnswer["settings"], string>;

const SECRET_TITLES = {
  access_key: "Access key",
  access_key_secret: "Its secret",
  session_token: "Session token",
  bearer_token: "Bedrock API key",
} as const satisfies Record<keyof ProviderAnswer["settings_masked"], string>;

function settingFields({ settings, settings_masked: masked }: ProviderAnswer): [string, Cell][] {
  const plain = Object.entries(SETTING_TITLES).map(
    ([name, title]) => [title, settings[name as keyof typeof SETTING_TITLES]] as const, // Its keys.
  );
  const secret = Object.entries(SECRET_TITLES).map(
    ([name, title]) => [title, masked[name as keyof typeof SECRET_TITLES]] as const, // Its keys.
  );
  return [...plain, ...secret].flatMap(([title, value]): [string, Cell][] =>
    value === undefined ? [] : [[title, value]],
  );
}

/** Who pays where there is no key. */
function keylessNote({ settings, settings_masked: masked }: ProviderAnswer): string {
  if (masked.bearer_token !== undefined) return "none: the Bedrock API key serves";
  return isBedrockConfigured({ ...settings, ...masked })
    ? "none: requests are signed"
    : "none: callers bring their own";
}

export function keyCount({ api_keys: keys }: ProviderAnswer): string {
  return String(keys.length);
}

export function stateCell(state: ProviderAnswer["status"]["state"]): Cell {
  switch (state) {
    case "enabled":
      return { text: state, tone: "good" };
    case "disabled":
      return { text: state, tone: "faint" };
    case "error":
      return { text: state, tone: "bad" };
  }
}
