/** The test of a model provider, as people read it: a table, then what to do about what went wrong. */
import type { ProviderKeyTest, testModelProvider } from "@atelier/contract/http/ai-provider-test";
import type { z } from "zod";
import { orDash, table, type Cell, type Look } from "./people.ts";
import { terminalSafe } from "./terminal-safe.ts";

type TestAnswer = z.output<(typeof testModelProvider)["success"]["body"]>;
type KeyTest = z.output<typeof ProviderKeyTest>;

export function providerTestText(
  look: Look,
  { provider, passed, results, notes }: TestAnswer,
): string {
  const verdict = passed
    ? look.colors.green("Everything that was tested works.")
    : look.colors.red("Not everything works.");
  const parts = [
    checksTable(look, results),
    ...results.flatMap((each) => troubles(each)),
    [...notes, ...results.flatMap(notesOf)].map((note) => `Note: ${terminalSafe(note)}`).join("\n"),
    `${terminalSafe(provider.name)} (${provider.type}): ${verdict}`,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function checksTable(look: Look, results: readonly KeyTest[]): string {
  const titles = ["KEY", "TEST", "RESULT", "STATUS", "TIME", "MODEL"];
  const rows = results.flatMap((result) =>
    result.checks.map((check): Cell[] => [
      keyName(result),
      check.kind,
      { text: check.outcome, tone: check.outcome === "ok" ? "good" : "bad" },
      orDash(check.status === null ? null : String(check.status)),
      `${check.latency_ms} ms`,
      orDash(check.model),
    ]),
  );
  return rows.length === 0 ? "" : table(look, titles.map((title) => ({ title })), rows); // prettier-ignore
}

/** A block for each check that did not go well. */
function troubles(result: KeyTest): readonly string[] {
  const said = (name: string, text: string | null): string[] =>
    text === null ? [] : [`  ${name} ${terminalSafe(text)}`];
  return result.checks
    .filter(({ outcome }) => outcome !== "ok")
    .map(({ kind, explanation, message, remedy }) =>
      [
        `${keyName(result)}, ${kind}: ${terminalSafe(explanation)}`,
        ...said("It says:", message),
        ...said("Next:", remedy),
      ].join("\n"),
    );
}

function notesOf(result: KeyTest): readonly string[] {
  const isOfKey = result.key !== null;
  return result.notes.map((note) => (isOfKey ? `${keyName(result)}: ${note}` : note));
}

function keyName({ key }: KeyTest): string {
  return key === null ? "-" : terminalSafe(key.masked);
}
