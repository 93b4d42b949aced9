/** `atelier mcp-servers connect`. */
import { fail, ok } from "@atelier/base/result";
import { signInToMcpServer } from "@atelier/contract/http/mcp-servers";
import { plainFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, switchOption } from "../command.ts";
import { findMcpServer, SERVER_ARGUMENT } from "../mcp-server-lookup.ts";
import { safe } from "../output/terminal-safe.ts";

const LOOK_AGAIN_MS = 2_000;

export const mcpServersConnect = defineCommand({
  name: "mcp-servers connect",
  summary: "Sign in to a tool server, in a browser; your chats use its tools then",
  examples: ["atelier mcp-servers connect wiki", "atelier mcp-servers connect wiki --print-only"],
  args: { server: argument(SERVER_ARGUMENT) },
  options: { printOnly: switchOption("--print-only", "print the page's address, and do not wait") },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findMcpServer(api.value, args.server);
    if (!found.ok) return found;
    const params = { server: found.value.id };
    const begun = await api.value.call(signInToMcpServer, { params });
    if (!begun.ok) return begun;
    const { authorization_url: page, expires_at: expiresAt } = begun.value;
    if (options.printOnly) return ok(shown({ json: begun.value, text: () => safe`${page}` }));
    cli.note(`Open this page in a browser in which you are signed in to Atelier:\n\n  ${page}\n`);
    // A sign-in that was there before goes on until this one replaces it: ask for the change.
    const before = found.value.sign_in;
    if (before === "done") {
      const text = (): string => "You were signed in already. The page replaces that sign-in.";
      return ok(shown({ json: begun.value, text }));
    }
    while (cli.clock.now().getTime() < Date.parse(expiresAt)) {
      await cli.clock.sleep(LOOK_AGAIN_MS, cli.signal);
      const now = await findMcpServer(api.value, found.value.id);
      if (!now.ok) return now;
      if (now.value.sign_in !== "done") continue;
      const text = (): string => safe`Signed in to ${now.value.slug}.`;
      return ok(shown({ json: now.value, text }));
    }
    return fail(plainFailure("Nobody signed in within the time.", "Run the command again."));
  },
});
