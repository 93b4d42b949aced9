/** The address of a server as a person types it, brought to the one spelling that we store. */
import { fail, ok, type Result } from "@atelier/base/result";
import { usageFailure, type CliFailure } from "./cli-failure.ts";

/** Where a server listens that was started without options. */
export const SERVER_URL_DEFAULT = "http://127.0.0.1:3000";

/** Scheme, host, port and a path prefix; no slash at the end. Without a scheme, https, or http on this machine. */
export function parseServerUrl(text: string): Result<string, CliFailure> {
  const trimmed = text.trim();
  const isLocal = /^(?:localhost|127\.0\.0\.1|\[::1\])(?:[:/]|$)/i.test(trimmed);
  const complete = trimmed.includes("://") ? trimmed : `${isLocal ? "http" : "https"}://${trimmed}`;
  const url = URL.canParse(complete) ? new URL(complete) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    return fail(usageFailure(`Not an http or https URL: ${trimmed}`));
  }
  if (url.username !== "" || url.password !== "") {
    return fail(usageFailure("The URL must not contain a user or password."));
  }
  return ok(url.origin + url.pathname.replace(/\/+$/, ""));
}

/** Whether what is sent there can be read on the way. */
export function isCleartext(serverUrl: string): boolean {
  const { protocol, hostname } = new URL(serverUrl);
  const isLoopback =
    hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
  return protocol === "http:" && !isLoopback;
}
