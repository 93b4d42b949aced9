/** Events to a viewer over a WebSocket: texts of JSON, `{type, data}`. */
import type { WebSocket } from "ws";
import type { EventStream } from "./socket-route.ts";

/** The viewer says nothing. */
export const VIEWER_PAYLOAD_BYTES_MAX = 1024;

export function eventSocket(socket: WebSocket, signal: AbortSignal): EventStream {
  return {
    signal,
    send: async (type, data) => {
      signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const text = JSON.stringify({ type, data });
        socket.send(text, (error) => (error ? reject(error) : resolve()));
      });
    },
  };
}
