/** `atelier mcp-servers update`. */
import { fail, ok } from "@atelier/base/result";
import { updateMcpServer } from "@atelier/contract/http/mcp-servers";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, switchOption, textOption } from "../command.ts";
import { SERVER_OPTIONS, serverAuth, serverFields } from "../mcp-server-input.ts";
import { findMcpServer, SERVER_ARGUMENT } from "../mcp-server-lookup.ts";
import { mcpServerFields } from "../output/mcp-server-fields.ts";

export const mcpServersUpdate = defineCommand({
  name: "mcp-servers update",
  summary: "Change a tool server; what is not given stays, also its credentials",
  examples: ["atelier mcp-servers update wiki --disable"],
  args: { server: argument(SERVER_ARGUMENT) },
  options: {
    serverUrl: textOption("--server-url <url>", "where it is asked"),
    ...SERVER_OPTIONS,
    enable: switchOption("--enable", "offer it"),
    disable: switchOption("--disable", "offer it no more"),
  },
  run: async (cli, { args, options }) => {
    const { serverUrl, enable, disable } = options;
    if (enable && disable) return fail(usageFailure("Give either --enable or --disable."));
    const auth = await serverAuth(cli, options);
    if (!auth.ok) return auth;
    const body = {
      ...serverFields(options),
      ...(serverUrl === undefined ? {} : { url: serverUrl }),
      ...(enable || disable ? { enabled: enable } : {}),
      ...(auth.value === undefined ? {} : { auth: auth.value }),
    };
    if (Object.keys(body).length === 0) {
      return fail(usageFailure("Nothing to change: give an option that says what."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findMcpServer(api.value, args.server);
    if (!found.ok) return found;
    const params = { server: found.value.id };
    const changed = await api.value.call(updateMcpServer, { params, body });
    if (!changed.ok) return changed;
    const text = (): string => `Changed.\n\n${mcpServerFields(cli.look, changed.value)}`;
    return ok(shown({ json: changed.value, text }));
  },
});
