/** The reference of all commands as Markdown, made from the same program that runs them. */
import type { Argument, Command, Option } from "commander";
import { EXIT_CODE_MEANINGS } from "./cli-failure.ts";
import { COMMANDS } from "./commands/all.ts";
import { ENVIRONMENT_VARIABLES } from "./config.ts";
import { buildProgram, EVERY_COMMAND_HEADING } from "./program.ts";

export function renderCliReference(): string {
  const program = buildProgram("", { writeOut: () => {}, writeErr: () => {} }, async () => {});
  const sections = [
    "# The command line `atelier`",
    "In a clone, run it as `npx atelier …`. Every command has `--help`.",
    "## Options of every command",
    optionTable(program.options.filter((each) => each.long !== "--version")),
    "## Environment",
    "Flags win over the environment, and both win over the sign-in that `atelier login` stored.",
    markdownTable(
      ["Variable", "Meaning"],
      ENVIRONMENT_VARIABLES.map(([names, meaning]) => [code(names), meaning]),
    ),
    "## Exit codes",
    markdownTable(
      ["Code", "Meaning"],
      EXIT_CODE_MEANINGS.map(([exitCode, meaning]) => [String(exitCode), meaning]),
    ),
    "## Programs",
    "`--json` prints one JSON document on stdout, in the shapes of the HTTP API. A failure prints " +
      '`{"error": {code, message, detail, remedy, validations, status, request_id, exit_code}}` on ' +
      "stderr. Nothing is asked when stdin is not a terminal, or with `--json`: what cannot be undone " +
      "then needs `-y`.",
    "## Commands",
    ...leaves(program).flatMap(commandSection),
  ];
  return `${sections.filter((each) => each !== "").join("\n\n")}\n`;
}

function leaves(command: Command): Command[] {
  if (command.commands.length === 0) return [command];
  return command.createHelp().visibleCommands(command).filter(isOurs).flatMap(leaves);
}

/** Commander's own `help` describes itself. */
function isOurs(command: Command): boolean {
  return command.name() !== "help";
}

function commandSection(command: Command): string[] {
  const name = pathOf(command);
  const definition = COMMANDS.find((each) => `atelier ${each.name}` === name);
  const own = command.options.filter((each) => each.helpGroupHeading !== EVERY_COMMAND_HEADING);
  const examples = definition?.examples ?? [];
  return [
    `### ${code(name)}`,
    `${command.description()}.${definition?.details === undefined ? "" : ` ${definition.details}`}`,
    command.registeredArguments.length === 0 ? "" : argumentTable(command.registeredArguments),
    own.length === 0 ? "" : optionTable(own),
    examples.length === 0 ? "" : `\`\`\`sh\n${examples.join("\n")}\n\`\`\``,
  ];
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function argumentTable(all: readonly Argument[]): string {
  return markdownTable(
    ["Argument", "Meaning"],
    all.map((each) => [
      code(each.required ? `<${each.name()}>` : `[${each.name()}]`),
      each.description + choicesText(each.argChoices),
    ]),
  );
}

function optionTable(all: readonly Option[]): string {
  return markdownTable(
    ["Option", "Meaning"],
    all.map((each) => [code(each.flags), each.description + choicesText(each.argChoices)]),
  );
}

function choicesText(choices: readonly string[] | undefined): string {
  return choices === undefined ? "" : `: ${choices.map(code).join(", ")}`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows].map(
    (row) => `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
  );
  return lines.join("\n");
}
