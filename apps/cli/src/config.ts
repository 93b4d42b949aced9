/**
 * The environment, read once. No other file of the CLI reads `process.env`.
 *
 * `ATELIER_…` wins over the `CODER_…` spelling of the same thing; flags win over both, and both over
 * the stored sign-in: see cli.ts. An empty variable counts as not set.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { Secret } from "@atelier/base/secret";

export type Environment = {
  readonly url: string | null;
  readonly token: Secret | null;
  /** Where the sign-in is stored. */
  readonly configDir: string;
  /** False when NO_COLOR is set (no-color.org) or the terminal is dumb. */
  readonly allowsColors: boolean;
  /** What a server started by `atelier server` inherits: all but our own, which it does not know. */
  readonly serverVariables: Readonly<Record<string, string>>;
};

const URL_NAMES = ["ATELIER_URL", "CODER_URL"];
const TOKEN_NAMES = ["ATELIER_TOKEN", "ATELIER_SESSION_TOKEN", "CODER_SESSION_TOKEN"];
const CONFIG_DIR_NAME = "ATELIER_CONFIG_DIR";

export const ENVIRONMENT_VARIABLES: readonly (readonly [string, string])[] = [
  [URL_NAMES.join(", "), "the server's URL"],
  [TOKEN_NAMES.join(", "), "a session or API token"],
  [CONFIG_DIR_NAME, "where the sign-in is stored; default ~/.config/atelier"],
  ["NO_COLOR", "any value: no colors"],
];

export function loadEnvironment(): Environment {
  return parseEnvironment(process.env, homedir());
}

export function parseEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
  home: string,
): Environment {
  const first = (names: readonly string[]): string | null =>
    names.map((name) => variables[name]?.trim() ?? "").find((value) => value !== "") ?? null;
  const token = first(TOKEN_NAMES);
  const ownNames = new Set([...URL_NAMES, ...TOKEN_NAMES, CONFIG_DIR_NAME]);
  return {
    url: first(URL_NAMES),
    token: token === null ? null : new Secret(token),
    configDir:
      first([CONFIG_DIR_NAME]) ??
      join(first(["XDG_CONFIG_HOME"]) ?? join(home, ".config"), "atelier"),
    allowsColors: (variables["NO_COLOR"] ?? "") === "" && variables["TERM"] !== "dumb",
    serverVariables: Object.fromEntries(
      Object.entries(variables).filter(
        (entry): entry is [string, string] => entry[1] !== undefined && !ownNames.has(entry[0]),
      ),
    ),
  };
}
