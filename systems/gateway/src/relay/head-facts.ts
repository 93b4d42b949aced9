/**
 * What follows from the head of a request alone: whose token it carries, where it leads, which tool sent it, and
 * what of it goes upstream. A client sends nearly the same head again and again on one connection, so whoever
 * reads the connection keeps this from one request to the next.
 */
import type { Result } from "@atelier/base/result";
import { detectClient } from "@atelier/model-wire/client-detection";
import type { WireFormat } from "@atelier/model-wire/wire-format";
import { findCallerToken, type CallerToken } from "../callers/caller-token.ts";
import { toUpstreamHeaders, type UpstreamCredential } from "../headers/upstream-headers.ts";
import { parseGatewayPath, type GatewayPath } from "../routing/gateway-path.ts";
import {
  formatOfRoute,
  matchProviderRoute,
  type ProviderRoute,
  type RouteTable,
} from "../routing/route-table.ts";

type Head = {
  readonly url?: string | undefined;
  readonly headers: Parameters<typeof findCallerToken>[0];
  readonly rawHeaders: readonly string[];
};

/** Of requests whose heads differ in nothing but the body's length. */
export type HeadFactsSlot = { facts: HeadFacts | null };

export class HeadFacts {
  /** Null: there is none. */
  readonly token: CallerToken | null;
  readonly path: Result<GatewayPath, "path_refused">;
  /** Of our own answers. Null: plain text. */
  readonly format: WireFormat | null;
  readonly #head: Head;
  #table: RouteTable | null = null;
  #route: ProviderRoute | null = null;
  #client: string | null = null;
  #sentWith: UpstreamCredential | null = null;
  #sent: readonly string[] | null = null;

  /** `prefix`: the part of the path before `/<provider>/…`. */
  constructor(head: Head, prefix: string) {
    this.#head = head;
    this.token = findCallerToken(head.headers);
    this.path = parseGatewayPath((head.url ?? "/").slice(prefix.length));
    this.format = this.path.ok ? formatOfRoute(this.path.value.route) : null;
  }

  header(name: string): string | undefined {
    const value = this.#head.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Null: the table has no such route. */
  routeIn(table: RouteTable, path: GatewayPath): ProviderRoute | null {
    if (this.#table !== table) {
      this.#table = table;
      this.#route = matchProviderRoute(table, path);
    }
    return this.#route;
  }

  /** The tool's label. */
  get client(): string {
    this.#client ??= detectClient((name) => this.header(name));
    return this.#client;
  }

  /** The same list for the same credential, so that what was made of it can be kept with it. */
  upstreamHeaders(credential: UpstreamCredential | null): readonly string[] {
    if (this.#sent === null || this.#sentWith !== credential) {
      this.#sentWith = credential;
      this.#sent = toUpstreamHeaders(this.#head.rawHeaders, credential);
    }
    return this.#sent;
  }
}

/** `slot`: the request's, where its connection keeps one. */
export function factsOf(head: Head & { readonly slot?: HeadFactsSlot }, prefix: string): HeadFacts {
  const { slot } = head;
  if (slot === undefined) return new HeadFacts(head, prefix);
  slot.facts ??= new HeadFacts(head, prefix);
  return slot.facts;
}
