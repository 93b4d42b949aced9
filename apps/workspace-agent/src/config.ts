/**
 * What the workspace agent is told: by flags, else by the environment. The only file here that reads
 * either.
 */
import { parseDurationMs } from "@atelier/base/duration";
import { fail, ok, type Result } from "@atelier/base/result";
import { Secret } from "@atelier/base/secret";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

export type AgentConfig = {
  readonly serverUrl: URL;
  readonly token: Secret;
  readonly directory: string;
  readonly stateDirectory: string;
  readonly homeDirectory: string;
  readonly shell: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly logFormat: "human" | "json";
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Null: never. */
  readonly terminalIdleTimeoutMs: number | null;
};

export type AgentInputs = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws when it cannot be read. */
  readonly readFile: (path: string) => string;
  readonly homeDirectory: string;
  readonly currentDirectory: string;
  readonly shell: string;
};

export const HELP = `Usage: node atelier-agent.mjs [options], or atelier agent [options]

Attaches this machine to a workspace: terminals, processes, files and ports, through one connection
that this program opens. It runs until it is told to stop; what it started for people runs on.

  --url <url>            the server. ATELIER_AGENT_URL
  --token <token>        of the workspace: \`atelier workspaces token\`. ATELIER_AGENT_TOKEN, which lists of
                         processes do not show
  --token-file <path>    a file with the token in it. ATELIER_AGENT_TOKEN_FILE
  --directory <path>     where terminals and processes start. ATELIER_AGENT_DIRECTORY (default: the current one)
  --state-dir <path>     what it keeps between runs. ATELIER_AGENT_STATE_DIR (default: below ~/.local/state/atelier)
  --terminal-idle-timeout <duration>
                         ends terminals that nobody looks at and that write nothing for this long, such as 8h.
                         ATELIER_AGENT_TERMINAL_IDLE_TIMEOUT (default: 0, never)
  --log-level <level>    debug, info, warn or error. ATELIER_AGENT_LOG_LEVEL (default: info)
  --log-format <format>  human or json. ATELIER_AGENT_LOG_FORMAT (default: human)
  -h, --help             show this help
  --version              print the version

CODER_AGENT_URL and CODER_AGENT_TOKEN are read, too. Exit codes: 0 after a signal, 1 after a failure,
76 when another machine took its place, 77 when the server refuses the token, 78 when it does not speak
this version. After the last three it helps nothing to start it again as it is.
`;

const FLAGS = {
  url: { type: "string" },
  token: { type: "string" },
  "token-file": { type: "string" },
  directory: { type: "string" },
  "state-dir": { type: "string" },
  "terminal-idle-timeout": { type: "string" },
  "log-level": { type: "string" },
  "log-format": { type: "string" },
} as const;

type Flags = { readonly [Name in keyof typeof FLAGS]?: string };

export function processInputs(): AgentInputs {
  const { shell } = userInfo();
  return {
    argv: process.argv.slice(2),
    env: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
    homeDirectory: homedir(),
    currentDirectory: process.cwd(),
    shell: shell ?? process.env["SHELL"] ?? "/bin/sh",
  };
}

/** All mistakes at once, as sentences. */
export function parseAgentConfig(inputs: AgentInputs): Result<AgentConfig, readonly string[]> {
  const flags = readFlags(inputs.argv);
  if (!flags.ok) return fail([flags.failure]);
  const mistakes: string[] = [];
  const said = (name: keyof typeof FLAGS): string | undefined => {
    const variable = name.toUpperCase().replaceAll("-", "_");
    const { env } = inputs;
    return flags.value[name] ?? env[`ATELIER_AGENT_${variable}`] ?? env[`CODER_AGENT_${variable}`];
  };
  const serverUrl = readUrl(said("url"), mistakes);
  const token = readToken(inputs, said, mistakes);
  const idleTimeoutMs = readDuration(said("terminal-idle-timeout"), mistakes);
  const logLevel = oneOf("log-level", said("log-level"), LEVELS, mistakes);
  const logFormat = oneOf("log-format", said("log-format"), FORMATS, mistakes);
  if (mistakes.length > 0 || serverUrl === null || token === null) return fail(mistakes);
  const { homeDirectory, currentDirectory, shell, env } = inputs;
  const directory = resolve(currentDirectory, said("directory") ?? ".");
  const ownState = join(
    env["XDG_STATE_HOME"] ?? join(homeDirectory, ".local/state"),
    "atelier",
    `agent-${nameOf(serverUrl, directory)}`,
  );
  return ok({
    serverUrl,
    token,
    directory,
    stateDirectory: resolve(currentDirectory, said("state-dir") ?? ownState),
    homeDirectory,
    shell,
    logLevel,
    logFormat,
    environment: env,
    terminalIdleTimeoutMs: idleTimeoutMs === 0 ? null : idleTimeoutMs,
  });
}

const LEVELS = ["info", "debug", "warn", "error"] as const;
const FORMATS = ["human", "json"] as const;

function readFlags(argv: readonly string[]): Result<Flags, string> {
  try {
    return ok(parseArgs({ args: [...argv], options: FLAGS }).values);
  } catch (error) {
    return fail(error instanceof Error ? error.message : "the options cannot be read");
  }
}

function readUrl(text: string | undefined, mistakes: string[]): URL | null {
  if (text === undefined || text === "") {
    mistakes.push("--url is missing: the server's address");
    return null;
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url;
  mistakes.push(`--url is not an address that begins with http:// or https://: ${text}`);
  return null;
}

function readToken(
  { readFile }: AgentInputs,
  said: (name: keyof typeof FLAGS) => string | undefined,
  mistakes: string[],
): Secret | null {
  const file = said("token-file");
  let text = said("token") ?? "";
  if (text === "" && file !== undefined) {
    try {
      text = readFile(file).trim();
    } catch (error) {
      mistakes.push(
        `--token-file cannot be read: ${error instanceof Error ? error.message : file}`,
      );
      return null;
    }
  }
  if (text === "") {
    mistakes.push("--token is missing: `atelier workspaces token <workspace>` makes one");
    return null;
  }
  if (/^[\x21-\x7e]+$/.test(text)) return new Secret(text);
  mistakes.push("--token has characters that no token has");
  return null;
}

function readDuration(text: string | undefined, mistakes: string[]): number {
  const durationMs = parseDurationMs(text ?? "0");
  if (durationMs === null) {
    mistakes.push(`--terminal-idle-timeout is a duration like 90s, 30m or 8h, not ${text}`);
  }
  return durationMs ?? 0;
}

function oneOf<const Choice extends string>(
  name: string,
  text: string | undefined,
  choices: readonly [Choice, ...Choice[]],
  mistakes: string[],
): Choice {
  const found = choices.find((choice) => choice === (text ?? choices[0]));
  if (found === undefined) mistakes.push(`--${name} is one of ${choices.join(", ")}`);
  return found ?? choices[0];
}

/** The same for the same place and server, whatever its token is: a new token finds the processes again. */
function nameOf(serverUrl: URL, directory: string): string {
  return createHash("sha256").update(`${serverUrl.href} ${directory}`).digest("hex").slice(0, 16);
}
