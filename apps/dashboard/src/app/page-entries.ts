/** Every page of a signed-in person. To add one: an entry here, and a module that exports `Page`. */
import type { PageEntry } from "./page-entry.ts";

export const PAGES: readonly PageEntry[] = [
  {
    path: "/",
    title: "Home",
    load: () => import("../pages/home.tsx"),
    navigation: { section: "Work", icon: "home", key: "h" },
    words: "start overview",
  },
  {
    path: "/workspaces",
    title: "Workspaces",
    load: () => import("../pages/workspaces.tsx"),
    navigation: { section: "Work", icon: "workspace", key: "w" },
    words: "machines attach external",
  },
  {
    path: "/$owner/$name",
    title: "Workspace",
    load: () => import("../pages/workspace.tsx"),
  },
  {
    path: "/$owner/$name/terminal",
    title: "Terminal",
    load: () => import("../pages/workspace-terminal.tsx"),
  },
  {
    path: "/ai/connect",
    title: "Connect a client",
    load: () => import("../pages/connect.tsx"),
    navigation: { section: "AI gateway", icon: "connect", key: "c" },
    words: "claude code codex opencode sdk configuration token",
  },
  {
    path: "/logs/ai-sessions",
    title: "Sessions",
    load: () => import("../pages/ai-sessions.tsx"),
    navigation: { section: "AI gateway", icon: "sessions", key: "s" },
    words: "usage prompts tokens requests",
  },
  {
    path: "/logs/ai-sessions/$session",
    title: "Session",
    load: () => import("../pages/ai-session.tsx"),
  },
  {
    path: "/ai/settings/providers",
    title: "Model providers",
    load: () => import("../pages/providers.tsx"),
    permission: "ai_provider:read",
    navigation: { section: "AI gateway", icon: "provider", key: "p" },
    words: "openai anthropic keys upstream",
  },
  {
    path: "/ai/settings/providers/new",
    title: "Add a model provider",
    load: () => import("../pages/provider-new.tsx"),
    permission: "ai_provider:create",
    words: "openai anthropic azure bedrock google create",
  },
  {
    path: "/ai/settings/providers/$provider",
    title: "Model provider",
    load: () => import("../pages/provider.tsx"),
    permission: "ai_provider:read",
  },
  {
    path: "/settings/account",
    title: "Account",
    load: () => import("../pages/settings-account.tsx"),
    navigation: { section: "You", icon: "account", key: "y" },
    words: "profile name username email roles",
  },
  {
    path: "/settings/security",
    title: "Security",
    load: () => import("../pages/settings-security.tsx"),
    navigation: { section: "You", icon: "security", key: "e" },
    words: "password sessions devices sign out",
  },
  {
    path: "/settings/tokens",
    title: "API tokens",
    load: () => import("../pages/settings-tokens.tsx"),
    navigation: { section: "You", icon: "key", key: "t" },
    words: "keys credentials",
  },
  {
    path: "/settings/provider-keys",
    title: "Own provider keys",
    load: () => import("../pages/settings-provider-keys.tsx"),
    navigation: { section: "You", icon: "link", key: "o" },
    words: "byok bring your own key",
  },
  {
    path: "/settings/appearance",
    title: "Appearance",
    load: () => import("../pages/settings-appearance.tsx"),
    navigation: { section: "You", icon: "appearance", key: "a" },
    words: "theme dark light colours",
  },
];
