/**
 * Small pages in the place of a preview that cannot be shown: what is so, and what to do. They say no more
 * than whoever sees them may know, and need nothing from anywhere. Where waiting helps, the one script that they
 * may hold looks again.
 */
import { createHash } from "node:crypto";

export type PreviewTrouble =
  | { readonly kind: "no_such_host" }
  /** There is none, or it is somebody else's: not said which. */
  | { readonly kind: "not_found" }
  /** Without a session, where a sign-in cannot be shown: within a frame. */
  | { readonly kind: "sign_in_elsewhere"; readonly url: string }
  /** What should have let the browser in does not, such as a link that was used before. */
  | { readonly kind: "not_let_in"; readonly url: string }
  | { readonly kind: "too_many_requests" }
  | { readonly kind: "server_stops" }
  | { readonly kind: "disconnected"; readonly workspace: string; readonly workspaceUrl: string }
  | { readonly kind: "nobody_listens"; readonly port: number; readonly workspace: string }
  | { readonly kind: "no_answer"; readonly port: number; readonly workspace: string }
  | { readonly kind: "broke_off"; readonly port: number; readonly otherSchemeUrl: string | null }
  | { readonly kind: "busy"; readonly message: string };

export type PreviewPage = {
  readonly status: number;
  readonly html: string;
  /** The same for programs. */
  readonly text: string;
};

type Words = {
  readonly status: number;
  readonly title: string;
  readonly says: string;
  readonly link?: { readonly url: string; readonly words: string; readonly inNewTab?: true };
  /** Looks again by itself: a program that starts is shown when it is there. */
  readonly again?: true;
};

/** Says of an answer that it is one of these pages. */
export const TROUBLE_HEADER = "x-atelier-preview-trouble";

/** Goes to the address again once it answers otherwise. Nothing moves before, also for those who read slowly. */
const LOOK_AGAIN = `setInterval(async () => {
  const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
  if (answer !== null && !answer.headers.has("${TROUBLE_HEADER}")) location.replace(location.href);
}, 2000);`;
const LOOK_AGAIN_HASH = createHash("sha256").update(LOOK_AGAIN).digest("base64");

/** `accessUrl`: the way back. */
export function previewPage(trouble: PreviewTrouble, accessUrl: string): PreviewPage {
  const { status, title, says, link, again } = wordsOf(trouble, accessUrl);
  const target = link?.inNewTab ? ' target="_blank" rel="noopener"' : "";
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; min-height: 100dvh; place-items: center; }
main { max-width: 34rem; padding: 1.5rem; }
h1 { font-size: 1.25rem; margin: 0 0 .5rem; }
p { margin: 0 0 .75rem; }
small { opacity: .75; }
</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p>${escaped(says)}</p>
${link === undefined ? "" : `<p><a href="${escaped(link.url)}"${target}>${escaped(link.words)}</a></p>\n`}${again ? `<p><small>This page looks again every few seconds.</small></p>\n<script>${LOOK_AGAIN}</script>\n` : ""}</main>
</body>
</html>
`;
  return { status, html, text: `${title}. ${says}\n` };
}

/** No other script runs in it, and only the dashboard may show it in a frame. */
export function pageHeaders(framedBy: readonly string[]): Readonly<Record<string, string>> {
  const ancestors = ["'self'", ...framedBy].join(" ");
  return {
    "cache-control": "no-store",
    "content-security-policy": `default-src 'none'; script-src 'sha256-${LOOK_AGAIN_HASH}'; connect-src 'self'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors ${ancestors}`,
    "referrer-policy": "no-referrer",
    [TROUBLE_HEADER]: "yes",
    "x-content-type-options": "nosniff",
  };
}

function wordsOf(trouble: PreviewTrouble, accessUrl: string): Words {
  const home = { url: accessUrl, words: "To Atelier" };
  switch (trouble.kind) {
    case "no_such_host":
      return {
        status: 404,
        title: "This address leads nowhere",
        says: "No port of a workspace has it. In Atelier, a workspace's ports show the addresses that there are.",
        link: home,
      };
    case "not_found":
      return {
        status: 404,
        title: "There is nothing here for you",
        says: "Either there is no such workspace, or it is not yours. A workspace that was renamed has new addresses.",
        link: home,
      };
    case "sign_in_elsewhere":
      return {
        status: 401,
        title: "Sign in first",
        says: "You are not signed in to Atelier, or this browser keeps sign-ins out of frames of other sites. In a tab of its own it works.",
        link: { url: trouble.url, words: "Open it in a tab of its own", inNewTab: true },
      };
    case "not_let_in":
      return {
        status: 403,
        title: "This link was for another moment",
        says: "It was used before, is too old, or was made for another browser.",
        link: { url: trouble.url, words: "Begin anew" },
      };
    case "too_many_requests":
      return {
        status: 429,
        title: "Too many at once",
        says: "You opened more in a short time than this server allows. Wait a minute, then reload.",
      };
    case "server_stops":
      return {
        status: 503,
        title: "The server stops",
        says: "Another one takes over, or it is back in a moment.",
        again: true,
      };
    case "disconnected":
    case "nobody_listens":
    case "no_answer":
    case "broke_off":
    case "busy":
      return machineWords(trouble);
  }
}

type MachineTrouble = Extract<
  PreviewTrouble,
  { kind: "disconnected" | "nobody_listens" | "no_answer" | "broke_off" | "busy" }
>;

function machineWords(trouble: MachineTrouble): Words {
  switch (trouble.kind) {
    case "disconnected":
      return {
        status: 503,
        title: `The workspace ${trouble.workspace} is not connected`,
        says: "Its machine is off, or its agent does not run there. Start it, and the page comes by itself.",
        link: { url: trouble.workspaceUrl, words: "How it is attached", inNewTab: true },
        again: true,
      };
    case "nobody_listens":
      return {
        status: 502,
        title: `Nothing listens on port ${trouble.port}`,
        says: `Start the program in the workspace ${trouble.workspace}; it may listen on localhost alone. The page comes by itself.`,
        again: true,
      };
    case "no_answer":
      return {
        status: 504,
        title: `Port ${trouble.port} does not answer`,
        says: `Something listens there in the workspace ${trouble.workspace}, but took too long.`,
      };
    case "broke_off":
      return {
        status: 502,
        title: `Port ${trouble.port} broke off`,
        says:
          trouble.otherSchemeUrl === null
            ? "What listens there closed the connection, or does not speak HTTP."
            : "What listens there closed the connection, or does not speak HTTP. Perhaps it wants the other scheme.",
        ...(trouble.otherSchemeUrl === null
          ? {}
          : { link: { url: trouble.otherSchemeUrl, words: "Try the other scheme" } }),
      };
    case "busy":
      return { status: 503, title: "The workspace refused", says: trouble.message };
  }
}

function escaped(text: string): string {
  const names: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replaceAll(/[&<>"']/g, (sign) => names[sign] ?? sign);
}
