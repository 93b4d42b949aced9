/**
 * Makes the TypeScript types of the tables from a freshly migrated database, so that a statement
 * that disagrees with the migrations does not compile.
 */
import { newClient } from "@atelier/database/database";
import { startPostgresServer } from "@atelier/testkit/postgres-server";

type Column = {
  readonly table: string;
  readonly column: string;
  /** As SQL spells it: `timestamp with time zone`, `text[]`. */
  readonly type: string;
  readonly isNullable: boolean;
  readonly hasDefault: boolean;
  /** `generated always`: no insert may give a value. */
  readonly isGeneratedAlways: boolean;
};

const TYPES: Readonly<Record<string, string>> = {
  bigint: "number",
  boolean: "boolean",
  bytea: "Buffer",
  integer: "number",
  jsonb: "Json",
  text: "string",
  "text[]": "string[]",
  "timestamp with time zone": "Timestamp",
  tsvector: "string",
  uuid: "string",
  "uuid[]": "string[]",
};

const HEADER = `// npm run gen
/** The tables as the migrations make them. Partitions and the migrations' own table are left out. */
import type { ColumnType } from "kysely";

/** A value that the database makes when an insert gives none. */
type Generated<T> =
  T extends ColumnType<infer Selected, infer Inserted, infer Updated>
    ? ColumnType<Selected, Inserted | undefined, Updated>
    : ColumnType<T, T | undefined, T>;
/** A value that only the database makes. */
type GeneratedAlways<T> = ColumnType<T, never, never>;
/** Read as a value nobody has checked yet, written as text. */
type Json = ColumnType<unknown, string, string>;
type Timestamp = ColumnType<Date, Date | string, Date | string>;
`;

/** The text of `libs/database/src/generated/schema.generated.ts`, formatted. */
export async function generateSchema(): Promise<string> {
  await using server = await startPostgresServer();
  const client = newClient(server, "atelier gen");
  await client.connect();
  try {
    const { rows } = await client.query<Column>(COLUMNS_SQL);
    return render(rows);
  } finally {
    await client.end();
  }
}

const COLUMNS_SQL = `
  select
    c.relname as "table",
    a.attname as "column",
    format_type(a.atttypid, null) as "type",
    not a.attnotnull as "isNullable",
    a.atthasdef or a.attidentity <> '' as "hasDefault",
    a.attidentity = 'a' or a.attgenerated <> '' as "isGeneratedAlways"
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace
    and c.relkind in ('r', 'p')
    and not c.relispartition
    and c.relname <> 'schema_migrations'
  order by c.relname, a.attnum`;

function render(columns: readonly Column[]): string {
  const tables = Map.groupBy(columns, ({ table }) => table);
  if (tables.size === 0) throw new Error("the migrations made no table");
  const rows = [...tables].map(
    ([table, own]) => `\ntype ${rowType(table)} = {\n${own.map(renderColumn).join("")}};\n`,
  );
  const names = [...tables.keys()].map((table) => `  ${table}: ${rowType(table)};\n`);
  return `${HEADER}${rows.join("")}\nexport type Schema = {\n${names.join("")}};\n`;
}

function renderColumn({ table, column, type, ...facts }: Column): string {
  const base = TYPES[type];
  if (base === undefined) {
    throw new Error(`column ${table}.${column}: add the type ${type} to tools/gen-schema.ts`);
  }
  const value = facts.isNullable ? `${base} | null` : base;
  if (facts.isGeneratedAlways) return `  ${column}: GeneratedAlways<${value}>;\n`;
  return `  ${column}: ${facts.hasDefault ? `Generated<${value}>` : value};\n`;
}

/** `ai_token_usages` → `AiTokenUsagesRow` */
function rowType(table: string): string {
  const words = table.split("_").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return `${words.join("")}Row`;
}
