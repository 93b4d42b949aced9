/**
 * What a server option is. An option is data: the parser, the help text, the reference page and the
 * deployment page are all made from one table of these, so none of them can forget one.
 *
 * Every option has one kebab-case name. `http-address` is the flag `--http-address`, the
 * environment variable `ATELIER_HTTP_ADDRESS` (or `CODER_HTTP_ADDRESS`), the key `http-address` in
 * the YAML file, and `httpAddress` in code. A duration's name in code ends in `Ms`.
 */
import type { Secret } from "@atelier/base/secret";

/** Where a socket listens. An empty host means every interface. */
export type Address = { readonly host: string; readonly port: number };

/** Says what is wrong with a value, as the end of a sentence, or null. It never quotes a secret. */
type Check = (text: string) => string | null;

type Common<Kind extends string> = {
  readonly kind: Kind;
  readonly name: string;
  readonly group: string;
  /** Sentences for people, without the default: that is added. */
  readonly description: string;
  /** Left out of every list that people see. It can still be set. */
  readonly hidden?: true;
  /** Environment names besides `ATELIER_<NAME>` and `CODER_<NAME>`, weaker than both. */
  readonly aliases?: readonly string[];
  /** Says in words what happens by default, where the value alone does not. */
  readonly defaultText?: string;
};

export type Option =
  | (Common<"string"> & { readonly default: string | null; readonly check?: Check })
  | (Common<"int"> & { readonly default: number; readonly min: number; readonly max: number })
  | (Common<"bool"> & { readonly default: boolean })
  /** The default as people write it: `24h`. */
  | (Common<"duration"> & { readonly default: string; readonly minMs?: number })
  /** With `optional`, an empty value is allowed and gives null. */
  | (Common<"address"> & { readonly default: string; readonly optional?: true })
  /** http or https. Reaches code without a slash at its end. */
  | (Common<"url"> & { readonly default: null })
  | (Common<"secret"> & { readonly default: null; readonly check?: Check })
  | (Common<"secrets"> & { readonly default: readonly []; readonly check?: Check })
  /** `check` judges each item. */
  | (Common<"list"> & { readonly default: readonly string[]; readonly check?: Check })
  | (Common<"choice"> & { readonly default: string; readonly choices: readonly string[] });

export type OptionSource = "flag" | "environment" | "file" | "default";

export type OptionValue =
  | string
  | number
  | boolean
  | Address
  | Secret
  | readonly string[]
  | readonly Secret[]
  | null;

/** All values, each under its name in code and with the type of its kind. */
export type OptionValues<Table extends readonly Option[]> = {
  readonly [
    Each in Table[number] as OptionProperty<Each["kind"], Each["name"]>
  ]: OptionValueOf<Each>;
};

export type ParsedOptions<Table extends readonly Option[]> = {
  readonly values: OptionValues<Table>;
  /** Option name → where its value comes from. */
  readonly sources: ReadonlyMap<string, OptionSource>;
  /** The options of families that somebody set, for people. */
  readonly members: readonly { readonly option: Option; readonly value: OptionValue }[];
  /** Allowed, but not wise. For the log. */
  readonly warnings: readonly string[];
};

/** `session-duration` → `sessionDurationMs`. */
export function propertyOf(option: Option): string {
  const camelCase = option.name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return option.kind === "duration" ? `${camelCase}Ms` : camelCase;
}

/** The environment variables of an option, strongest first. The first is the one we document. */
export function environmentNamesOf(option: Option): readonly [string, ...string[]] {
  const suffix = option.name.replaceAll("-", "_").toUpperCase();
  return [`ATELIER_${suffix}`, `CODER_${suffix}`, ...(option.aliases ?? [])];
}

/** Names a file that holds the value. Only secrets have it: platforms mount secrets as files. */
export function fileEnvironmentNameOf(option: Option): string | null {
  const isSecret = option.kind === "secret" || option.kind === "secrets";
  return isSecret ? `${environmentNamesOf(option)[0]}_FILE` : null;
}

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

/** The name in code of an option of this kind and name. */
export type OptionProperty<
  Kind extends Option["kind"],
  Name extends string,
> = Kind extends "duration" ? `${CamelCase<Name>}Ms` : CamelCase<Name>;

export type OptionValueOf<Each extends Option> = Each extends { kind: "int" | "duration" }
  ? number
  : Each extends { kind: "bool" }
    ? boolean
    : Each extends { kind: "address" }
      ? Each extends { optional: true }
        ? Address | null
        : Address
      : Each extends { kind: "url" }
        ? string | null
        : Each extends { kind: "secret" }
          ? Secret | null
          : Each extends { kind: "secrets" }
            ? readonly Secret[]
            : Each extends { kind: "list" }
              ? readonly string[]
              : Each extends { kind: "choice"; choices: readonly (infer Choice)[] }
                ? Choice
                : Each extends { kind: "string"; default: null }
                  ? string | null
                  : string;
