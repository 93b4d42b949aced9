/**
 * Headers on their way through a preview. The program in the workspace sees what it would see of a browser
 * on its own machine: `localhost` and its port in Host, Origin and Referer, which is what development
 * servers let in; and nothing that lets anybody in here. What it answers is put back to the preview's
 * origin, and cannot reach beyond it.
 */
import { splitApiKey } from "@atelier/contract/api-key-form";
import { SIGN_IN_COOKIE_NAMES } from "../http/presented-token.ts";

/** Name, value, name, value … */
export type RawHeaders = readonly string[];

export type PreviewPlace = {
  /** Of the preview, as browsers see it. */
  readonly origin: string;
  /** As the program knows itself: `http://localhost:3000`. */
  readonly localOrigin: string;
  /** Pages of these origins may show the preview in a frame: the dashboard's. */
  readonly framedBy: readonly string[];
};

/** Our own cookies on a preview's host. */
export type PreviewCookies = {
  /** Lets in. */
  readonly pass: string;
  /** Tells the browser that asked for a ticket from others. */
  readonly browser: string;
};

/** With the prefix, no page of another host can set them. Browsers take it over TLS only. */
export function previewCookies(isSecure: boolean): PreviewCookies {
  const prefix = isSecure ? "__Host-" : "";
  return { pass: `${prefix}atelier_preview`, browser: `${prefix}atelier_preview_start` };
}

const OWN_COOKIES: ReadonlySet<string> = new Set([
  ...SIGN_IN_COOKIE_NAMES,
  ...[true, false].flatMap((isSecure) => Object.values(previewCookies(isSecure))),
]);

/** Of a connection, not of a message (RFC 9110 7.6.1). */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "http2-settings",
]);

/** Between this server, its proxies and its other threads: whoever forwards says its own. */
const OF_THE_WAY = /^(?:host|forwarded|x-forwarded-.*|x-real-ip|x-atelier-.*|coder-session-token)$/;

/** For the program in the workspace. `upgrade` is the protocol that a connection is to change to. */
export function toWorkspace(
  raw: RawHeaders,
  place: PreviewPlace,
  { ip, upgrade }: { readonly ip: string; readonly upgrade: string | null },
): string[] {
  const local = new URL(place.localOrigin);
  const kept = pairsOf(raw).flatMap(([name, value]): readonly [string, string][] => {
    const lower = name.toLowerCase();
    if (HOP_HEADERS.has(lower) || OF_THE_WAY.test(lower)) return [];
    switch (lower) {
      case "cookie": {
        const cookies = othersCookies(value);
        return cookies === "" ? [] : [[name, cookies]];
      }
      case "authorization":
        return isOwnToken(value) ? [] : [[name, value]];
      case "origin":
        return [[name, value === place.origin ? local.origin : value]];
      case "referer":
        return [[name, moved(value, [place.origin], local.origin)]];
      default:
        return [[name, value]];
    }
  });
  const connection =
    upgrade === null ? ["Connection", "close"] : ["Connection", "Upgrade", "Upgrade", upgrade];
  return ["Host", local.host, "X-Forwarded-For", ip, ...connection, ...kept.flat()];
}

/** Those that reach beyond the preview's origin: a cookie jar of the whole domain, other servers for its host. */
const REACHES_OUT: ReadonlySet<string> = new Set(["clear-site-data", "alt-svc"]);

/** For the browser. */
export function fromWorkspace(raw: RawHeaders, place: PreviewPlace): string[] {
  const locals = localOrigins(place.localOrigin);
  const kept = pairsOf(raw).flatMap(([name, value]): readonly [string, string][] => {
    const lower = name.toLowerCase();
    if (HOP_HEADERS.has(lower) || lower === "transfer-encoding" || REACHES_OUT.has(lower)) {
      return [];
    }
    switch (lower) {
      case "set-cookie": {
        const cookie = ofThisHost(value);
        return cookie === null ? [] : [[name, cookie]];
      }
      case "location":
      case "access-control-allow-origin":
        return [[name, moved(value, locals, place.origin)]];
      case "x-frame-options":
        return []; // Said anew below, and more exactly.
      default:
        return [[name, value]];
    }
  });
  // Beside a policy of the program's own, which holds as well.
  const policy = `frame-ancestors ${["'self'", ...place.framedBy].join(" ")}`;
  return [...kept, ["Content-Security-Policy", policy]].flat();
}

/** Of several cookies of one name all are tried: pages of sibling hosts can add some. */
export function cookiesNamed(header: string | undefined, name: string): readonly string[] {
  return (header ?? "")
    .split(/; */)
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
    .slice(0, COOKIES_TRIED_MAX);
}

const COOKIES_TRIED_MAX = 4;

export function hostCookie(
  name: string,
  value: string,
  { isSecure, seconds }: { readonly isSecure: boolean; readonly seconds: number },
): string {
  const attributes = [`${name}=${value}`, "Path=/", `Max-Age=${seconds}`, "HttpOnly"];
  return [...attributes, "SameSite=Lax", ...(isSecure ? ["Secure"] : [])].join("; ");
}

function othersCookies(header: string): string {
  return header
    .split(/; */)
    .filter((pair) => !OWN_COOKIES.has(nameOf(pair)))
    .join("; ");
}

/** Without the domain, a cookie is of the preview's host alone. Null: it has the name of one of ours. */
function ofThisHost(cookie: string): string | null {
  const [pair = "", ...attributes] = cookie.split(";");
  if (OWN_COOKIES.has(nameOf(pair))) return null;
  return [pair, ...attributes.filter((each) => !/^\s*domain\s*(?:=|$)/i.test(each))].join(";");
}

function nameOf(pair: string): string {
  return (pair.split("=", 1)[0] ?? "").trim();
}

/** An address of one of these origins as one of another. */
function moved(address: string, from: readonly string[], to: string): string {
  const origin = from.find((each) => address === each || address.startsWith(`${each}/`));
  return origin === undefined ? address : to + address.slice(origin.length);
}

/** The names that programs have for their own machine. */
function localOrigins(localOrigin: string): readonly string[] {
  const { protocol, port } = new URL(localOrigin);
  const ending = port === "" ? "" : `:${port}`;
  const hosts = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"];
  return hosts.map((host) => `${protocol}//${host}${ending}`);
}

function isOwnToken(authorization: string): boolean {
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  return token !== undefined && splitApiKey(token) !== null;
}

function pairsOf(raw: RawHeaders): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? "", raw[i + 1] ?? ""]);
  return pairs;
}
