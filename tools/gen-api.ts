/** Renders the API reference from the endpoints of the contract. */
import { COMMON_FAILURES, type Endpoint } from "@atelier/contract/endpoint";
import { FAILURES, type FailureCode } from "@atelier/contract/failures";
import type { FileEndpoint } from "@atelier/contract/file-endpoint";
import { ENDPOINTS, FILES, SOCKETS } from "@atelier/contract/http/endpoints";
import type { SocketEndpoint } from "@atelier/contract/socket-endpoint";
import { z } from "zod";
import { code, table } from "./markdown.ts";

/** The parts of JSON Schema that the contract's schemas become. */
type JsonSchema = {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
};

type Field = {
  readonly path: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly notes: string;
};

const METHODS: readonly Endpoint["method"][] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

export function renderApiReference(): string {
  const order = (a: Endpoint, b: Endpoint): number =>
    a.path.localeCompare(b.path, "en") || METHODS.indexOf(a.method) - METHODS.indexOf(b.method);
  const tags = Map.groupBy(ENDPOINTS.toSorted(order), (endpoint) => endpoint.tag);
  const overview = [...tags].map(([tag, own]) => [
    `[${tag}](#${tag})`,
    String(own.length),
    own.map((endpoint) => code(`${endpoint.method} ${endpoint.path}`)).join("<br>"),
  ]);
  return [
    "<!-- npm run gen -->",
    "# API reference",
    "",
    "Requests and answers are JSON. A request is signed in by the header `Coder-Session-Token`, by",
    "`Authorization: Bearer`, or by the session cookie. Failures answer `{message, detail?, validations?,",
    "code}` with a `code` of [the failure catalogue](failures.md); every endpoint can also answer",
    `${COMMON_FAILURES.map(code).join(", ")}. Unknown fields are refused.`,
    "The AI gateway's own routes are not listed here: they speak each model provider's protocol.",
    "",
    table(["group", "endpoints", ""], overview),
    "",
    ...[...tags].flatMap(([tag, own]) => [
      `## ${tag}`,
      "",
      ...own.flatMap(renderEndpoint),
      ...SOCKETS.filter((socket) => socket.tag === tag).flatMap(renderSocket),
      ...FILES.filter((file) => file.tag === tag).flatMap(renderFile),
    ]),
  ].join("\n");
}

function renderEndpoint(endpoint: Endpoint): string[] {
  const { summary, method, path, aliases = [], success, failures } = endpoint;
  return [
    `### ${summary}`,
    "",
    `${code(`${method} ${path}`)}${aliases.map((alias) => `, also ${code(alias)}`).join("")}`,
    "",
    `- Access: ${describeAccess(endpoint)}`,
    `- Success: ${success.status}${success.body === null ? ", no body" : ""}`,
    `- Failures: ${describeFailures(failures)}`,
    `- Audit: ${endpoint.audit === null ? "none, nothing changes" : `${endpoint.audit.action} ${endpoint.audit.resource}`}`,
    ...renderBodyLimit(endpoint),
    "",
    ...renderFields("On the path", endpoint.params, "input"),
    ...renderFields("Query", endpoint.query, "input"),
    ...renderBytes(endpoint),
    ...(endpoint.rawBody === undefined ? renderFields("Body", endpoint.body, "input") : []),
    ...(endpoint.rawAnswer === undefined ? renderFields("Answer", success.body, "output") : []),
  ];
}

function renderBodyLimit({ bodyBytesMax }: Endpoint): string[] {
  return bodyBytesMax === undefined ? [] : [`- Body: at most ${bodyBytesMax / 1_024} KiB`];
}

/** What is no JSON. */
function renderBytes({ rawBody, rawAnswer }: Endpoint): string[] {
  const typesOf = ({ mediaTypes }: { readonly mediaTypes: readonly string[] }) =>
    mediaTypes.map(code).join(", ");
  return [
    ...(rawBody === undefined
      ? []
      : [
          `Body: at most ${rawBody.bytesMax / 1_048_576} MiB of bytes, as ${typesOf(rawBody)}.`,
          "",
        ]),
    ...(rawAnswer === undefined ? [] : [`Answer: bytes, as ${typesOf(rawAnswer)}.`, ""]),
  ];
}

/** What stays open has no body and no single answer. */
function renderSocket(socket: SocketEndpoint): string[] {
  const { summary, description, transport, path, access } = socket;
  const isAgent = access === "workspace_agent_token";
  return [
    `### ${summary}`,
    "",
    `${code(`GET ${path}`)}, ${transport === "sse" ? "server-sent events" : "WebSocket"}`,
    "",
    description,
    "",
    `- Access: ${isAgent ? "the token of a workspace agent" : describeAccess({ access, path })}`,
    "",
    ...renderFields("On the path", socket.params, "input"),
    ...renderFields("Query", socket.query, "input"),
  ];
}

function renderFile({ summary, path, mediaType, description }: FileEndpoint): string[] {
  return [
    `### ${summary}`,
    "",
    `${code(`GET ${path}`)}, bytes as ${code(mediaType)}`,
    "",
    description,
    "",
    "- Access: anybody",
    "",
  ];
}

function describeAccess({ access, path }: Pick<Endpoint, "access" | "path">): string {
  if (access === "public") return "anybody";
  if (access === "signed_in") return "anybody who is signed in";
  const own = /:(?:user|workspace|agent|chat)\b/.test(path) ? "; own things count as own" : "";
  return `permission ${code(access)}${own}`;
}

function describeFailures(failures: readonly FailureCode[]): string {
  if (failures.length === 0) return "only the common ones";
  return failures.map((each) => `${FAILURES[each].status} ${code(each)}`).join(", ");
}

function renderFields(title: string, schema: z.ZodType | null, io: "input" | "output"): string[] {
  if (schema === null) return [];
  // zod's own type of JSON Schema is wider than what the contract's schemas become.
  const json = z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema;
  const fields = fieldsOf(json, "", json);
  if (fields.length === 0) return [];
  const rows = fields.map(({ path, type, isRequired, notes }) => [
    code(path),
    io === "input" && !isRequired ? `${type}, optional` : type,
    notes,
  ]);
  return [`${title}:`, "", table(["field", "type", ""], rows), ""];
}

function fieldsOf(schema: JsonSchema, prefix: string, root: JsonSchema): Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, found]) => {
    const own = resolveRef(found, root);
    const path = prefix === "" ? name : `${prefix}.${name}`;
    const isRequired = schema.required?.includes(name) === true && own.default === undefined;
    const field = { path, type: typeOf(own, root), isRequired, notes: notesOf(own) };
    return [field, ...innerFieldsOf(own, path, root)];
  });
}

/** Fields of objects inside: of the object itself, of a list's items, of an object or null. */
function innerFieldsOf(schema: JsonSchema, path: string, root: JsonSchema): Field[] {
  if (schema.items !== undefined) {
    return innerFieldsOf(resolveRef(schema.items, root), `${path}[]`, root);
  }
  const objects = alternativesOf(schema).filter((each) => each.type !== "null");
  const [only] = objects;
  if (objects.length === 1 && only !== undefined && only !== schema) {
    return innerFieldsOf(resolveRef(only, root), path, root);
  }
  return fieldsOf(schema, path, root);
}

function alternativesOf(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf ?? schema.oneOf ?? [schema];
}

function resolveRef(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const name = schema.$ref?.replace("#/$defs/", "");
  return name === undefined ? schema : (root.$defs?.[name] ?? root);
}

function typeOf(schema: JsonSchema, root: JsonSchema): string {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) {
    return alternatives.map((each) => typeOf(resolveRef(each, root), root)).join(" or ");
  }
  if (schema.enum !== undefined) return schema.enum.map((each) => code(String(each))).join(" or ");
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.items !== undefined) return `list of ${typeOf(resolveRef(schema.items, root), root)}`;
  if (schema.properties !== undefined && schema.additionalProperties === false) {
    const names = Object.keys(schema.properties);
    return names.length === 1 ? `object with ${code(names[0] ?? "")}` : "object";
  }
  const names = typeof schema.type === "string" ? [schema.type] : (schema.type ?? ["any JSON"]);
  return names.map((name) => schema.format ?? name).join(" or ");
}

function notesOf(schema: JsonSchema): string {
  const { default: byDefault, pattern, format } = schema;
  const safe = (limit: number | undefined): number | undefined =>
    Math.abs(limit ?? 0) === Number.MAX_SAFE_INTEGER ? undefined : limit;
  return [
    range(schema.minLength, schema.maxLength, "characters"),
    range(safe(schema.minimum), safe(schema.maximum), ""),
    schema.exclusiveMinimum === undefined ? null : `more than ${schema.exclusiveMinimum}`,
    range(schema.minItems, schema.maxItems, "items"),
    pattern !== undefined && format === undefined ? `matches ${code(pattern)}` : null,
    byDefault === undefined ? null : `default ${code(JSON.stringify(byDefault))}`,
  ]
    .filter((note) => note !== null)
    .join("; ");
}

function range(min: number | undefined, max: number | undefined, unit: string): string | null {
  const suffix = unit === "" ? "" : ` ${unit}`;
  if (min !== undefined && max !== undefined) return `${min} to ${max}${suffix}`;
  if (max !== undefined) return `at most ${max}${suffix}`;
  return min === undefined ? null : `at least ${min}${suffix}`;
}
