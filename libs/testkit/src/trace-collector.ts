/** An OpenTelemetry collector for tests: takes OTLP over HTTP as JSON, and keeps the spans. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export type CollectedSpan = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  /** 2 is an error. */
  readonly status: { readonly code?: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: object }[];
};

export type TraceCollector = AsyncDisposable & {
  readonly url: string;
  /** Of every export so far. */
  readonly exports: { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** Bodies as they came. */
  text(): string;
  /** Of the service that sent them. */
  resource(): Readonly<Record<string, string>>;
  /** All so far, once there are so many with this name. */
  spans(name: string, count: number): Promise<readonly CollectedSpan[]>;
};

/** `status`: of its answers. */
export async function startTraceCollector(status = 200): Promise<TraceCollector> {
  const exports: TraceCollector["exports"] = [];
  const bodies: string[] = [];
  const waiters = new Set<() => void>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      exports.push({ path: request.url ?? "", headers: request.headers });
      bodies.push(body);
      response.writeHead(status, { "content-type": "application/json" }).end("{}");
      for (const wake of waiters) wake();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
  const sent = () => bodies.flatMap((body) => (JSON.parse(body) as Exported).resourceSpans);
  const spans = () =>
    sent().flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  return {
    url: `http://127.0.0.1:${port}`,
    exports,
    text: () => bodies.join("\n"),
    resource: () =>
      Object.fromEntries(
        (sent()[0]?.resource.attributes ?? []).map(({ key, value }) => [key, value.stringValue]),
      ),
    spans: async (name, count) => {
      while (spans().filter((span) => span.name === name).length < count) {
        await new Promise<void>((resolve) => waiters.add(resolve));
      }
      return spans();
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

type Exported = {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly {
        readonly key: string;
        readonly value: { readonly stringValue: string };
      }[];
    };
    readonly scopeSpans: readonly { readonly spans: readonly CollectedSpan[] }[];
  }[];
};
