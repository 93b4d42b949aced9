/**
 * Marks where a provider with explicit caching may end what it keeps: the tools, the last system
 * message, and the last two messages. Works on copies: the history and the prompt given stay as they are.
 */
import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import { madeOnce } from "@atelier/base/made-once";
import type { PromptTool } from "./prompt-prefix.ts";

/** `none`: the provider caches by itself, or not at all. */
export type CacheMarks = "none" | "anthropic" | "bedrock" | "openrouter";

const MARKS: Readonly<Record<Exclude<CacheMarks, "none">, SharedV4ProviderOptions>> = {
  anthropic: { anthropic: { cacheControl: { type: "ephemeral" } } },
  bedrock: { bedrock: { cachePoint: { type: "default" } } },
  openrouter: { openrouter: { cacheControl: { type: "ephemeral" } } },
};

export function withCacheBreakpoints(
  prompt: LanguageModelV4Prompt,
  marks: CacheMarks,
): LanguageModelV4Prompt {
  if (marks === "none") return prompt;
  const lastSystem = prompt.findLastIndex(({ role }) => role === "system");
  const others = prompt.keys().filter((index) => prompt[index]?.role !== "system");
  const marked = new Set([lastSystem, ...[...others].slice(-2)]);
  return prompt.map((message, index) => (marked.has(index) ? markedAs(marks, message) : message));
}

/** The tools with the last one marked: providers that take marks there. */
export function withToolBreakpoint(
  tools: readonly PromptTool[],
  marks: CacheMarks,
): readonly PromptTool[] {
  // The others take no marks on tools: they keep them with the system's.
  return marks === "anthropic" ? withLastMarked(tools) : tools;
}

/** Of lists that come again with every step; nobody changes one. */
const withLastMarked = madeOnce((tools: readonly PromptTool[]): readonly PromptTool[] => {
  const last = tools.findLastIndex(({ type }) => type === "function");
  return tools.map((tool, index) =>
    index === last && tool.type === "function"
      ? { ...tool, providerOptions: merged(tool.providerOptions, MARKS.anthropic) }
      : tool,
  );
});

/** OpenRouter's client repeats a message's mark at each result, and only four marks are taken. */
function markedAs(
  marks: Exclude<CacheMarks, "none">,
  message: LanguageModelV4Message,
): LanguageModelV4Message {
  if (marks !== "openrouter" || message.role !== "tool") return withMark(message, MARKS[marks]);
  const content = message.content.map((part, index) =>
    index === message.content.length - 1 && part.type === "tool-result"
      ? { ...part, providerOptions: merged(part.providerOptions, MARKS[marks]) }
      : part,
  );
  return { ...message, content };
}

function withMark<Message extends LanguageModelV4Message>(
  message: Message,
  mark: SharedV4ProviderOptions,
): Message {
  return { ...message, providerOptions: merged(message.providerOptions, mark) };
}

function merged(
  options: SharedV4ProviderOptions | undefined,
  mark: SharedV4ProviderOptions,
): SharedV4ProviderOptions {
  const names = Object.keys({ ...options, ...mark });
  return Object.fromEntries(names.map((name) => [name, { ...options?.[name], ...mark[name] }]));
}
