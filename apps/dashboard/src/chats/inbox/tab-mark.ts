/** The browser's tab says how many chats wait for the person, in its title and its picture. */
import { useEffect } from "react";
import { tabTitle } from "./inbox-sections.ts";

const PLAIN_ICON = "./favicon.svg";
const WAITING_ICON = "./favicon-waiting.svg";

export function useTabMark(title: string, needsYou: number): void {
  useEffect(() => {
    document.title = tabTitle(title, needsYou);
  }, [title, needsYou]);
  const isWaiting = needsYou > 0;
  useEffect(() => {
    const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
    if (icon === null || !isWaiting) return undefined;
    icon.href = WAITING_ICON;
    return () => {
      icon.href = PLAIN_ICON;
    };
  }, [isWaiting]);
}
