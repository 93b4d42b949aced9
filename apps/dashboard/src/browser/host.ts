/**
 * The browser as the dashboard uses it: where it stands, what it keeps, and how requests travel.
 * The one file that reads these; all else takes them from here.
 */
import { fail, ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { requestPath, type ApiRequest, type CallInput, type Send } from "@atelier/contract/client";
import type { Endpoint } from "@atelier/contract/endpoint";

/** Longest wait for an answer. Testing a provider makes several calls of its own. */
const ANSWER_MS_MAX = 120_000;

/** Over HTTPS the first, which no page of a neighbouring host can set. */
const CSRF_COOKIES = ["__Host-atelier_csrf", "atelier_csrf"];

/** Where the dashboard begins, with a slash at its end: `/`, or what a proxy put in front. */
export function basePath(): string {
  return new URL(document.baseURI).pathname;
}

/** The address of this deployment as the person's browser knows it, without a slash at its end. */
export function deploymentUrl(): string {
  return (location.origin + basePath()).replace(/\/+$/, "");
}

/** Where the browser itself fetches an answer, as a file that is downloaded. */
export function endpointUrl<E extends Endpoint>(endpoint: E, query: CallInput<E>["query"]): string {
  return apiUrl(requestPath(endpoint.path, {}, query ?? {}) ?? "");
}

/** A socket of a path of the API; `ws:` where pages come by `http:`. */
export function openSocket(path: string): WebSocket {
  const url = new URL(path.replace(/^\//, ""), document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url);
}

/** The address of a path of the API, for what the browser itself fetches: pictures and downloads. */
export function apiUrl(path: string): string {
  return new URL(path.replace(/^\//, ""), document.baseURI).href;
}

/** Leaves the dashboard for a path that the server itself answers. */
export function leaveFor(path: string): void {
  location.assign(apiUrl(path));
}

/** Server-sent events of a path of the API. */
export function openEvents(path: string): EventSource {
  return new EventSource(new URL(path.replace(/^\//, ""), document.baseURI));
}

export const browserSend: Send = async ({ method, path, body }: ApiRequest, { signal }) => {
  const late = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    const response = await fetch(new URL(path.replace(/^\//, ""), document.baseURI), {
      method,
      headers: headersFor(method, body),
      credentials: "same-origin",
      redirect: "manual",
      cache: "no-store",
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      ...(body === null ? {} : { body }),
    });
    if (response.type === "opaqueredirect") {
      return fail({
        code: "client.redirected",
        message: "The server answers with another address.",
      });
    }
    const retryAfter = Number(response.headers.get("retry-after") ?? "");
    return ok({
      status: response.status,
      body: await response.text(),
      requestId: response.headers.get("x-request-id"),
      retryAfterSeconds: retryAfter > 0 ? retryAfter : null,
    });
  } catch {
    if (signal?.aborted) return fail({ code: "client.cancelled", message: "Cancelled." });
    if (late.aborted) {
      return fail({ code: "client.timed_out", message: "The server did not answer in time." });
    }
    return fail({
      code: "client.unreachable",
      message: "The server cannot be reached. Check the network, or whether it runs.",
    });
  }
};

/** Whether a path of the server answers well, and how long that took. */
export async function probePath(
  path: string,
): Promise<{ readonly isOk: boolean; readonly tookMs: number }> {
  const startedMs = systemClock.monotonicMs();
  const isOk = await fetch(new URL(path, document.baseURI), { cache: "no-store" }).then(
    ({ ok: isWell }) => isWell,
    () => false,
  );
  return { isOk, tookMs: systemClock.monotonicMs() - startedMs };
}

function headersFor(method: string, body: string | null): Record<string, string> {
  return {
    accept: "application/json",
    ...(body === null ? {} : { "content-type": "application/json" }),
    ...(method === "GET" ? {} : csrfHeader()),
  };
}

/** What a request that changes something proves to come from our own page with. */
export function csrfHeader(): Record<string, string> {
  const csrf = CSRF_COOKIES.map(cookieOf).find((value) => value !== null);
  return csrf === undefined ? {} : { "x-csrf-token": csrf };
}

function cookieOf(name: string): string | null {
  const pair = document.cookie.split(/; */).find((each) => each.startsWith(`${name}=`));
  return pair?.slice(name.length + 1) ?? null;
}

/** What was kept under a name, or null. Some browsers refuse to keep anything. */
export function kept(store: "tab" | "device", name: string): string | null {
  try {
    return storageOf(store).getItem(`atelier.${name}`);
  } catch {
    return null;
  }
}

/** Null forgets it. */
export function keep(store: "tab" | "device", name: string, value: string | null): void {
  try {
    if (value === null) storageOf(store).removeItem(`atelier.${name}`);
    else storageOf(store).setItem(`atelier.${name}`, value);
  } catch {
    // A browser that keeps nothing: the page works all the same.
  }
}

function storageOf(store: "tab" | "device"): Storage {
  return store === "tab" ? sessionStorage : localStorage;
}

/** False where the browser does not let pages write to the clipboard, as without TLS. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  const host =
    document.activeElement?.closest("[role=dialog], [role=alertdialog]") ?? document.body;
  const focused = document.activeElement;
  host.append(area);
  area.select();
  // Deprecated, and the only way on pages that came without TLS.
  // oxlint-disable-next-line typescript/no-deprecated
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}

export function reloadPage(): void {
  location.reload();
}
