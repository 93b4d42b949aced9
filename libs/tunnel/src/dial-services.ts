/**
 * The services of a workspace agent for a program that is not the server: a link of its own to the
 * server, which passes its streams on. Who may is the server's decision.
 */
import { ok, type Result } from "@atelier/base/result";
import type { Secret } from "@atelier/base/secret";
import { askOverSocket, type Link, type LinkDeps } from "./link.ts";
import { openSocket, type OpenSocketFailure } from "./open-socket.ts";

export type DialOptions = {
  /** `ws:` or `wss:`. */
  readonly url: URL;
  readonly token: Secret | null;
  readonly userAgent: string;
  readonly timeoutMs: number;
};

/** Rejects with the signal's reason. */
export async function dialServices(
  { url, token, userAgent, timeoutMs }: DialOptions,
  deps: LinkDeps,
  signal: AbortSignal,
): Promise<Result<Link, OpenSocketFailure>> {
  signal.throwIfAborted();
  const headers = {
    "user-agent": userAgent,
    ...(token === null ? {} : { authorization: `Bearer ${token.reveal()}` }),
  };
  const opened = await openSocket(
    { url, headers, timeoutMs, payloadBytesMax: 0, followsRedirects: false },
    signal,
  );
  if (signal.aborted && opened.ok) opened.value.terminate();
  signal.throwIfAborted();
  return opened.ok ? ok(askOverSocket(opened.value, deps)) : opened;
}
