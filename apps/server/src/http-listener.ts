/** Sockets to listen on, with limits on what slow or hostile clients can hold, and clear errors. */
import { formatAddress } from "@atelier/host/option-value";
import type { Address } from "@atelier/host/option";
import { StartError } from "@atelier/host/start-error";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";

/** Longer than the idle limits of usual load balancers (60 s), which must close first. */
const KEEP_ALIVE_MS = 75_000;
const HEAD_MS_MAX = 60_000;
/** Until the whole request body has arrived. */
const REQUEST_MS_MAX = 300_000;
/** Cookies, long tokens and tracing headers of several tools together. */
export const HEAD_BYTES_MAX = 65_536;

/** After the streams of a stopping server were told to end, for their last bytes to reach clients. */
export const LAST_BYTES_MS = 500;

export function createHttpServer(listener: RequestListener): Server {
  const options = {
    headersTimeout: HEAD_MS_MAX,
    requestTimeout: REQUEST_MS_MAX,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: HEAD_BYTES_MAX,
    noDelay: true,
    // Some clients offer to upgrade plain requests to HTTP/2: an offer that may be ignored.
    // With two Host headers it is a request like any other, and refused below.
    shouldUpgradeCallback: ({ headers, rawHeaders }: IncomingMessage) =>
      headers.upgrade?.toLowerCase() === "websocket" && countHosts(rawHeaders) <= 1,
  };
  return createServer(options, (request, response) => {
    if (countHosts(request.rawHeaders) <= 1) return listener(request, response);
    // Node takes the first. A proxy in front may have taken the last, and judged by that.
    response.writeHead(400, {
      "content-type": "text/plain; charset=utf-8",
      "content-length": Buffer.byteLength(TWO_HOSTS),
      connection: "close",
    });
    response.end(TWO_HOSTS);
  });
}

const TWO_HOSTS = "More than one Host header.\n";

/** Of raw pairs. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (name.length === HOST.length && name.toLowerCase() === HOST) count += 1;
  }
  return count;
}

const HOST = "host";

/** The address in use, with the port that the host chose when `port` is 0. */
export async function listen(
  server: Server,
  { host, port }: Address,
  optionName: string,
  { reusePort = false }: { readonly reusePort?: boolean } = {},
): Promise<Address> {
  server.listen({ port, reusePort, ...(host === "" ? {} : { host }) });
  try {
    await once(server, "listening");
  } catch (error) {
    throw new StartError(describeListenError(error, formatAddress({ host, port }), optionName), {
      cause: error,
    });
  }
  const bound = server.address();
  return { host, port: bound !== null && typeof bound === "object" ? bound.port : port };
}

function describeListenError(error: unknown, address: string, optionName: string): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  const other = `choose another with --${optionName} <host:port>`;
  switch (code) {
    case "EADDRINUSE":
      return `${address} is in use by another program. Stop that program, or ${other}.`;
    case "EACCES":
      return `this user may not listen on ${address}. Ports below 1024 often need more rights: ${other}.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${address} is no address of this machine (${code}): ${other}.`;
    default:
      return `cannot listen on ${address} (${code}): ${other}.`;
  }
}
