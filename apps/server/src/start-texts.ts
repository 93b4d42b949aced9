/** What the server says to the person who started it: help, mistakes, and what to do next. */
import { formatAddress } from "@atelier/host/option-value";
import { renderHelp, wrap } from "@atelier/host/option-texts";
import type { Address } from "@atelier/host/option";
import { VERSION } from "@atelier/host/version";
import { reachable, ALL_OPTIONS } from "./config.ts";

const WIDTH_MIN = 60;
const WIDTH_MAX = 100;

export function helpText(terminalWidth: number | undefined): string {
  const width = Math.min(Math.max(terminalWidth ?? WIDTH_MAX, WIDTH_MIN), WIDTH_MAX);
  return [
    `Atelier ${VERSION}: a self-hosted, governed gateway to AI models.`,
    "",
    "Usage:",
    "  npm start                              start with an embedded Postgres",
    "  npm start -- --http-address :4000      start with options",
    "  npm start -- dbcrypt rotate --help     change the encryption key",
    "  npm start -- --help | --version",
    "",
    ...wrap(
      "Each option can be given as a flag, in the environment, or in the YAML file that --config names. " +
        "The first that says something wins, in this order. An option is also read from CODER_<NAME>, " +
        "after ATELIER_<NAME>, and a secret from the file that ATELIER_<NAME>_FILE names.",
      width,
      "",
    ),
    "Durations are written like 90s, 1h30m or 7d.",
    "",
    renderHelp(ALL_OPTIONS, width),
  ].join("\n");
}

export function mistakesText(mistakes: readonly string[]): string {
  const heading =
    mistakes.length === 1
      ? "The configuration has a mistake:"
      : `The configuration has ${mistakes.length} mistakes:`;
  return [heading, ...mistakes.map((mistake) => `  - ${mistake}`), "", "See --help.", ""].join(
    "\n",
  );
}

/** `accessUrl` is null where nobody said how people reach the server. */
export function readyText(address: Address, accessUrl: string | null): string {
  const url = `http://${formatAddress(reachable(address))}`;
  return [
    `Atelier ${VERSION} is ready: ${url}`,
    ...(accessUrl === null ? [] : [`People reach it at ${accessUrl}`]),
    `API description: ${url}/api/v2/docs`,
    "",
    "Open it in a browser, or sign in here. On a fresh server this creates the first user, who becomes the owner:",
    `  npm run atelier -- login ${url}`,
    "The same by hand:",
    `  curl -X POST ${url}/api/v2/users/first -H 'content-type: application/json' \\`,
    `    -d '{"email": "you@example.com", "username": "you", "password": "…"}'`,
    "",
    "Stop with Ctrl+C.",
    "",
  ].join("\n");
}
