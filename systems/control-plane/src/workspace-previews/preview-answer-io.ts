/** What is sent in the place of what a workspace serves: pages, redirects, refused sockets. */
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { pageHeaders, type PreviewPage } from "./preview-page.ts";

/** As a page for whoever shows pages, else as text. */
export function sendPage(
  { status, html, text }: PreviewPage,
  framedBy: readonly string[],
  { method, headers }: IncomingMessage,
  response: ServerResponse,
): void {
  const isPage = headers.accept?.includes("text/html") === true;
  const body = isPage ? html : text;
  response.writeHead(status, {
    ...pageHeaders(framedBy),
    "content-type": `text/${isPage ? "html" : "plain"}; charset=utf-8`,
    "content-length": Buffer.byteLength(body),
  });
  response.end(method === "HEAD" ? undefined : body);
}

export function sendText(status: number, text: string, response: ServerResponse): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
  });
  response.end(text);
}

/** The address may hold a ticket: nothing keeps it, and no page is told of it. */
export function sendElsewhere(
  url: string,
  cookies: readonly string[],
  response: ServerResponse,
): void {
  response.writeHead(303, {
    location: url,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "content-length": 0,
    ...(cookies.length === 0 ? {} : { "set-cookie": [...cookies] }),
  });
  response.end();
}

/** Instead of a change of protocol. */
export function refuseSocket(status: number, text: string, socket: Duplex): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${text}`);
}
