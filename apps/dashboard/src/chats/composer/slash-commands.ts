/** Lines of the composer that begin with a slash: what there is, and what was meant. */
import { REASONING_EFFORTS, type ReasoningEffort } from "@atelier/contract/chat/chat-words";

export type SlashName =
  | "compact"
  | "clear"
  | "plan"
  | "model"
  | "effort"
  | "rename"
  | "workspace"
  | "edit"
  | "stop"
  | "archive"
  | "help";

export type SlashCommand = {
  readonly name: SlashName;
  /** What may follow it, as it is shown. */
  readonly input: string;
  readonly about: string;
};

export const SLASH_COMMANDS: readonly SlashCommand[] = [
  { name: "compact", input: "", about: "Sum up the history, to free context" },
  { name: "clear", input: "", about: "Begin with an empty context; the history stays visible" },
  { name: "plan", input: "on | off", about: "Plan only, or do things again" },
  { name: "model", input: "<name>", about: "Choose the model of the next messages" },
  { name: "effort", input: REASONING_EFFORTS.join(" | "), about: "How long the model thinks" },
  {
    name: "rename",
    input: "<title>",
    about: "Name the chat; without a title a model proposes one",
  },
  { name: "workspace", input: "<name> | none", about: "Let the chat work in a workspace" },
  { name: "edit", input: "", about: "Edit your last message; what came after it is dropped" },
  { name: "stop", input: "", about: "Stop the agent; what it wrote stays" },
  { name: "archive", input: "", about: "Put the chat away, or take it out again" },
  { name: "help", input: "", about: "All commands and keys" },
];

export type SlashMeaning =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "command"; readonly name: SlashName; readonly rest: string }
  /** It looks like a command, and there is none. */
  | { readonly kind: "unknown"; readonly word: string };

/** Two slashes begin a message with one. A path such as `/usr/bin` is a message. */
export function slashMeaning(text: string): SlashMeaning {
  if (text.startsWith("//")) return { kind: "message", text: text.slice(1) };
  const [, word, rest = ""] = /^\/([a-z]+)(?:[ \t]+([^\n]*))?\s*$/.exec(text) ?? [];
  if (word === undefined) return { kind: "message", text };
  const command = SLASH_COMMANDS.find(({ name }) => name === word);
  return command === undefined
    ? { kind: "unknown", word }
    : { kind: "command", name: command.name, rest: rest.trim() };
}

/** What fits what is typed so far; empty where it is no command. */
export function slashOffers(text: string): readonly SlashCommand[] {
  const [, begun] = /^\/([a-z]*)$/.exec(text) ?? [];
  if (begun === undefined) return [];
  return SLASH_COMMANDS.filter(({ name }) => name.startsWith(begun));
}

export function effortOf(word: string): ReasoningEffort | null {
  return REASONING_EFFORTS.find((each) => each === word) ?? null;
}
