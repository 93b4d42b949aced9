/** Notifications of the browser: whether they can be had here, asking for them, and showing one. */

export type NotifyState =
  /** This browser has none, or only for pages that came by TLS. */
  "unsupported" | "not_asked" | "refused" | "allowed";

export function notifyState(): NotifyState {
  if (!("Notification" in globalThis)) return "unsupported";
  const { permission } = Notification;
  if (permission === "default") return "not_asked";
  return permission === "granted" ? "allowed" : "refused";
}

/** To be called while a press is handled: browsers ask only then. */
export async function askToNotify(): Promise<NotifyState> {
  if (notifyState() === "not_asked") await Notification.requestPermission();
  return notifyState();
}

type Notice = {
  readonly title: string;
  readonly body: string;
  /** A later one with the same takes its place, in whichever window it is shown. */
  readonly tag: string;
  readonly onOpen: () => void;
};

/** Shows nothing where it may not. */
export function notify({ title, body, tag, onOpen }: Notice): void {
  if (notifyState() !== "allowed") return;
  try {
    const shown = new Notification(title, { body, tag, icon: "./favicon-waiting.svg" });
    shown.addEventListener("click", () => {
      globalThis.focus();
      shown.close();
      onOpen();
    });
  } catch {
    // Some browsers on phones let only service workers show any.
  }
}

/** The person does something else: another tab, another program. */
export function isAway(): boolean {
  return document.hidden || !document.hasFocus();
}
