/**
 * Options that exist once for each number: `provider-<n>-type` stands for `provider-0-type`,
 * `provider-1-type` and so on, as flag, variable and key of the file alike. A family is a list of
 * such options. Naming one of them for a number makes all of them exist for that number. Pure.
 */
import {
  environmentNamesOf,
  propertyOf,
  type Option,
  type OptionProperty,
  type OptionValue,
  type OptionValueOf,
} from "./option.ts";

export type OptionFamilies = Readonly<Record<string, readonly Option[]>>;

/** What was said for one number. The names in code are those after the number: `baseUrl`. */
export type FamilyValues<Family extends readonly Option[]> = {
  readonly number: number;
  readonly values: {
    readonly [Each in Family[number] as MemberProperty<Each>]: OptionValueOf<Each>;
  };
};

/** The numbers of one family that somebody names. */
export type FamilyNumbers = ReadonlySet<number>;

/** One option of a family, for one number. */
export type FamilyMember = {
  readonly family: string;
  readonly number: number;
  /** Its name in code. */
  readonly property: string;
  readonly option: Option;
};

const NUMBER = "(0|[1-9]\\d{0,2})";

/** The numbers that flags and variables name. */
export function numbersInStart(
  family: readonly Option[],
  start: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, unknown>> },
): FamilyNumbers {
  const flags = start.argv.flatMap((argument) => /^--([^=]+)/.exec(argument)?.[1] ?? []);
  const variables = Object.keys(start.env);
  const own = family.map((option) => beginning(environmentNamesOf(option)[0]));
  const shared = family.flatMap((option) => environmentNamesOf(option).slice(1));
  return new Set([
    ...numbersIn(family, flags),
    ...numbersNamed(own, variables),
    // Others may have names that begin alike: of theirs only whole names count.
    ...numbersNamed(shared.map((name) => `${name}$`), variables), // prettier-ignore
  ]);
}

/** The numbers that flags or keys of a file give. A name that does not exist is a mistake elsewhere. */
export function numbersIn(family: readonly Option[], names: Iterable<string>): FamilyNumbers {
  return numbersNamed(
    family.map(({ name }) => beginning(name)),
    names,
  );
}

/** All options of the family for these numbers. */
export function membersOf(
  family: string,
  options: readonly Option[],
  numbers: FamilyNumbers,
): readonly FamilyMember[] {
  return [...numbers]
    .toSorted((a, b) => a - b)
    .flatMap((number) =>
      options.map((option) => ({
        family,
        number,
        property: propertyOf({ ...option, name: option.name.replace(/^.*<n>-/, "") }),
        option: {
          ...option,
          name: option.name.replace("<n>", String(number)),
          aliases: (option.aliases ?? []).map((name) => name.replace("<N>", String(number))),
        },
      })),
    );
}

/** What was said, by number. A number for which nothing is set, as by an empty variable, is left out. */
export function familyValues(
  members: readonly FamilyMember[],
  said: {
    readonly isSet: (member: FamilyMember) => boolean;
    readonly valueOf: (option: Option) => OptionValue;
  },
): readonly FamilyValues<readonly Option[]>[] {
  const numbers = [...Map.groupBy(members, ({ number }) => number)];
  return numbers
    .filter(([, options]) => options.some(said.isSet))
    .map(([number, options]) => ({
      number,
      values: Object.freeze(
        Object.fromEntries(options.map(({ property, option }) => [property, said.valueOf(option)])),
      ),
    }));
}

/** Up to the number, so that a misspelt rest is compared with what exists for this number. */
function beginning(name: string): string {
  return /^.*<n>[-_]/i.exec(name)?.[0] ?? name;
}

function numbersNamed(patterns: readonly string[], names: Iterable<string>): Set<number> {
  const expressions = [...new Set(patterns)].map(
    (pattern) => new RegExp(`^${pattern.replace(/<n>/i, NUMBER)}`),
  );
  const numbers = new Set<number>();
  for (const name of names) {
    for (const expression of expressions) {
      const number = expression.exec(name)?.[1];
      if (number !== undefined) numbers.add(Number(number));
    }
  }
  return numbers;
}

type MemberProperty<Each extends Option> = Each["name"] extends `${string}<n>-${infer Rest}`
  ? OptionProperty<Each["kind"], Rest>
  : never;
