/**
 * A command as data: its name, help, arguments, options and what it does. The program, its help,
 * shell completion and the reference page are made from it.
 *
 * A command prints nothing itself. It returns an answer that can be shown to people and to
 * programs, so `--json` prints one document and nothing else, whatever the command.
 */
import { parseDurationMs } from "@atelier/base/duration";
import type { Result } from "@atelier/base/result";
import { InvalidArgumentError } from "commander";
import type { CliFailure } from "./cli-failure.ts";
import type { Cli } from "./cli.ts";

export type Answer =
  | {
      readonly kind: "shown";
      /** What `--json` prints. */
      readonly json: unknown;
      /** What people read on stdout; an empty text prints nothing. */
      text(): string;
      /** What people read besides, on stderr, so that a pipe does not get it. */
      readonly note: string | null;
      /** What is shown is that something failed: the exit code says so too. */
      readonly isFailed: boolean;
    }
  /** The command ran a program that printed for itself. */
  | { readonly kind: "exited"; readonly exitCode: number };

export type CommandOutcome = Promise<Result<Answer, CliFailure>>;

export type ArgumentSpec<Value = unknown> = {
  readonly kind: "required" | "optional" | "rest";
  readonly description: string;
  readonly valueOf: (raw: unknown) => Value;
};

export type OptionSpec<Value = unknown> = {
  readonly flags: string;
  readonly description: string;
  readonly choices: readonly string[] | null;
  readonly isRepeatable: boolean;
  /** Throws InvalidArgumentError, which becomes a usage failure that names the option. */
  readonly parse: (text: string) => unknown;
  readonly valueOf: (raw: unknown) => Value;
};

export type CommandDefinition<
  Args extends Record<string, ArgumentSpec> = Record<string, ArgumentSpec>,
  Options extends Record<string, OptionSpec> = Record<string, OptionSpec>,
> = {
  /** The words after `atelier`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly details?: string;
  /** Complete command lines. */
  readonly examples: readonly [string, ...string[]];
  readonly args: Args;
  readonly options: Options;
  /** All words after the name go to the command as they are, also those that look like options. */
  readonly passesThrough?: boolean;
  run(cli: Cli, input: CommandInput<Args, Options>): CommandOutcome;
};

export type CommandInput<
  Args extends Record<string, ArgumentSpec>,
  Options extends Record<string, OptionSpec>,
> = {
  readonly args: { readonly [Key in keyof Args]: ReturnType<Args[Key]["valueOf"]> };
  readonly options: { readonly [Key in keyof Options]: ReturnType<Options[Key]["valueOf"]> };
  /** With `passesThrough`: the words. */
  readonly words: readonly string[];
};

export function defineCommand<
  const Args extends Record<string, ArgumentSpec>,
  const Options extends Record<string, OptionSpec>,
>(definition: CommandDefinition<Args, Options>): CommandDefinition<Args, Options> {
  return definition;
}

export function shown(answer: {
  readonly json: unknown;
  text(): string;
  readonly note?: string | null;
  readonly isFailed?: boolean;
}): Answer {
  const { json, note = null, isFailed = false } = answer;
  return { kind: "shown", json, text: () => answer.text(), note, isFailed };
}

// Arguments. The casts in valueOf() hold because commander gives texts, and only when given.

export function argument(description: string): ArgumentSpec<string> {
  return { kind: "required", description, valueOf: (raw) => raw as string };
}

export function optionalArgument(description: string): ArgumentSpec<string | undefined> {
  return { kind: "optional", description, valueOf: (raw) => raw as string | undefined };
}

/** All words that are left, also those behind `--`. */
export function restArgument(description: string): ArgumentSpec<readonly string[]> {
  const valueOf = (raw: unknown): readonly string[] => (raw ?? []) as readonly string[];
  return { kind: "rest", description, valueOf };
}

// Options. The casts in valueOf() hold because parse() made the value.

export function switchOption(flags: string, description: string): OptionSpec<boolean> {
  return { ...TEXT, flags, description, valueOf: (raw) => raw === true };
}

export function textOption(flags: string, description: string): OptionSpec<string | undefined> {
  return { ...TEXT, flags, description, valueOf: (raw) => raw as string | undefined };
}

export function textsOption(flags: string, description: string): OptionSpec<readonly string[]> {
  const valueOf = (raw: unknown): readonly string[] => (raw ?? []) as readonly string[];
  return { ...TEXT, flags, description, isRepeatable: true, valueOf };
}

export function choiceOption<const Choice extends string>(
  flags: string,
  description: string,
  choices: readonly Choice[],
): OptionSpec<Choice | undefined> {
  const valueOf = (raw: unknown): Choice | undefined => raw as Choice | undefined;
  return { ...TEXT, flags, description, choices, parse: oneOf(choices), valueOf };
}

export function choicesOption<const Choice extends string>(
  flags: string,
  description: string,
  choices: readonly Choice[],
): OptionSpec<readonly Choice[]> {
  const valueOf = (raw: unknown): readonly Choice[] => (raw ?? []) as readonly Choice[];
  return { flags, description, choices, isRepeatable: true, parse: oneOf(choices), valueOf };
}

export function countOption(
  flags: string,
  description: string,
  max: number,
): OptionSpec<number | undefined> {
  const parse = (text: string): number => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`A whole number from 1 to ${max}.`);
  };
  return { ...TEXT, flags, description, parse, valueOf: (raw) => raw as number | undefined };
}

/** `none` gives null. */
export function limitOption(
  flags: string,
  description: string,
  max: number,
): OptionSpec<number | null | undefined> {
  const parse = (text: string): number => {
    // Commander takes null for an option without a value.
    if (text === "none") return 0;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    if (value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`A whole number from 1 to ${max}, or none.`);
  };
  const valueOf = (raw: unknown) => (raw === 0 ? null : (raw as number | undefined));
  return { ...TEXT, flags, description, parse, valueOf };
}

export function durationMsOption(
  flags: string,
  description: string,
): OptionSpec<number | undefined> {
  const parse = (text: string): number => {
    const durationMs = parseDurationMs(text);
    if (durationMs !== null && durationMs > 0) return durationMs;
    throw new InvalidArgumentError("A duration such as 30s, 12h or 7d.");
  };
  return { ...TEXT, flags, description, parse, valueOf: (raw) => raw as number | undefined };
}

const TEXT = {
  choices: null,
  isRepeatable: false,
  parse: (text: string): unknown => text,
} as const;

function oneOf(choices: readonly string[]): (text: string) => string {
  return (text) => {
    if (choices.includes(text)) return text;
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(", ")}.`);
  };
}
