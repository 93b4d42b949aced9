/**
 * Addresses of previews: each port of a workspace is a host of its own below a wildcard, so that what is
 * served there has an origin of its own.
 *
 * `{port}[s][--{agent}]--{workspace}--{owner}` before the wildcard's ending; `s` when the program speaks
 * HTTPS. Names have no two hyphens in a row, so the parts are found again. Where the names do not fit into
 * one label of a host name, `{port}[s]--{id of the workspace agent}` stands for them.
 */
import { fail, ok, type Result } from "@atelier/base/result";

/** What `*.apps.example.com` says. */
export type PreviewWildcard = {
  readonly scheme: "http" | "https";
  /** Of a host, behind what stands for the star: `.apps.example.com` or `-apps.example.com`. */
  readonly ending: string;
  /** `:8443`, or nothing for the scheme's own. */
  readonly port: string;
};

export type PreviewTarget = {
  readonly port: number;
  /** The program itself speaks HTTPS. */
  readonly isHttps: boolean;
  readonly workspace:
    | { readonly by: "id"; readonly agentId: string }
    /** Lower case. Without an agent, the workspace's only one is meant. */
    | {
        readonly by: "name";
        readonly owner: string;
        readonly name: string;
        readonly agent: string | null;
      };
};

/** Of one part of a host name (RFC 1035). */
const LABEL_LENGTH_MAX = 63;
const PORT_MAX = 65_535;
const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** Behind the star: `.apps.example.com`, `-apps.example.com`, `.localhost`. */
const ENDING = /^(?:-[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;

/**
 * Reads the option. The access URL gives the scheme and port where none are written. The failure is the end of a
 * sentence.
 */
export function parsePreviewWildcard(
  text: string,
  accessUrl: string,
): Result<PreviewWildcard, string> {
  const access = new URL(accessUrl);
  const parts = /^(?:(https?):\/\/)?([^/:@?#]+)(?::(\d{1,5}))?\/?$/.exec(text.trim().toLowerCase());
  if (parts === null) return fail(`is not a host with a star, such as ${EXAMPLES}`);
  const [, written, host = "", port] = parts;
  if (!host.startsWith("*") || host.lastIndexOf("*") !== 0) {
    return fail(`must begin with its only star, such as ${EXAMPLES}`);
  }
  const ending = host.slice(1);
  if (!ENDING.test(ending)) return fail(`names no domain behind the star, such as ${EXAMPLES}`);
  if (port !== undefined && (Number(port) < 1 || Number(port) > PORT_MAX)) {
    return fail(`has a port beyond ${PORT_MAX}`);
  }
  if (access.hostname.endsWith(ending)) {
    return fail(
      `covers the access-url's own host ${access.hostname}; put it below a name of its own, such as *.apps.example.com`,
    );
  }
  const scheme = (written ?? access.protocol.slice(0, -1)) as "http" | "https";
  const inherited = written === undefined ? access.port : "";
  const used = port === undefined ? inherited : port === PORT_OF[scheme] ? "" : port;
  return ok({ scheme, ending, port: used === "" ? "" : `:${used}` });
}

const EXAMPLES = "*.apps.example.com or https://*-apps.example.com:8443";
const PORT_OF = { http: "80", https: "443" } as const;

/** As `formatPreviewWildcard` writes it. Null: it is none, perhaps of a newer server. */
export function readPreviewWildcard(written: string): PreviewWildcard | null {
  const parsed = parsePreviewWildcard(written, "http://access.invalid");
  return parsed.ok ? parsed.value : null;
}

/** As it can be read again: `https://*.apps.example.com`. */
export function formatPreviewWildcard({ scheme, ending, port }: PreviewWildcard): string {
  return `${scheme}://*${ending}${port}`;
}

/** The origin of one preview. */
export function previewOrigin({ scheme, ending, port }: PreviewWildcard, label: string): string {
  return `${scheme}://${label}${ending}${port}`;
}

/** All previews, as a policy for frames names them: a star stands for whole parts of a host's name there. */
export function previewFrameSource({ scheme, ending, port }: PreviewWildcard): string {
  return `${scheme}://*${ending.slice(ending.indexOf("."))}${port}`;
}

/**
 * What stands for the star in a request's `Host`, lower case. Null: the host is not below the wildcard.
 * Whatever port it names: a proxy in front may listen at another one.
 */
export function previewLabelOf(
  host: string | undefined,
  { ending }: PreviewWildcard,
): string | null {
  if (host === undefined) return null;
  const name = host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
  return name.length > ending.length && name.endsWith(ending)
    ? name.slice(0, -ending.length)
    : null;
}

/** Null: the label is no preview's. */
export function parsePreviewLabel(label: string): PreviewTarget | null {
  const [, portText = "", s, rest = ""] = /^([1-9]\d{0,4})(s)?--(.+)$/.exec(label) ?? [];
  const port = Number(portText);
  if (portText === "" || port > PORT_MAX) return null;
  const place = { port, isHttps: s !== undefined };
  const names = rest.split("--");
  if (names.length === 1) {
    const agentId = uuidOf(rest);
    return agentId === null ? null : { ...place, workspace: { by: "id", agentId } };
  }
  if (names.length > 3 || !names.every((name) => NAME.test(name))) return null;
  const [owner = "", name = "", agent = null] = names.toReversed();
  return { ...place, workspace: { by: "name", owner, name, agent } };
}

export type PreviewedPort = {
  readonly port: number;
  readonly isHttps: boolean;
  readonly owner: string;
  readonly workspace: string;
  readonly agent: string;
  readonly agentId: string;
};

/** The label of a port's preview: with names, or with the agent's id where those do not fit. */
export function formatPreviewLabel(previewed: PreviewedPort, { ending }: PreviewWildcard): string {
  const { port, isHttps, owner, workspace, agent, agentId } = previewed;
  const head = `${port}${isHttps ? "s" : ""}`;
  const named = [head, agent, workspace, owner].join("--").toLowerCase();
  const lengthMax = LABEL_LENGTH_MAX - ending.indexOf(".");
  const isReadBack = parsePreviewLabel(named)?.workspace.by === "name";
  return isReadBack && named.length <= lengthMax
    ? named
    : `${head}--${agentId.replaceAll("-", "").toLowerCase()}`;
}

/** From 32 hexadecimal digits. */
function uuidOf(hex: string): string | null {
  if (!/^[0-9a-f]{32}$/.test(hex)) return null;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
