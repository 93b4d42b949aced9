/**
 * Sockets that another system than the control plane serves: the control plane lets the viewer in, pings,
 * and ends the socket when its user may no longer; the service sends.
 */
import type { z } from "zod";
import type { UserSocketEndpoint } from "../socket-endpoint.ts";
import type { ServiceCaller } from "./endpoint-service.ts";

/** A text that many sockets are sent: it is made ready for the wire once. */
export class SharedText {
  readonly text: string;
  /** By the first socket that is sent it. */
  framed: Uint8Array | null = null;

  constructor(text: string) {
    this.text = text;
  }
}

export interface ServiceSocket {
  /** Aborted when nobody listens any more, or may. */
  readonly signal: AbortSignal;
  /** Resolves when the viewer takes more; rejects when it is gone. */
  send(text: string): Promise<void>;
  /** The same without a promise: `done` is called once, with an error when the viewer is gone. */
  pass(text: string | SharedText, done: (error?: Error | null) => void): void;
}

export type SocketServiceRequest<E extends UserSocketEndpoint> = {
  readonly caller: ServiceCaller;
  readonly params: z.output<E["params"]>;
  readonly query: z.output<E["query"]>;
};

/** Why the service ends a socket of itself: the code and reason of its closing. */
export type SocketEnd = { readonly code: number; readonly reason: string };

/** One function for each endpoint, under the endpoint's name. Runs until it returns or the signal aborts. */
export type SocketService<Endpoints extends Readonly<Record<string, UserSocketEndpoint>>> = {
  readonly [Name in keyof Endpoints]: (
    request: SocketServiceRequest<Endpoints[Name]>,
    socket: ServiceSocket,
  ) => Promise<SocketEnd>;
};
