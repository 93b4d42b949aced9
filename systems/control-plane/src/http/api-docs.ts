/**
 * The API's description, for programs (`/api/v2/openapi.json`) and for people (`/api/v2/docs`). The
 * page's scripts and styles come from this server, and nothing inline is run.
 */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { ENDPOINTS } from "@atelier/contract/http/endpoints";
import { ModelProvider } from "@atelier/contract/http/ai-providers";
import {
  AiSession,
  AiThread,
  AgenticAction,
  Interception,
  ModelThought,
  TokenUsage,
  ToolUsage,
  UserPrompt,
} from "@atelier/contract/http/ai-usage";
import { RequestAttempt, RequestTrail } from "@atelier/contract/http/request-trail";
import { AuditEvent } from "@atelier/contract/http/audit";
import { ApiToken, UserSession } from "@atelier/contract/http/sign-in";
import { User } from "@atelier/contract/http/users";
import type { FastifyInstance } from "fastify";
import { openApiDocument, type OpenApiDocument } from "./openapi.ts";

export const DOCS_PATH = "/api/v2/docs";
export const OPENAPI_PATH = "/api/v2/openapi.json";

/** Style attributes that the page's script sets through the DOM need no `unsafe-inline`. */
const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function apiDescription(version: string): OpenApiDocument {
  const named = {
    User,
    UserSession,
    ApiToken,
    AuditEvent,
    ModelProvider,
    AiSession,
    AiThread,
    AgenticAction,
    Interception,
    TokenUsage,
    UserPrompt,
    ToolUsage,
    ModelThought,
    RequestTrail,
    RequestAttempt,
  };
  return openApiDocument({ version, endpoints: ENDPOINTS, named });
}

export async function serveApiDocs(
  app: FastifyInstance,
  { version }: { readonly version: string },
): Promise<void> {
  // Made when somebody asks for it: every start would wait a third of a second for it.
  let made: OpenApiDocument | null = null;
  const document = { toJSON: (): OpenApiDocument => (made ??= apiDescription(version)) };
  app.get(OPENAPI_PATH, (_request, reply) =>
    reply.header("content-type", "application/json; charset=utf-8").send(JSON.stringify(document)),
  );
  // The plugin's type wants OpenAPI 3.0's schemas; it serves the document as it is.
  await app.register(swagger, { mode: "static", specification: { document: document as never } });
  await app.register(swaggerUi, {
    routePrefix: DOCS_PATH,
    staticCSP: DOCS_POLICY,
    theme: { title: "Atelier API" },
    // Without the top bar, which only offers to load other documents.
    uiConfig: { layout: "BaseLayout", deepLinking: true, validatorUrl: null },
  });
}
