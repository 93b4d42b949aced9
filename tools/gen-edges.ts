/** Renders the allowed imports of tools/architecture.ts for ARCHITECTURE.md. */
import { APPS, LIBS, ROOMS, SYSTEMS } from "./architecture.ts";
import { code, replaceSection, table } from "./markdown.ts";
import { read } from "./source-files.ts";

export function renderArchitecture(root: string): string {
  const list = (names: readonly string[]): string =>
    names.length === 0 ? "–" : names.map(code).join(" ");
  const members = [
    ...Object.entries(APPS).map(([name, uses]) => [`apps/${name}`, uses] as const),
    ...Object.entries(SYSTEMS).map(([name, uses]) => [`systems/${name}`, uses] as const),
    ...Object.entries(LIBS).map(([name, { uses }]) => [`libs/${name}`, uses] as const),
  ];
  const rooms = Object.entries(ROOMS).flatMap(([system, own]) =>
    Object.entries(own).map(([room, uses]) => [system, code(room), list(uses)]),
  );
  const edges = [
    table(
      ["member", "may import"],
      members.map(([name, uses]) => [code(name), list(uses)]),
    ),
    "",
    table(["system", "room", "may use the rooms"], rooms),
  ];
  return replaceSection(read(root, "ARCHITECTURE.md"), "edges", edges.join("\n"));
}
