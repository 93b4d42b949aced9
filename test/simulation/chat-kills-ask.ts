/** What people ask of chats that are struck, in words that their model reads and that can be counted. */

/** The last three with so much said before that the chat's context is full. */
export type AskKind =
  | "tools"
  | "slow"
  | "talk"
  | "long_command"
  | "patience"
  | "retry"
  | "client_tool"
  | "child"
  | "tool_server"
  | "full"
  | "full_talk"
  | "full_stop";

/** `key`: of this message alone. */
export type Asked = { readonly key: string; readonly kind: AskKind; readonly home: string };

/** A message, or a part of one, as it is on the wire. */
export type Block = Readonly<Record<string, unknown>>;

export function askText({ key, kind, home }: Asked): string {
  return `#${key} ${kind} ${home}`;
}

/** Null: it is no message of a person, or not all of it. */
export function askedIn(text: string): Asked | null {
  const found = /^#(\S+) (\w+) (\S+)$/.exec(text.trim());
  if (found === null) return null;
  return { key: found[1] ?? "", kind: found[2] as AskKind, home: found[3] ?? "" };
}
