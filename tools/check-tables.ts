/**
 * Finds the tables that code names, in Kysely calls and in SQL text, and compares them with TABLES
 * of tools/architecture.ts: only stores name tables, only the owner's stores write them.
 */
import type { TABLES } from "./architecture.ts";
import { isTestFile, listFiles, read, withoutComments } from "./source-files.ts";

type Tables = typeof TABLES;

export type TableUse = {
  readonly table: string;
  readonly access: "read" | "write";
  readonly line: number;
};

const WRITES = [
  /\.(?:insertInto|updateTable|deleteFrom|mergeInto|replaceInto)\(\s*["'`]([a-z_]+)/g,
  /\b(?:insert\s+into|update(?:\s+only)?|delete\s+from|merge\s+into|truncate(?:\s+table)?|copy)\s+"?([a-z_]+)\b/gi,
];
const READS = [
  /\.(?:selectFrom|from|using|innerJoin|leftJoin|rightJoin|fullJoin|crossJoin|innerJoinLateral|leftJoinLateral)\(\s*["'`]([a-z_]+)/g,
  /(?<!\bdelete\s+)\b(?:from|join|using)\s+(?:only\s+)?"?([a-z_]+)\b/gi,
];
/** Kysely takes several tables in a list; SQL text separates them by commas. */
const READ_LISTS = [
  /\.(?:selectFrom|from|using)\(\s*\[([^\]]*)\]/g,
  /\bfrom\s+([a-z_]+(?:\s+(?:as\s+)?[a-z_]+)?(?:\s*,\s*[a-z_]+(?:\s+(?:as\s+)?[a-z_]+)?)+)/gi,
];

export function tableUsesOf(source: string, isTable: (name: string) => boolean): TableUse[] {
  const code = withoutComments(source);
  const uses: TableUse[] = [];
  const add = (table: string, access: "read" | "write", index: number): void => {
    const line = code.slice(0, index).split("\n").length;
    if (isTable(table)) uses.push({ table, access, line });
  };
  for (const pattern of WRITES) {
    for (const match of code.matchAll(pattern)) add(match[1] ?? "", "write", match.index);
  }
  for (const pattern of READS) {
    for (const match of code.matchAll(pattern)) add(match[1] ?? "", "read", match.index);
  }
  for (const pattern of READ_LISTS) {
    for (const match of code.matchAll(pattern)) {
      for (const item of (match[1] ?? "").split(",").slice(1)) {
        add(item.replace(/^[\s"'`]+/, "").split(/[\s"'`]/)[0] ?? "", "read", match.index);
      }
    }
  }
  return uses;
}

export function checkTables(
  root: string,
  tables: Tables,
): { readonly problems: string[]; readonly statementsSeen: number } {
  const problems = [...unownedTables(root, tables)];
  let statementsSeen = 0;
  for (const file of listFiles(root, ["{libs,systems,apps}/*/src/**/*.ts"])) {
    if (isTestFile(file) || file.startsWith("libs/testkit/")) continue;
    for (const use of tableUsesOf(read(root, file), (name) => name in tables)) {
      statementsSeen += 1;
      const broken = brokenUse(file, use, tables);
      if (broken !== null) problems.push(`${file}:${use.line} names ${use.table}: ${broken}`);
    }
  }
  return { problems, statementsSeen };
}

function brokenUse(file: string, { table, access }: TableUse, tables: Tables): string | null {
  const [shelf, , , room = ""] = file.split("/");
  if (shelf !== "systems" || !file.endsWith("-store.ts")) return "only a -store.ts names tables";
  const { owner = "", readers = [] } = tables[table] ?? {};
  if (room === owner) return null;
  if (access === "write") return `only stores of ${owner} write it`;
  return readers.includes(room)
    ? null
    : `only stores of ${[owner, ...readers].join(", ")} read it: see TABLES in tools/architecture.ts`;
}

/** Tables of the migrations and TABLES are the same, partitions and the migrations' own aside. */
function* unownedTables(root: string, tables: Tables): Generator<string> {
  const created = new Set<string>();
  for (const file of listFiles(root, ["libs/database/migrations/*.sql"])) {
    const sql = read(root, file).replace(/--.*$/gm, "");
    for (const [, table = "", partition] of sql.matchAll(
      /create\s+(?:unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?([a-z_]+)(\s+partition\s+of)?/gi,
    )) {
      if (partition === undefined) created.add(table);
    }
    for (const [, table = ""] of sql.matchAll(/drop\s+table\s+(?:if\s+exists\s+)?([a-z_]+)/gi)) {
      created.delete(table);
    }
  }
  for (const table of created) {
    if (!(table in tables))
      yield `table ${table} has no owner: add it to TABLES in tools/architecture.ts`;
  }
  for (const table of Object.keys(tables)) {
    if (!created.has(table)) yield `TABLES names ${table}, which no migration creates`;
  }
}
