/** What the palette can do besides opening pages. */
import { logout } from "@atelier/contract/http/sign-in";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useChange } from "../api/use-endpoint.ts";
import { announce } from "../ui/announcements.tsx";
import { chooseAppearance } from "./appearance.ts";
import type { PaletteAction } from "./palette.tsx";

export function usePaletteActions(
  openHelp: () => void,
  openNext: () => void,
): readonly PaletteAction[] {
  const signOut = useSignOut();
  return useMemo(
    () => [
      { title: "Next agent that needs you", words: "waiting chat", icon: "chat", run: openNext },
      {
        title: "Use the light appearance",
        words: "theme day",
        icon: "appearance",
        run: () => chooseAppearance("light"),
      },
      {
        title: "Use the dark appearance",
        words: "theme night",
        icon: "appearance",
        run: () => chooseAppearance("dark"),
      },
      {
        title: "Follow the system's appearance",
        words: "theme",
        icon: "appearance",
        run: () => chooseAppearance("system"),
      },
      { title: "Show the keyboard's keys", words: "help", icon: "info", run: openHelp },
      { title: "Sign out", words: "log out leave", icon: "logout", run: signOut },
    ],
    [openHelp, openNext, signOut],
  );
}

/** Ends the session and forgets what this page knows. */
export function useSignOut(): () => void {
  const end = useChange(logout);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return useCallback(() => {
    const run = async (): Promise<void> => {
      const outcome = await end({});
      if (!outcome.ok && outcome.failure.status !== 401) {
        announce(`You are still signed in. ${outcome.failure.message}`);
        return;
      }
      await navigate({ to: "/login", search: {} });
      queryClient.clear();
    };
    run().catch(() => announce("You are still signed in: the page ran into a bug of its own."));
  }, [end, queryClient, navigate]);
}
