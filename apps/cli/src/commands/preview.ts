/** `atelier preview`: the address at which a port of a workspace opens in a browser. */
import { fail, ok } from "@atelier/base/result";
import { getPreviewHost } from "@atelier/contract/http/workspace-previews";
import {
  formatPreviewLabel,
  previewOrigin,
  readPreviewWildcard,
} from "@atelier/contract/preview-address";
import { plainFailure, usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, switchOption, shown } from "../command.ts";
import { findWorkspace, WORKSPACE_ARGUMENT } from "../workspace-lookup.ts";

export const preview = defineCommand({
  name: "preview",
  summary: "Show the address at which a port of a workspace opens in a browser",
  details: "For you alone: the browser asks you to sign in. Programs use port-forward instead.",
  examples: ["atelier preview dev 3000", "atelier preview dev 8443 --https"],
  args: {
    workspace: argument(WORKSPACE_ARGUMENT),
    port: argument("a port that something listens on there"),
  },
  options: { https: switchOption("--https", "what listens there speaks HTTPS itself") },
  run: async (cli, { args, options }) => {
    const port = /^[1-9]\d{0,4}$/.test(args.port) ? Number(args.port) : 0;
    if (port < 1 || port > 65_535) {
      return fail(usageFailure(`${args.port} is not a port.`, "atelier preview dev 3000"));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const found = await findWorkspace(api.value, args.workspace);
    if (!found.ok) return found;
    const host = await api.value.call(getPreviewHost, {});
    if (!host.ok) return host;
    const { owner_name: owner, name, agents } = found.value;
    const [agent] = agents;
    const { wildcard_url: written } = host.value;
    const wildcard = written === null ? null : readPreviewWildcard(written);
    if (wildcard === null || agent === undefined) {
      return fail(plainFailure(NO_PREVIEWS, `atelier port-forward ${args.workspace} ${port}`));
    }
    const place = { port, isHttps: options.https, owner, workspace: name };
    const previewed = { ...place, agent: agent.name, agentId: agent.id };
    const url = `${previewOrigin(wildcard, formatPreviewLabel(previewed, wildcard))}/`;
    return ok(shown({ json: { url }, text: () => url }));
  },
});

const NO_PREVIEWS =
  "This server opens no ports in browsers: its option wildcard-access-url is not set.";
