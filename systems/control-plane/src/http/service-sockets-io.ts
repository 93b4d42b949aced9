/**
 * WebSockets that another system of this process serves: who is let in, pings and the end of it are seen
 * to here as for any other. While the system is not there, they are closed at once: dial again.
 */
import { assert } from "@atelier/base/assert";
import type {
  ServiceSocket,
  SocketEnd,
  SocketService,
  SocketServiceRequest,
} from "@atelier/contract/rpc/socket-service";
import type { UserSocketEndpoint } from "@atelier/contract/socket-endpoint";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { VIEWER_PAYLOAD_BYTES_MAX } from "./event-socket-io.ts";
import { serviceCaller } from "./service-caller.ts";
import type { SocketRequest } from "./socket-route.ts";
import { textFrame } from "./websocket-frame.ts";
import { CLOSE_RESTART, userSocket, type UpgradeDeps, type UpgradeRoute } from "./upgrades-io.ts";

type Endpoints = Readonly<Record<string, UserSocketEndpoint>>;

export type ServiceSockets<E extends Endpoints> = {
  readonly routes: readonly UpgradeRoute[];
  /** Serves from now on, until the result is disposed. */
  serveWith(service: SocketService<E>): Disposable;
};

/** The viewer says nothing: one that does is told so. */
const CLOSE_POLICY = 1008;
const CLOSE_BROKEN = 1011;
const ABSENT: SocketEnd = { code: CLOSE_RESTART, reason: "not served here at the moment" };

export function serviceSockets<E extends Endpoints>(
  endpoints: E,
  deps: UpgradeDeps,
): ServiceSockets<E> {
  let mounted: SocketService<E> | null = null;
  const routes = Object.entries(endpoints).map(([name, endpoint]) =>
    userSocket(endpoint, deps, {
      payloadBytesMax: VIEWER_PAYLOAD_BYTES_MAX,
      run: async (request, socket, signal, { end: leave, wire }) => {
        const serve = mounted?.[name];
        assert(mounted === null || serve !== undefined, `the service serves ${name}`);
        const viewer = viewerSocket(socket, wire, signal, leave);
        const end =
          serve === undefined
            ? ABSENT
            : await serve(serviceRequest(request), viewer).catch((error: unknown) => {
                if (!viewer.signal.aborted) deps.log.error({ error }, `${name} broke off`);
                return { code: CLOSE_BROKEN, reason: "it broke off: come back" };
              });
        if (!signal.aborted) socket.close(end.code, end.reason);
      },
    }),
  );
  return {
    routes,
    serveWith: (service) => {
      mounted = service;
      return {
        [Symbol.dispose]: () => {
          if (mounted === service) mounted = null;
        },
      };
    },
  };
}

/** One signal for the whole socket: idle viewers are many, and signals are heavy. */
function viewerSocket(
  socket: WebSocket,
  wire: Duplex,
  signal: AbortSignal,
  leave: (reason: string) => void,
): ServiceSocket {
  socket.once("message", () => {
    socket.close(CLOSE_POLICY, "this socket only tells");
    leave("the viewer spoke");
  });
  socket.resume();
  return {
    signal,
    send: async (text) => {
      signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        socket.send(text, (error) => (error ? reject(error) : resolve()));
      });
    },
    pass: (message, done) => {
      if (socket.readyState !== WebSocket.OPEN) return done(new Error("the socket is closing"));
      if (typeof message === "string") return socket.send(message, done);
      // The library writes each message whole and at once, so one may stand between two of its own.
      message.framed ??= textFrame(message.text);
      wire.write(message.framed, done);
    },
  };
}

function serviceRequest({
  actor,
  params,
  query,
}: SocketRequest): SocketServiceRequest<UserSocketEndpoint> {
  return {
    caller: serviceCaller(actor),
    params,
    query,
  };
}
