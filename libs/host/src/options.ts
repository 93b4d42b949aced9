/**
 * Reads a table of options from flags, environment and a YAML file (spec platform 6, style rule 38).
 *
 * The first that says something wins: flag, `ATELIER_<NAME>`, `CODER_<NAME>` and aliases, the file
 * named by option `config`, the default. Every mistake in any of them is reported at once: people
 * correct a configuration in one go. Pure: what it reads comes in. The result is frozen.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import { closestName } from "./closest-name.ts";
import {
  familyValues,
  membersOf,
  numbersIn,
  numbersInStart,
  type FamilyMember,
  type FamilyNumbers,
  type FamilyValues,
  type OptionFamilies,
} from "./option-family.ts";
import {
  environmentNamesOf,
  fileEnvironmentNameOf,
  propertyOf,
  type Option,
  type OptionSource,
  type OptionValue,
  type OptionValues,
  type ParsedOptions,
} from "./option.ts";
import { readOptionsFile } from "./options-file.ts";
import { defaultOf, parseOptionValue, type RawValue } from "./option-value.ts";

export type OptionInputs = {
  /** The arguments after the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `ATELIER_*` names that belong to others. A `*` at the end stands for any rest. */
  readonly environmentOfOthers?: readonly string[];
  /** Throws when the file cannot be read. */
  readonly readFile: (path: string) => string;
};

/** Something said about an option, and where. */
type Statement = { readonly source: OptionSource; readonly place: string; readonly raw: RawValue };
type Statements = ReadonlyMap<string, readonly Statement[]>;

export function parseOptions<
  const Table extends readonly Option[],
  const Families extends OptionFamilies = Record<never, never>,
>(
  table: Table,
  inputs: OptionInputs,
  families: Families = {} as Families, // The default of the type, too.
): Result<ParsedOptions<Table> & FamilyResults<Families>, readonly string[]> {
  const mistakes: string[] = [];
  const started = members(families, (family) => numbersInStart(family, inputs));
  const known = [...table, ...started.map(({ option }) => option)];
  const flags = readFlags(known, inputs.argv, mistakes);
  const environment = readEnvironment(known, inputs, mistakes);
  const file = openFile(configPath(flags, environment), inputs, mistakes);
  const inFile = members(families, (family) => {
    const numbers = numbersInStart(family, inputs);
    return numbersIn(family, file.values.keys()).difference(numbers);
  });
  const all = [...known, ...inFile.map(({ option }) => option)];
  const fromFile = fileStatements(all, file, mistakes);

  const values: Record<string, OptionValue> = {};
  const sources = new Map<string, OptionSource>();
  for (const option of all) {
    const statements = [flags, environment, fromFile].flatMap(
      (each) => each.get(option.name) ?? [],
    );
    const chosen = choose(option, statements, mistakes);
    values[propertyOf(option)] = chosen.value;
    sources.set(option.name, chosen.source);
  }
  if (mistakes.length > 0) return fail(mistakes);
  const valueOf = (option: Option): OptionValue => values[propertyOf(option)] ?? null;
  const ofFamilies = [...started, ...inFile].toSorted((a, b) => a.number - b.number);
  const isSet = ({ option }: FamilyMember): boolean => sources.get(option.name) !== "default";
  return ok({
    values: Object.freeze(values) as OptionValues<Table>, // One property for each row of the table.
    families: Object.fromEntries(
      Object.keys(families).map((name) => [
        name,
        familyValues(
          ofFamilies.filter(({ family }) => family === name),
          { isSet, valueOf },
        ),
      ]),
    ) as FamilyResults<Families>["families"], // One list for each family.
    members: ofFamilies.filter(isSet).map(({ option }) => ({ option, value: valueOf(option) })),
    sources,
    warnings: secretsOnCommandLine(all, flags),
  });
}

type FamilyResults<Families extends OptionFamilies> = {
  /** By number, which need not be without gaps. */
  readonly families: {
    readonly [Name in keyof Families]: readonly FamilyValues<Families[Name]>[];
  };
};

function members(
  families: OptionFamilies,
  numbersOf: (family: readonly Option[]) => FamilyNumbers,
): readonly FamilyMember[] {
  return Object.entries(families).flatMap(([name, family]) =>
    membersOf(name, family, numbersOf(family)),
  );
}

/** Reads `--name=value`, `--name value`, `--bool`. Of a flag given twice the last wins, lists add up. */
function readFlags(
  table: readonly Option[],
  argv: readonly string[],
  mistakes: string[],
): Statements {
  const byName = new Map(table.map((option) => [option.name, option]));
  const statements = new Map<string, readonly Statement[]>();
  for (let i = 0; i < argv.length; i += 1) {
    const argument = argv[i] ?? "";
    const [, name, inlineValue] = /^--([^=]+)(?:=(.*))?$/s.exec(argument) ?? [];
    const option = name === undefined ? undefined : byName.get(name);
    if (option === undefined) {
      mistakes.push(unknownArgument(argument, name, [...byName.keys()]));
      // What follows an unknown flag is its value: not a second mistake.
      if (name !== undefined && inlineValue === undefined && isValue(argv[i + 1])) i += 1;
      continue;
    }
    let raw: string | undefined = inlineValue;
    if (raw === undefined && option.kind === "bool") raw = "true";
    if (raw === undefined && isValue(argv[i + 1])) {
      i += 1;
      raw = argv[i];
    }
    if (raw === undefined) mistakes.push(`--${option.name}: a value is missing after it`);
    else statements.set(option.name, [flagStatement(option, raw, statements)]);
  }
  return statements;
}

function flagStatement(option: Option, raw: string, earlier: Statements): Statement {
  const before = earlier.get(option.name)?.[0]?.raw;
  const addsUp = option.kind === "list" || option.kind === "secrets";
  const all = addsUp && before !== undefined ? `${String(before)},${raw}` : raw;
  return { source: "flag", place: `--${option.name}`, raw: all };
}

function isValue(argument: string | undefined): boolean {
  return argument !== undefined && !argument.startsWith("--");
}

function unknownArgument(
  argument: string,
  name: string | undefined,
  known: readonly string[],
): string {
  // A stray word may be somebody's secret: it is not repeated.
  if (name === undefined) {
    return argument.startsWith("-")
      ? `${argument}: options begin with two hyphens; see --help`
      : "an argument is not an option: options are written --name value or --name=value";
  }
  return `--${name}: no such option${didYouMean(closestName(name, known), "--")}`;
}

function didYouMean(name: string | null, prefix = ""): string {
  return name === null ? "" : `; did you mean ${prefix}${name}?`;
}

function readEnvironment(
  table: readonly Option[],
  { env, environmentOfOthers = [], readFile }: OptionInputs,
  mistakes: string[],
): Statements {
  const statements = new Map<string, readonly Statement[]>();
  const known = new Set<string>();
  for (const option of table) {
    const fileName = fileEnvironmentNameOf(option);
    const names = environmentNamesOf(option);
    for (const name of [...names, ...(fileName === null ? [] : [fileName])]) known.add(name);
    const found = names.flatMap((name) => statementOf(option, name, env[name]));
    if (fileName !== null && env[fileName]) {
      const place = `${fileName} (${env[fileName]})`;
      if (env[names[0]]) mistakes.push(`${fileName}: ${names[0]} is set as well; keep one`);
      const content = attempt(() => readFile(env[fileName] ?? ""), place, mistakes);
      if (content !== null) found.unshift({ source: "environment", place, raw: content.trim() });
    }
    statements.set(option.name, found);
  }
  const isOfOthers = (name: string): boolean =>
    environmentOfOthers.some((other) =>
      other.endsWith("*") ? name.startsWith(other.slice(0, -1)) : name === other,
    );
  for (const name of Object.keys(env).filter((each) => each.startsWith("ATELIER_"))) {
    if (known.has(name) || isOfOthers(name)) continue;
    const ours = [...known].filter((each) => each.startsWith("ATELIER_"));
    mistakes.push(`${name}: no such option${didYouMean(closestName(name, ours))}`);
  }
  return statements;
}

/** An empty variable counts as not set, except where an empty value has a meaning of its own. */
function statementOf(option: Option, name: string, value: string | undefined): Statement[] {
  const emptyMatters = option.kind === "address" && option.optional === true;
  if (value === undefined || (value === "" && !emptyMatters)) return [];
  return [{ source: "environment", place: name, raw: value }];
}

function configPath(flags: Statements, environment: Statements): string | null {
  const [first] = [...(flags.get("config") ?? []), ...(environment.get("config") ?? [])];
  return first === undefined ? null : String(first.raw);
}

type OpenedFile = { readonly path: string; readonly values: ReadonlyMap<string, RawValue> };

/** What the file says, whether or not such options exist. Without a path it says nothing. */
function openFile(path: string | null, { readFile }: OptionInputs, mistakes: string[]): OpenedFile {
  const text = path === null ? null : attempt(() => readFile(path), `--config ${path}`, mistakes);
  if (path === null || text === null) return { path: "", values: new Map() };
  const file = readOptionsFile(text);
  mistakes.push(...file.mistakes.map((mistake) => `${path}: ${mistake}`));
  return { path, values: file.values };
}

function fileStatements(
  table: readonly Option[],
  { path, values }: OpenedFile,
  mistakes: string[],
): Statements {
  const names = table.map((option) => option.name).filter((name) => name !== "config");
  const statements = new Map<string, readonly Statement[]>();
  for (const [name, raw] of values) {
    const place = `${path}: ${name}`;
    if (names.includes(name)) statements.set(name, [{ source: "file", place, raw }]);
    else if (name === "config") mistakes.push(`${place}: a file cannot name another file`);
    else mistakes.push(`${place}: no such option${didYouMean(closestName(name, names))}`);
  }
  return statements;
}

function attempt(read: () => string, place: string, mistakes: string[]): string | null {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    mistakes.push(`${place}: cannot be read (${code})`);
    return null;
  }
}

/**
 * The strongest statement's value. A bad value is a mistake even where a stronger one hides it,
 * except in names that other programs also use: they may mean something else by it.
 */
function choose(
  option: Option,
  statements: readonly Statement[],
  mistakes: string[],
): { readonly value: OptionValue; readonly source: OptionSource } {
  let chosen: { value: OptionValue; source: OptionSource } | null = null;
  for (const [index, { source, place, raw }] of statements.entries()) {
    const isShared = source === "environment" && !place.startsWith("ATELIER_");
    if (0 < index && isShared) continue;
    const parsed = parseOptionValue(option, raw);
    if (!parsed.ok) mistakes.push(`${place}: ${parsed.failure}`);
    else chosen ??= { value: parsed.value, source };
  }
  return chosen ?? { value: defaultOf(option), source: "default" };
}

function secretsOnCommandLine(table: readonly Option[], flags: Statements): readonly string[] {
  return table
    .filter((option) => option.kind === "secret" || option.kind === "secrets")
    .filter((option) => flags.has(option.name))
    .map(
      (option) =>
        `--${option.name} is visible to every user of this machine in its list of processes; ` +
        `prefer ${environmentNamesOf(option)[0]}`,
    );
}
