/**
 * The part of a prompt that stays the same from call to call: tools and system. A provider's cache
 * serves a call only as far as its beginning is that of the one before, so a change costs money: it is
 * noticed, and its cause has a name.
 */
import type { LanguageModelV4FunctionTool, LanguageModelV4ProviderTool } from "@ai-sdk/provider";
import { madeOnce } from "@atelier/base/made-once";
import { hashOf } from "../messages/canonical-json.ts";
import type { SystemLayer } from "./system-layers.ts";

export type PromptTool = LanguageModelV4FunctionTool | LanguageModelV4ProviderTool;

export type PromptPrefix = {
  readonly modelConfigId: string;
  /** Of each tool, in the order sent. */
  readonly tools: readonly { readonly name: string; readonly hash: string }[];
  /** Of each layer, in the order sent. */
  readonly system: readonly { readonly name: string; readonly hash: string }[];
};

export function promptPrefix(
  modelConfigId: string,
  tools: readonly PromptTool[],
  layers: readonly SystemLayer[],
): PromptPrefix {
  return {
    modelConfigId,
    tools: tools.map((tool) => ({ name: tool.name, hash: toolHash(tool) })),
    system: layers.map(({ name, text }) => ({ name, hash: hashOf(text).slice(0, 16) })),
  };
}

/** Of tools that come with every step; nobody changes one. */
const toolHash = madeOnce((tool: PromptTool) => hashOf(tool).slice(0, 16));

/** One hash for all of it. */
export function prefixHash(prefix: PromptPrefix): string {
  return hashOf(prefix).slice(0, 32);
}

/**
 * What made `next` another prefix than `last`: `model`, `tool_added:execute`, `tool_removed:…`,
 * `tool_changed:…`, `tool_order`, `system_added:workspace_context`, and so on. Empty: it is the same.
 */
export function prefixChanges(last: PromptPrefix, next: PromptPrefix): readonly string[] {
  return [
    ...(last.modelConfigId === next.modelConfigId ? [] : ["model"]),
    ...listChanges("tool", last.tools, next.tools),
    ...listChanges("system", last.system, next.system),
  ];
}

type Named = { readonly name: string; readonly hash: string };

function listChanges(
  what: "tool" | "system",
  last: readonly Named[],
  next: readonly Named[],
): readonly string[] {
  const before = new Map(last.map(({ name, hash }) => [name, hash]));
  const after = new Map(next.map(({ name, hash }) => [name, hash]));
  const changes = [
    ...[...after.keys()].filter((name) => !before.has(name)).map((name) => `${what}_added:${name}`),
    ...[...before.keys()]
      .filter((name) => !after.has(name))
      .map((name) => `${what}_removed:${name}`),
    ...[...after]
      .filter(([name, hash]) => before.has(name) && before.get(name) !== hash)
      .map(([name]) => `${what}_changed:${name}`),
  ];
  const isReordered =
    changes.length === 0 && last.some(({ name }, index) => name !== next[index]?.name);
  return isReordered ? [`${what}_order`] : changes;
}
