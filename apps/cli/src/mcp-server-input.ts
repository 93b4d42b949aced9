/** What the command line says of a tool server; its credentials come by stdin only. */
import { fail, ok, type Result } from "@atelier/base/result";
import { MCP_AVAILABILITIES, MCP_TRANSPORTS, McpAuth } from "@atelier/contract/http/mcp-servers";
import { usageFailure, type CliFailure } from "./cli-failure.ts";
import type { Cli } from "./cli.ts";
import { choiceOption, switchOption, textOption, textsOption } from "./command.ts";
import { secretFromInput } from "./secret-input.ts";

export const SERVER_OPTIONS = {
  displayName: textOption("--display-name <name>", "how people read it"),
  description: textOption("--description <text>", "what it is good for"),
  availability: choiceOption("--availability <when>", "which chats have it", MCP_AVAILABILITIES),
  allowTool: textsOption("--allow-tool <name>", "only this tool; repeatable"),
  denyTool: textsOption("--deny-tool <name>", "not this tool; repeatable"),
  planMode: switchOption("--plan-mode", "its tools also while a chat only plans"),
  modelIntent: choiceOption(
    "--model-intent <on|off>",
    "models say what each call is for, which people read; the server is not told",
    ["on", "off"],
  ),
  transport: choiceOption(
    "--transport <way>",
    "how it is asked; sse is the older way",
    MCP_TRANSPORTS,
  ),
  header: textOption("--header <name>", "the header that carries its key, with --value-stdin"),
  valueStdin: switchOption("--value-stdin", "read the header's value from stdin"),
  headersStdin: switchOption(
    "--headers-stdin",
    "read several headers from stdin, as a JSON object",
  ),
  oauth: switchOption("--oauth", "each person signs in to it, with `mcp-servers connect`"),
  clientId: textOption(
    "--client-id <id>",
    "with --oauth: a client that is registered there already",
  ),
  clientSecretStdin: switchOption("--client-secret-stdin", "read that client's secret from stdin"),
  scope: textOption("--scope <scopes>", "with --oauth: what to ask for, instead of what it says"),
};

export type ServerInput = {
  readonly [Name in keyof typeof SERVER_OPTIONS]: ReturnType<
    (typeof SERVER_OPTIONS)[Name]["valueOf"]
  >;
};

/** The fields that are given, less those of `auth`. */
export function serverFields(input: ServerInput) {
  const { displayName, description, availability, allowTool, denyTool, planMode } = input;
  const { modelIntent, transport } = input;
  return {
    ...(displayName === undefined ? {} : { display_name: displayName }),
    ...(description === undefined ? {} : { description }),
    ...(availability === undefined ? {} : { availability }),
    ...(allowTool.length === 0 ? {} : { tool_allow_list: [...allowTool] }),
    ...(denyTool.length === 0 ? {} : { tool_deny_list: [...denyTool] }),
    ...(planMode ? { allow_in_plan_mode: true } : {}),
    ...(modelIntent === undefined ? {} : { model_intent: modelIntent === "on" }),
    ...(transport === undefined ? {} : { transport }),
  };
}

/** Undefined: nothing is said of credentials. */
export async function serverAuth(
  cli: Cli,
  input: ServerInput,
): Promise<Result<McpAuth | undefined, CliFailure>> {
  const { header, valueStdin, headersStdin, oauth } = input;
  if (oauth && (header !== undefined || valueStdin || headersStdin)) {
    return fail(usageFailure("Give either --oauth or headers."));
  }
  if (oauth || hasOauthOption(input)) return oauthAuth(cli, input);
  if ((header !== undefined) !== valueStdin || (valueStdin && headersStdin)) {
    return fail(usageFailure("Give --header with --value-stdin, or --headers-stdin."));
  }
  if (header !== undefined) {
    const value = await secretFromInput(cli, "--value-stdin");
    return value.ok ? checked({ type: "api_key", header, value: value.value.reveal() }) : value;
  }
  if (!headersStdin) return ok(undefined);
  const text = await secretFromInput(cli, "--headers-stdin");
  if (!text.ok) return text;
  try {
    return checked({ type: "custom_headers", headers: JSON.parse(text.value.reveal()) as unknown });
  } catch {
    return fail(usageFailure("--headers-stdin: stdin holds no JSON."));
  }
}

function hasOauthOption({ clientId, clientSecretStdin, scope }: ServerInput): boolean {
  return clientId !== undefined || clientSecretStdin || scope !== undefined;
}

async function oauthAuth(
  cli: Cli,
  { oauth, clientId, clientSecretStdin, scope }: ServerInput,
): Promise<Result<McpAuth, CliFailure>> {
  if (!oauth) return fail(usageFailure("--client-id and --scope need --oauth."));
  const secret = clientSecretStdin ? await secretFromInput(cli, "--client-secret-stdin") : null;
  if (secret !== null && !secret.ok) return secret;
  return checked({
    type: "oauth2",
    ...(clientId === undefined ? {} : { client_id: clientId }),
    ...(secret === null ? {} : { client_secret: secret.value.reveal() }),
    ...(scope === undefined ? {} : { scope }),
  });
}

/** Says what is wrong without repeating a value. */
function checked(auth: unknown): Result<McpAuth, CliFailure> {
  const parsed = McpAuth.safeParse(auth);
  if (parsed.success) return ok(parsed.data);
  return fail(
    usageFailure(`The credentials are not valid: ${parsed.error.issues[0]?.message ?? ""}`),
  );
}
