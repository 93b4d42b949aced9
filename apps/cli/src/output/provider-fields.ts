/** One model provider, as people read it. */
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
    ...apiVersionField(provider),
    ["State", stateCell(provider.status.state)],
    ...provider.status.warnings.map((warning): [string, Cell] => [
      "Warning",
      { text: warning, tone: "bad" },
    ]),
    [
      "Keys",
      provider.api_keys.length === 0 ? faint("none: callers bring their own") : keyCount(provider),
    ],
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

function apiVersionField({ settings }: ProviderAnswer): [string, Cell][] {
  return settings.api_version === undefined ? [] : [["API version", settings.api_version]];
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
