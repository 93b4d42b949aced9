/**
 * Passes streams on from one link to another as they are: for a server whose caller wants a workspace
 * that is connected to another server, and for programs that hold a link of their own through the
 * server. What a stream says is not looked at, only which operation it asks for.
 */
import {
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Session,
  type Http2Stream,
  type ServerHttp2Stream,
} from "node:http2";
import { encodeMessage } from "./framing.ts";

export type RelayOptions = {
  /** Where streams go now. Null: nowhere, they are refused as `disconnected`. */
  target(): ClientHttp2Session | null;
};

/** `session` is the answering end towards the caller. */
export function relayStreams(session: Http2Session, options: RelayOptions): void {
  session.on("stream", (incoming: ServerHttp2Stream, headers) => {
    incoming.on("error", () => {}); // `close` follows.
    const target = options.target();
    if (target === null || target.closed || target.destroyed) {
      incoming.respond({ ":status": 200 });
      const failure = { code: "disconnected", message: "The workspace is not connected." };
      incoming.end(encodeMessage({ ok: false, failure }));
      return;
    }
    const outgoing = target.request(
      { ":method": "POST", ":path": headers[":path"] },
      { endStream: false },
    );
    join(incoming, outgoing);
  });
}

function join(incoming: ServerHttp2Stream, outgoing: ClientHttp2Stream): void {
  outgoing.on("error", () => {});
  outgoing.once("response", () => {
    if (!incoming.destroyed && !incoming.headersSent) incoming.respond({ ":status": 200 });
  });
  // A link that breaks ends its streams as if they were done; what was not answered is then cancelled.
  outgoing.once("end", () => {
    if (!incoming.headersSent && !incoming.destroyed) incoming.close(constants.NGHTTP2_CANCEL);
  });
  copy(incoming, outgoing);
  copy(outgoing, incoming);
  closeWith(incoming, outgoing);
  closeWith(outgoing, incoming);
}

/** Each half ends when its source's half ends. How either breaks is `closeWith`'s matter. */
function copy(from: Http2Stream, to: Http2Stream): void {
  from.on("data", (bytes: Buffer) => {
    if (to.destroyed || to.writableEnded) return;
    // One write at a time: see `writeTo`.
    from.pause();
    to.write(bytes, () => from.resume());
  });
  from.once("end", () => {
    if (!to.destroyed && !to.closed) to.end();
  });
}

/** A broken stream breaks the other with the same code; one that ended well leaves it to end. */
function closeWith(one: Http2Stream, other: Http2Stream): void {
  one.once("close", () => {
    if (other.destroyed) return;
    const code = one.rstCode ?? constants.NGHTTP2_NO_ERROR;
    if (code !== constants.NGHTTP2_NO_ERROR) other.close(code);
    // A link that breaks takes its streams without a code.
    else if (!one.readableEnded) other.close(constants.NGHTTP2_CANCEL);
  });
}
