/** `atelier mcp-servers create`. */
import { ok } from "@atelier/base/result";
import { createMcpServer } from "@atelier/contract/http/mcp-servers";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, switchOption } from "../command.ts";
import { SERVER_OPTIONS, serverAuth, serverFields } from "../mcp-server-input.ts";
import { mcpServerFields } from "../output/mcp-server-fields.ts";

export const mcpServersCreate = defineCommand({
  name: "mcp-servers create",
  summary: "Add a server of tools for chats, by the Model Context Protocol over HTTP",
  examples: [
    "atelier mcp-servers create wiki https://wiki.example.com/mcp --availability default_on",
    "printenv WIKI_AUTHORIZATION | atelier mcp-servers create wiki https://wiki.example.com/mcp \\\n" +
      "  --header Authorization --value-stdin",
  ],
  args: { slug: argument("begins the names of its tools"), url: argument("where it is asked") },
  options: {
    ...SERVER_OPTIONS,
    disabled: switchOption("--disabled", "add it without offering it"),
  },
  run: async (cli, { args, options }) => {
    const auth = await serverAuth(cli, options);
    if (!auth.ok) return auth;
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const created = await api.value.call(createMcpServer, {
      body: {
        ...args,
        ...serverFields(options),
        enabled: !options.disabled,
        ...(auth.value === undefined ? {} : { auth: auth.value }),
      },
    });
    if (!created.ok) return created;
    const text = (): string => `Created.\n\n${mcpServerFields(cli.look, created.value)}`;
    return ok(shown({ json: created.value, text }));
  },
});
