/**
 * Files of the API from the browser's side: how one is sent with word of
 * how much of it is on its way, which `fetch` cannot tell.
 */
import { fail, ok, type Result } from "@atelier/base/result";
import type { ApiResponse, SendFailure } from "@atelier/contract/client";
import { apiUrl, csrfHeader } from "./host.ts";

/** A slow line takes minutes for the largest file. */
const UPLOAD_MS_MAX = 600_000;

export type Upload = {
  readonly path: string;
  readonly file: Blob;
  readonly fileName: string;
  readonly mediaType: string;
  /** From 0 to 1. */
  readonly onShare: (share: number) => void;
  readonly signal: AbortSignal;
};

export function uploadBytes(upload: Upload): Promise<Result<ApiResponse, SendFailure>> {
  const { path, file, fileName, mediaType, onShare, signal } = upload;
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const stop = (): void => request.abort();
    const end = (outcome: Result<ApiResponse, SendFailure>): void => {
      signal.removeEventListener("abort", stop);
      resolve(outcome);
    };
    request.open("POST", apiUrl(path));
    request.timeout = UPLOAD_MS_MAX;
    const headers = {
      accept: "application/json",
      "content-type": mediaType,
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(fileName)}`,
      ...csrfHeader(),
    };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      onShare(total === 0 ? 0 : loaded / total);
    });
    request.addEventListener("load", () => end(ok(responseOf(request))));
    request.addEventListener("error", () => end(fail(UNREACHABLE)));
    request.addEventListener("timeout", () => end(fail(TIMED_OUT)));
    request.addEventListener("abort", () => end(fail(CANCELLED)));
    if (signal.aborted) {
      end(fail(CANCELLED));
      return;
    }
    signal.addEventListener("abort", stop);
    request.send(file);
  });
}

function responseOf(request: XMLHttpRequest): ApiResponse {
  const retryAfter = Number(request.getResponseHeader("retry-after") ?? "");
  return {
    status: request.status,
    body: request.responseText,
    requestId: request.getResponseHeader("x-request-id"),
    retryAfterSeconds: retryAfter > 0 ? retryAfter : null,
  };
}

const CANCELLED: SendFailure = { code: "client.cancelled", message: "Cancelled." };
const TIMED_OUT: SendFailure = {
  code: "client.timed_out",
  message: "The file did not arrive in time.",
};
const UNREACHABLE: SendFailure = {
  code: "client.unreachable",
  message: "The file could not be sent. Check the network, or whether the server runs.",
};
