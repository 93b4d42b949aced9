/**
 * A client's request and the answer to it, as the relay needs them. Node's IncomingMessage and
 * ServerResponse fit as they are; calls inside this process bring the same without a socket.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { Hold } from "@atelier/contract/rpc/model-transport";
import type { HeadFactsSlot } from "./head-facts.ts";

export interface GatewayRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value … as they came. */
  readonly rawHeaders: string[];
  /** Whether all of it has arrived. */
  readonly complete: boolean;
  readonly socket: {
    readonly remoteAddress?: string | undefined;
    setTimeout(silenceMs: number): unknown;
  };
  /** Where its connection knows that further requests have the same head. */
  readonly slot?: HeadFactsSlot;
  /** Absent: it may go at once. */
  readonly hold?: Hold | null;
  /** All of the body, if it has arrived and nobody has listened: no event tells of it then. Null: listen. */
  takeBody?(): readonly Buffer[] | null;
  /**
   * Gives the memory of its body back at once, where it is the request's own: what was taken of it is empty then.
   * Call when nothing reads it any more, no write that is under way either.
   */
  releaseBody?(): void;
  on(event: "data", listener: (chunk: Buffer) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "end" | "close" | "timeout", listener: () => void): this;
  once(event: "end" | "close" | "timeout", listener: () => void): this;
  off(event: "data", listener: (chunk: Buffer) => void): this;
  off(event: "end" | "close" | "timeout", listener: () => void): this;
  resume(): this;
  destroy(): this;
}

export type ResponseLines = {
  /** Each ends with CR LF. None of them is about the connection. */
  readonly lines: string;
  /** Bytes of the body, as the lines announce them. Null: they do not. */
  readonly contentLength: number | null;
  readonly hasDate: boolean;
};

export interface GatewayResponse {
  readonly req: GatewayRequest;
  readonly headersSent: boolean;
  /** As it was sent: says nothing before `headersSent`. */
  readonly statusCode: number;
  readonly destroyed: boolean;
  writeHead(status: number, headers: string[] | Record<string, string>): this;
  /** The same in lines that were read from a head, where the response can take them as they are. */
  writeLines?(status: number, head: ResponseLines): void;
  flushHeaders(): void;
  /** False: wait for `drain`. */
  write(chunk: Uint8Array): boolean;
  end(chunk?: Uint8Array): this;
  /** Breaks it off, so that nobody takes it for whole. */
  destroy(): this;
  on(event: "close", listener: () => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  once(event: "drain", listener: () => void): this;
}
