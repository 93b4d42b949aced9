/**
 * The commander program, made from the command definitions.
 *
 * The options that every command takes are accepted at each level: `atelier --json users list` and
 * `atelier users list --json` are the same. Nothing here runs a command: `start` is told which one.
 */
import tab from "@bomb.sh/tab/commander";
import { Secret } from "@atelier/base/secret";
import { Argument, Command, Option, type CommanderError } from "commander";
import { EXIT_CODE_MEANINGS } from "./cli-failure.ts";
import type { GlobalOptions } from "./cli.ts";
import {
  durationMsOption,
  switchOption,
  textOption,
  type ArgumentSpec,
  type CommandDefinition,
  type CommandInput,
  type OptionSpec,
} from "./command.ts";
import { COMMANDS } from "./commands/all.ts";
import { ENVIRONMENT_VARIABLES } from "./config.ts";

export type Start = (
  definition: CommandDefinition,
  globals: GlobalOptions,
  input: CommandInput<CommandDefinition["args"], CommandDefinition["options"]>,
) => Promise<void>;

export type ProgramOutput = { writeOut(text: string): void; writeErr(text: string): void };

const TIMEOUT_MS_DEFAULT = 30_000;

/** What stands above the options that every command takes. */
export const EVERY_COMMAND_HEADING = "Options of every command:";

const GROUPS: Readonly<Record<string, string>> = {
  chat: "Chats: agents that work for you",
  "chat queue": "Messages that wait until a chat is free",
  users: "The people who may sign in",
  tokens: "API tokens, for tools and scripts",
  sessions: "Where an account is signed in",
  providers: "Model providers that the gateway sends to",
  "providers keys": "The company's keys for a model provider",
  ai: "What went through the gateway",
  "ai sessions": "Sessions: requests that belong together",
  "ai interceptions": "Interceptions: single requests",
  audit: "Who changed what",
  config: "The server's options",
};

const GLOBAL_OPTIONS = {
  url: textOption("--url <url>", "the server's URL"),
  token: textOption(
    "--token <token>",
    "a session or API token; visible to others in process lists",
  ),
  configDir: textOption("--config-dir <dir>", "where the sign-in is stored"),
  json: switchOption("--json", "print one JSON document, and errors as JSON on stderr"),
  verbose: switchOption("-v, --verbose", "show each request on stderr"),
  timeout: durationMsOption(
    "--timeout <duration>",
    "how long to wait for the server (default: 30s)",
  ),
  noColor: switchOption("--no-color", "no colors"),
};

/** Throws CommanderError instead of ending the process. */
export function buildProgram(version: string, output: ProgramOutput, start: Start): Command {
  const program = new Command("atelier")
    .description("Atelier: a self-hosted, governed gateway to AI models")
    .version(version, "-V, --version", "print the version of this program")
    .exitOverride()
    // The caller shows errors, as text or as JSON.
    .configureOutput({ ...output, outputError: () => {} })
    .configureHelp({ subcommandTerm: termOf })
    .enablePositionalOptions()
    .helpCommand("help [command]", "show the help of a command");
  addGlobalOptions(program);
  const groups = new Map<string, Command>([["", program]]);
  for (const definition of COMMANDS) {
    const words = definition.name.split(" ");
    const parent = groupOf(groups, words.slice(0, -1).join(" "));
    addCommand(parent, words.at(-1) ?? "", definition, start);
  }
  addCompletion(program);
  program.addHelpText("after", `\n${rootHelp()}`);
  return program;
}

/** The words of a usage error without commander's prefix. */
export function usageMessageOf(error: CommanderError): string {
  const message = error.message.replace(/^error: /, "").replaceAll("\n", " ");
  // It repeats all of them, and one may be a key that does not belong there.
  return error.code === "commander.excessArguments"
    ? message.replace(/ but got .*$/, ".")
    : message;
}

/** A command's name and arguments: that it takes options is said by its own help. */
function termOf(command: Command): string {
  const args = command.registeredArguments.map((each) =>
    each.required ? `<${each.name()}>` : each.variadic ? `[${each.name()}...]` : `[${each.name()}]`,
  );
  return [command.name(), ...args].join(" ");
}

function groupOf(groups: Map<string, Command>, name: string): Command {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const words = name.split(" ");
  const parent = groupOf(groups, words.slice(0, -1).join(" "));
  const group = parent.command(words.at(-1) ?? "").description(GROUPS[name] ?? "");
  addGlobalOptions(group);
  groups.set(name, group);
  return group;
}

function addCommand(
  parent: Command,
  word: string,
  definition: CommandDefinition,
  start: Start,
): void {
  const command = parent.command(word).description(definition.summary);
  for (const [name, { kind, description }] of Object.entries(definition.args)) {
    command.addArgument(new Argument(ARGUMENT_TERMS[kind](name), description));
  }
  const options = Object.entries(definition.options).map(([key, spec]) => {
    const option = commanderOption(spec);
    command.addOption(option);
    return [key, spec, option.attributeName()] as const;
  });
  if (definition.passesThrough === true) {
    command.passThroughOptions().allowUnknownOption().allowExcessArguments().helpOption(false);
    command.usage("[its own options and words]");
  } else {
    addGlobalOptions(command);
  }
  command.addHelpText("after", () => `\n${examplesHelp(definition)}`);
  command.action(async () => {
    const values = Object.keys(definition.args).map(
      (name, index) => [name, command.processedArgs[index] as unknown] as const,
    );
    await start(definition, globalOptionsOf(command), {
      args: Object.fromEntries(
        values.map(([name, value]) => [name, definition.args[name]?.valueOf(value)]),
      ),
      options: Object.fromEntries(
        options.map(([key, spec, name]) => [key, spec.valueOf(command.getOptionValue(name))]),
      ),
      words: command.args,
    });
  });
}

const ARGUMENT_TERMS: Readonly<Record<ArgumentSpec["kind"], (name: string) => string>> = {
  required: (name) => `<${name}>`,
  optional: (name) => `[${name}]`,
  rest: (name) => `[${name}...]`,
};

function commanderOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, spec.description);
  if (spec.choices !== null) {
    // Not choices(): it would refuse the values after the first of a repeatable option.
    option.argChoices = [...spec.choices];
  }
  option.argParser((text: string, previous: unknown) => {
    const value = spec.parse(text);
    // The cast: only this function makes the values of a repeatable option.
    return spec.isRepeatable ? [...((previous ?? []) as unknown[]), value] : value;
  });
  return option;
}

function addGlobalOptions(command: Command): void {
  command
    .addHelpOption(new Option("-h, --help", "show this help").helpGroup(EVERY_COMMAND_HEADING))
    .optionsGroup(EVERY_COMMAND_HEADING);
  for (const spec of Object.values(GLOBAL_OPTIONS)) {
    if (spec === GLOBAL_OPTIONS.noColor) command.option(spec.flags, spec.description);
    else
      command.addOption(
        isSwitch(spec) ? new Option(spec.flags, spec.description) : commanderOption(spec),
      );
  }
}

function isSwitch(spec: OptionSpec): boolean {
  return !spec.flags.includes("<");
}

/** The nearest level that was given an option decides. */
function globalOptionsOf(leaf: Command): GlobalOptions {
  const given = (name: string): unknown => {
    for (let each: Command | null = leaf; each !== null; each = each.parent) {
      if (each.getOptionValueSource(name) === "cli") return each.getOptionValue(name) as unknown;
    }
    return undefined;
  };
  const token = GLOBAL_OPTIONS.token.valueOf(given("token"));
  return {
    url: GLOBAL_OPTIONS.url.valueOf(given("url")) ?? null,
    token: token === undefined ? null : new Secret(token),
    configDir: GLOBAL_OPTIONS.configDir.valueOf(given("configDir")) ?? null,
    isJson: given("json") === true,
    isVerbose: given("verbose") === true,
    allowsColors: given("color") !== false,
    timeoutMs: GLOBAL_OPTIONS.timeout.valueOf(given("timeout")) ?? TIMEOUT_MS_DEFAULT,
  };
}

/** `completion <shell>` prints a script, which calls the hidden `complete` for suggestions. */
function addCompletion(program: Command): void {
  const suggestions = tab(program, { completionCommandName: "completion" });
  const description = "Print a script that completes commands and options in a shell";
  const suggestion = suggestions.commands.get("completion");
  if (suggestion !== undefined) suggestion.description = description;
  program.commands
    .find((each) => each.name() === "completion")
    ?.description(description)
    .addHelpText("after", `\nExamples:\n${COMPLETION_EXAMPLES.join("\n")}`);
}

const COMPLETION_EXAMPLES = [
  "  $ source <(atelier completion bash)",
  "  $ atelier completion zsh > ~/.zfunc/_atelier",
  "  $ atelier completion fish > ~/.config/fish/completions/atelier.fish",
];

function examplesHelp({ details, examples }: CommandDefinition): string {
  const lines = examples.map((example) => `  $ ${example}`);
  return [
    ...(details === undefined ? [] : [details, ""]),
    examples.length === 1 ? "Example:" : "Examples:",
    ...lines,
  ].join("\n");
}

function rootHelp(): string {
  const width = Math.max(...ENVIRONMENT_VARIABLES.map(([names]) => names.length));
  return [
    "Environment:",
    ...ENVIRONMENT_VARIABLES.map(([names, meaning]) => `  ${names.padEnd(width)}  ${meaning}`),
    "",
    "Exit codes:",
    ...EXIT_CODE_MEANINGS.map(([code, meaning]) => `  ${String(code).padEnd(3)}  ${meaning}`),
    "",
    "Examples:",
    "  $ atelier server",
    "  $ atelier login http://127.0.0.1:3000",
    "  $ atelier users list --json",
  ].join("\n");
}
