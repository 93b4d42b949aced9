/** What a line means that somebody types in a session: a message, or a command that begins with `/`. */
export const SESSION_COMMANDS = {
  stop: "stop the work; what was written so far stays",
  queue:
    "show what waits; /queue delete|promote <id>, /queue edit <id> <text>, /queue move <id> <place>",
  edit: "<text>: replace your last message; what came after it is gone",
  compact: "summarise the history so far, to free context",
  clear: "go on with an empty context",
  model: "<name>: use this model from the next message on; alone: show which there are",
  effort: "<effort>: how long the model thinks, from the next message on",
  plan: "on|off: only plan, change nothing",
  title: "<title>: call the chat so; alone: let the model find a title",
  cost: "what the chat cost so far",
  workspace: "<name>: work in this workspace; none: in no workspace",
  help: "show this",
  quit: "leave; the chat works on",
} as const;

export type SessionCommand = keyof typeof SESSION_COMMANDS;

export type SessionLine =
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "command"; readonly command: SessionCommand; readonly rest: string }
  | { readonly kind: "unknown"; readonly word: string };

/** `//` begins a message with a slash. A path, such as `/etc/hosts is wrong`, is a message as well. */
export function parseSessionLine(line: string): SessionLine {
  if (line.startsWith("//")) return { kind: "message", text: line.slice(1) };
  const match = /^\/([a-z]+)(?:\s+([^]*))?$/.exec(line);
  if (match === null) return { kind: "message", text: line };
  const [, word = "", rest = ""] = match;
  return Object.hasOwn(SESSION_COMMANDS, word)
    ? { kind: "command", command: word as SessionCommand, rest: rest.trim() }
    : { kind: "unknown", word };
}

export function sessionHelp(): string {
  const width = Math.max(...Object.keys(SESSION_COMMANDS).map((name) => name.length));
  return Object.entries(SESSION_COMMANDS)
    .map(([name, meaning]) => `  /${name.padEnd(width)}  ${meaning}`)
    .join("\n");
}
