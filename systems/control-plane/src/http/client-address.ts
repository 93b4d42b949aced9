/**
 * Where a request comes from. `X-Forwarded-For` and `X-Forwarded-Proto` are believed only from
 * proxies that the operator named, because anybody can send them.
 */
import type { IncomingMessage } from "node:http";
import { isIP, type BlockList } from "node:net";

/** Addresses and ranges, as the configuration names them. */
export type TrustedProxies = BlockList;

/**
 * The nearest address that is not one of our proxies. Each proxy appends the address it saw, so the
 * list is read from its end, and what stands before the first stranger is not believed.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trusted: TrustedProxies,
): string {
  let address = plainAddress(peer ?? "");
  const hops = (forwardedFor ?? "").split(",").map((hop) => plainAddress(hop.trim()));
  while (isTrusted(address, trusted)) {
    const hop = hops.pop();
    if (hop === undefined || isIP(hop) === 0) break;
    address = hop;
  }
  return address;
}

export type RequestOrigin = {
  readonly ip: string;
  readonly userAgent: string;
  readonly isSecure: boolean;
};

const USER_AGENT_LENGTH_MAX = 256;

/** Where a request comes from, as far as is believed. */
export function originOf(
  { headers, socket }: Pick<IncomingMessage, "headers" | "socket">,
  trusted: TrustedProxies,
): RequestOrigin {
  const peer = plainAddress(socket.remoteAddress ?? "");
  const isForwardedSecure = isTrusted(peer, trusted) && headers["x-forwarded-proto"] === "https";
  return {
    ip: clientAddress(peer, String(headers["x-forwarded-for"] ?? ""), trusted),
    userAgent: (headers["user-agent"] ?? "").slice(0, USER_AGENT_LENGTH_MAX),
    isSecure: "encrypted" in socket || isForwardedSecure,
  };
}

export function isTrusted(address: string, trusted: TrustedProxies): boolean {
  const family = isIP(address);
  return family !== 0 && trusted.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** IPv4 addresses that a dual-stack socket shows as IPv6 are one and the same client. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? address;
}
