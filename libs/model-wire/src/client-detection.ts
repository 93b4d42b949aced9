/**
 * Which tool sent a request, and which of its conversations the request belongs to. Both are guesses
 * from what well-known tools send, for statistics and grouping; nothing is permitted or refused by them.
 * Spec: gateway 1.2-1.3, with the later rows.
 */

/** Looks a request header up; the case of the name does not matter. */
export type HeaderLookup = (name: string) => string | undefined;

/** The tool's label, or `Unknown`. The first rule that fits wins. */
export function detectClient(header: HeaderLookup): string {
  const userAgent = (header("user-agent") ?? "").toLowerCase();
  const rule = CLIENTS.find(
    ({ prefixes, isSignedBy }) =>
      prefixes.some((prefix) => userAgent.startsWith(prefix)) || isSignedBy?.(header) === true,
  );
  return rule?.label ?? "Unknown";
}

/**
 * The tool's own id of the conversation, without white space around it, or null. `metadataUserId` is
 * the body's metadata.user_id, where Claude Code keeps it when it sends no header.
 */
export function findClientSessionId(
  client: string,
  header: HeaderLookup,
  metadataUserId: string | null,
): string | null {
  const id =
    client === "Claude Code"
      ? firstOf(header, ["x-claude-code-session-id"]) || sessionInUserId(metadataUserId)
      : firstOf(header, SESSION_HEADERS.get(client) ?? []);
  return id === "" ? null : id.slice(0, SESSION_ID_CHARS_MAX);
}

/** A guess; the ids seen are UUIDs. */
export const SESSION_ID_CHARS_MAX = 512;

type ClientRule = {
  readonly label: string;
  /** Of the user agent, lower-cased. */
  readonly prefixes: readonly string[];
  readonly isSignedBy?: (header: HeaderLookup) => boolean;
};

const CLIENTS: readonly ClientRule[] = [
  { label: "Mux", prefixes: ["mux/", "xum/"] },
  { label: "Claude Code", prefixes: ["claude"] },
  { label: "Codex", prefixes: ["codex"] },
  { label: "Zed", prefixes: ["zed/"] },
  { label: "GitHub Copilot (VS Code)", prefixes: ["githubcopilotchat/"] },
  { label: "GitHub Copilot (CLI)", prefixes: ["copilot/"] },
  {
    label: "Kilo Code",
    prefixes: ["kilo-code/"],
    isSignedBy: (header) => header("originator") === "kilo-code",
  },
  {
    label: "Roo Code",
    prefixes: ["roo-code/"],
    isSignedBy: (header) => header("originator") === "roo-code",
  },
  { label: "Coder Agents", prefixes: ["coder-agents/"] },
  { label: "Atelier Agents", prefixes: ["atelier-agents/"] },
  { label: "Charm Crush", prefixes: ["charm crush/", "charm-crush/"] },
  {
    label: "Cursor",
    prefixes: [],
    isSignedBy: (header) => (header("x-cursor-client-version") ?? "") !== "",
  },
  { label: "OpenCode", prefixes: ["opencode/"] },
  { label: "Junie", prefixes: ["junie:"] },
];

/** In the order in which they are asked. Clients that are not here send no id. */
const SESSION_HEADERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["Codex", ["session-id", "session_id"]],
  ["Mux", ["x-mux-workspace-id"]],
  ["GitHub Copilot (VS Code)", ["x-interaction-id"]],
  ["GitHub Copilot (CLI)", ["x-client-session-id"]],
  ["Kilo Code", ["x-kilocode-taskid"]],
  ["Coder Agents", ["x-coder-chat-id"]],
  ["Atelier Agents", ["x-coder-chat-id"]],
  ["OpenCode", ["x-opencode-session", "x-session-affinity"]],
]);

function firstOf(header: HeaderLookup, names: readonly string[]): string {
  for (const name of names) {
    const value = (header(name) ?? "").trim();
    if (value !== "") return value;
  }
  return "";
}

/**
 * Either JSON with `session_id`, or the older `user_<hash>_account_<id>_session_<id>`. In the first case
 * the second is not tried: an empty id is then a statement.
 */
function sessionInUserId(userId: string | null): string {
  if (userId === null) return "";
  const inJson = sessionInJson(userId);
  if (inJson !== null) return inJson.trim();
  const line = userId.slice(userId.lastIndexOf("\n") + 1);
  const at = line.indexOf(LEGACY_MARK);
  return at === -1 ? "" : line.slice(at + LEGACY_MARK.length).trim();
}

const LEGACY_MARK = "_session_";

function sessionInJson(userId: string): string | null {
  try {
    const value: unknown = JSON.parse(userId);
    if (typeof value !== "object" || value === null || !("session_id" in value)) return null;
    return typeof value.session_id === "string" ? value.session_id : "";
  } catch {
    return null;
  }
}
