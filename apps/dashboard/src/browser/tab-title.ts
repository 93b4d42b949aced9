/**
 * What the browser's tab says: the page's title, and before it how many agents wait for the person. Pages
 * say the one, what watches the agents the other, in any order. Its picture shows that some wait.
 */
const PLAIN_ICON = "./favicon.svg";
const WAITING_ICON = "./favicon-waiting.svg";

let pageTitle = "";
let waiting = 0;

export function showTitle(title: string): void {
  pageTitle = title;
  document.title = tabTitle(pageTitle, waiting);
}

export function showWaiting(count: number): void {
  waiting = count;
  document.title = tabTitle(pageTitle, waiting);
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  const href = count > 0 ? WAITING_ICON : PLAIN_ICON;
  if (icon !== null && icon.getAttribute("href") !== href) icon.href = href;
}

export function tabTitle(title: string, count: number): string {
  return count === 0 ? `${title} · Atelier` : `(${count}) ${title} · Atelier`;
}
