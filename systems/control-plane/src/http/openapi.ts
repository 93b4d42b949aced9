/**
 * The OpenAPI 3.1 description of the API, made from the contract: what is described is what is
 * served. Pure; built once per process.
 */
import { COMMON_FAILURES, type Endpoint } from "@atelier/contract/endpoint";
import { FAILURES, type FailureCode } from "@atelier/contract/failures";
import { Problem } from "@atelier/contract/http/common";
import { z } from "zod";

type Json = { readonly [key: string]: unknown };

export type OpenApiDocument = {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: { readonly schemas: Json; readonly securitySchemes: Json };
};

export type OpenApiSource = {
  readonly version: string;
  readonly endpoints: readonly Endpoint[];
  /** Schemas that get a name of their own under `components`. */
  readonly named: Readonly<Record<string, z.ZodType>>;
};

export function openApiDocument({ version, endpoints, named }: OpenApiSource): OpenApiDocument {
  const answers = answerSchemas({ ...named, Problem });
  const paths: Record<string, Record<string, Json>> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replaceAll(/:(\w+)/g, "{$1}");
    const operations = (paths[path] ??= {});
    operations[endpoint.method.toLowerCase()] = operation(endpoint, answers);
  }
  const tags = [...new Set(endpoints.map(({ tag }) => tag))].map((name) => ({ name }));
  return {
    openapi: "3.1.0",
    info: { title: "Atelier API", version, description: DESCRIPTION },
    tags,
    paths,
    components: { schemas: answers.components(), securitySchemes: SECURITY_SCHEMES },
  };
}

const DESCRIPTION =
  "People, credentials, model providers, usage and audit. Failures are `{message, detail?, " +
  "validations?, code, request_id}`: switch on `code`. What you may not see answers 404.";

const SECURITY_SCHEMES = {
  session_token: { type: "apiKey", in: "header", name: "Coder-Session-Token" },
  bearer: { type: "http", scheme: "bearer" },
  cookie: {
    type: "apiKey",
    in: "cookie",
    name: "coder_session_token",
    description:
      "With methods other than GET, send the `atelier_csrf` cookie as `X-CSRF-Token`. Where the " +
      "access URL is HTTPS, both names begin with `__Host-`.",
  },
};

type Answers = {
  schemaOf(schema: z.ZodType): Json;
  components(): Json;
};

function operation(endpoint: Endpoint, answers: Answers): Json {
  const { aliases = [], access } = endpoint;
  const also =
    aliases.length > 0 ? ` Also at ${aliases.map((path) => `\`${path}\``).join(", ")}.` : "";
  const needs =
    access === "public"
      ? "Needs no credential."
      : access === "signed_in"
        ? "Needs a credential."
        : `Needs the permission \`${access}\`.`;
  return {
    operationId: operationId(endpoint),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    description: `${needs}${also}`,
    security:
      access === "public" ? [] : Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })),
    parameters: [
      ...parametersOf(endpoint.params, "path"),
      ...parametersOf(endpoint.query, "query"),
    ],
    ...requestBodyOf(endpoint),
    responses: { ...success(endpoint, answers), ...failures(endpoint, answers) },
  };
}

/** `PUT /api/v2/users/:user/status/suspend` is `put_users_user_status_suspend`. */
function operationId({ method, path }: Endpoint): string {
  const words = path
    .replace("/api/v2", "")
    .split(/\W+/)
    .filter((word) => word !== "");
  return [method.toLowerCase(), ...words].join("_").replaceAll("-", "_");
}

function parametersOf(schema: z.ZodObject, place: "path" | "query"): Json[] {
  // As clients write them: numbers and booleans as such; but what has a default may be left out.
  const written = jsonSchemaOf(schema, "output")["properties"] as Record<string, Json>;
  const required = jsonSchemaOf(schema, "input")["required"] as string[] | undefined;
  return Object.entries(written ?? {}).map(([name, value]) => ({
    name,
    in: place,
    required: place === "path" || (required?.includes(name) ?? false),
    schema: value,
  }));
}

function requestBodyOf({ body, rawBody }: Endpoint): Json {
  if (body === null) return {};
  const content =
    rawBody === undefined
      ? { "application/json": { schema: jsonSchemaOf(body, "input") } }
      : bytesOf(rawBody.mediaTypes, { maxLength: rawBody.bytesMax });
  return { requestBody: { required: !body.safeParse(undefined).success, content } };
}

function bytesOf(mediaTypes: readonly string[], limits: Json): Json {
  const schema = { type: "string", format: "binary", ...limits };
  return Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema }]));
}

function success(endpoint: Endpoint, answers: Answers): Json {
  const { success: answer, rawAnswer, summary } = endpoint;
  const { status, body } = answer;
  if (body === null) return { [status]: { description: "Done." } };
  if (rawAnswer !== undefined) {
    const content = bytesOf(rawAnswer.mediaTypes, {});
    return { [status]: { description: `${summary}.`, content } };
  }
  const content = { "application/json": { schema: answers.schemaOf(body) } };
  return { [status]: { description: `${summary}.`, content } };
}

function failures(endpoint: Endpoint, answers: Answers): Json {
  const codes = [...new Set([...COMMON_FAILURES.filter(canHappen), ...endpoint.failures])];
  const byStatus = Map.groupBy(codes, (code) => FAILURES[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [String(status), problemResponse(group, answers)]),
  );

  function canHappen(code: FailureCode): boolean {
    if (code === "request.unauthenticated") return endpoint.access !== "public";
    if (code === "request.csrf") return endpoint.method !== "GET";
    return code !== "request.too_large" || endpoint.body !== null;
  }
}

function problemResponse(codes: readonly FailureCode[], answers: Answers): Json {
  const schema = {
    allOf: [answers.schemaOf(Problem), { properties: { code: { enum: codes } } }],
  };
  return {
    description: codes.map((code) => `\`${code}\`: ${FAILURES[code].message}`).join(" "),
    content: { "application/json": { schema } },
  };
}

/** Named schemas become components, wherever they occur in an answer. */
function answerSchemas(named: Readonly<Record<string, z.ZodType>>): Answers {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const components: Record<string, unknown> = {};
  return {
    schemaOf: (schema) => {
      // Inside a list, so that a schema which has a name itself also becomes a component.
      const { $defs, items } = jsonSchemaOf(z.array(schema), "output", registry);
      Object.assign(components, $defs);
      return items as Json; // The items of the list above.
    },
    components: () => components,
  };
}

function jsonSchemaOf(
  schema: z.ZodType,
  io: "input" | "output",
  metadata?: z.core.$ZodRegistry<{ id: string }>,
): Json {
  const made = z.toJSONSchema(schema, {
    io,
    ...(metadata === undefined ? {} : { metadata: metadata as z.core.$ZodRegistry<Json> }),
    override: ({ jsonSchema }) => {
      // Answers may grow: clients should ignore fields they do not know.
      if (io === "output") delete jsonSchema.additionalProperties;
      delete jsonSchema["id"];
    },
  });
  delete made.$schema;
  return JSON.parse(JSON.stringify(made).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
}
