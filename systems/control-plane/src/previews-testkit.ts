/** A browser without a window, and programs in a workspace: for tests of previews over real sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import { connect, type AddressInfo } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { fail, ok } from "@atelier/base/result";
import { implement } from "@atelier/contract/rpc/workspace/implement";
import { PORT_OPERATIONS, type WorkspacePorts } from "@atelier/contract/rpc/workspace/ports";
import { signInCookies } from "./http/presented-token.ts";

/** Ports of this machine, as those of a workspace. */
export function portsHere(): WorkspacePorts {
  return implement(PORT_OPERATIONS, {
    list: async () => ok({ ports: [] }),
    watch: async () => fail({ code: "unsupported", message: "not here" }),
    dial: async ({ port }) => {
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
      socket.on("error", () => {}); // `close` follows.
      try {
        await once(socket, "connect");
      } catch {
        return fail({ code: "not_found", message: "Nothing listens there." });
      }
      const write = (bytes: Uint8Array): Promise<void> =>
        new Promise((resolve, reject) => {
          socket.write(bytes, (error) => (error ? reject(error) : resolve()));
        });
      const channel = {
        incoming: socket,
        write,
        end: async () => {
          socket.end();
        },
        destroy: () => {
          socket.destroy();
        },
      };
      return ok({ value: {}, channel });
    },
  });
}

export type Program = AsyncDisposable & { readonly port: number; readonly server: Server };

/** What somebody runs in a workspace. */
export async function startProgram(answer: RequestListener): Promise<Program> {
  const server = createServer(answer);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    server,
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Resolves when it is closed, well or not. */
export function closed(stream: Readable): Promise<void> {
  stream.on("error", () => {}); // `close` follows.
  return new Promise((resolve) => stream.once("close", () => resolve()));
}

export type Page = {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** Where the last redirect led. */
  readonly url: string;
};

export type Visit = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
};

/** Keeps the cookies of each host, and follows redirects; all hosts are one server's. */
export class TestBrowser {
  readonly #server: URL;
  readonly #jar = new Map<string, Map<string, string>>();

  constructor(serverUrl: string, session?: { readonly accessUrl: string; readonly token: string }) {
    this.#server = new URL(serverUrl);
    if (session !== undefined) this.signIn(session.accessUrl, session.token);
  }

  signIn(accessUrl: string, token: string): void {
    this.#jarOf(new URL(accessUrl).host).set(signInCookies(accessUrl).session, token);
  }

  cookiesOf(url: string): Map<string, string> {
    return this.#jarOf(new URL(url).host);
  }

  /** Goes there as a person does, to the end of all redirects. */
  async visit(url: string, visit: Visit = {}): Promise<Page> {
    let at = url;
    for (let steps = 0; steps < 10; steps += 1) {
      const page = await this.step(at, visit);
      if (page.status !== 303) return page;
      at = new URL(page.headers.location ?? assert.fail("a redirect leads somewhere"), at).href;
    }
    return assert.fail(`redirects without end, the last to ${at}`);
  }

  /** One request, and its answer as it is. */
  async step(url: string, visit: Visit = {}): Promise<Page> {
    const answer = await this.open(url, visit);
    let text = "";
    for await (const part of answer.setEncoding("utf8")) text += String(part);
    return { status: answer.statusCode ?? 0, headers: answer.headers, text, url };
  }

  /** The same, before its body is read. */
  async open(url: string, { method = "GET", headers = {}, body }: Visit = {}) {
    const request = httpRequest({
      ...{ host: this.#server.hostname, port: this.#server.port, method, agent: false },
      path: new URL(url).pathname + new URL(url).search,
      headers: { ...this.#headersFor(url), ...headers },
    });
    request.end(body);
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    this.#keep(url, answer.headers["set-cookie"] ?? []);
    return answer;
  }

  /** Opens a WebSocket by hand. */
  async upgrade(url: string, extra: Readonly<Record<string, string>> = {}) {
    const request = httpRequest({
      ...{ host: this.#server.hostname, port: this.#server.port, agent: false },
      path: new URL(url).pathname + new URL(url).search,
      headers: {
        ...this.#headersFor(url),
        ...{ connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" },
        ...{ "sec-websocket-key": Buffer.alloc(16, 1).toString("base64"), ...extra },
      },
    });
    request.end();
    const refused = once(request, "response").then(([answer]) => ({
      status: (answer as IncomingMessage).statusCode ?? 0,
      socket: null,
    }));
    const opened = once(request, "upgrade").then(([, socket, early]) => {
      (socket as Duplex).unshift(early as Buffer);
      return { status: 101, socket: socket as Duplex };
    });
    return Promise.race([refused, opened]);
  }

  #headersFor(url: string): Record<string, string> {
    const { host } = new URL(url);
    const cookie = [...this.#jarOf(host)].map(([name, value]) => `${name}=${value}`).join("; ");
    return {
      ...{ host, accept: "text/html,*/*", "sec-fetch-mode": "navigate" },
      ...(cookie === "" ? {} : { cookie }),
    };
  }

  #jarOf(host: string): Map<string, string> {
    const jar = this.#jar.get(host) ?? new Map<string, string>();
    this.#jar.set(host, jar);
    return jar;
  }

  #keep(url: string, cookies: readonly string[]): void {
    const jar = this.#jarOf(new URL(url).host);
    for (const cookie of cookies) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/max-age=0/i.test(cookie)) jar.delete(name);
      else jar.set(name, value);
    }
  }
}
