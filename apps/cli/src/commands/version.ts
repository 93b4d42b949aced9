/** `atelier version`: of this program and, when one is known and answers, of the server. */
import { ok } from "@atelier/base/result";
import { buildInfo } from "@atelier/contract/http/deployment";
import { apiOf, serverUrl } from "../cli.ts";
import { defineCommand, shown } from "../command.ts";
import { faint, fields } from "../output/people.ts";
import { VERSION } from "@atelier/host/version";

export const version = defineCommand({
  name: "version",
  summary: "Show the versions of this program and of the server",
  examples: ["atelier version", "atelier version --json"],
  args: {},
  options: {},
  run: async (cli) => {
    const url = await serverUrl(cli);
    if (!url.ok) return url;
    const info = url.value === null ? null : await apiOf(cli, url.value, null).call(buildInfo, {});
    const server = info !== null && info.ok ? info.value.version : null;
    const absence = url.value === null ? "no server is known" : "does not answer";
    return ok(
      shown({
        json: { cli: VERSION, server, url: url.value },
        text: () =>
          fields(cli.look, [
            ["Program", VERSION],
            ["Server", server === null ? faint(absence) : `${server} at ${url.value}`],
          ]),
      }),
    );
  },
});
