/** `atelier config show`: the server's options, and where each value comes from. */
import { ok } from "@atelier/base/result";
import { getDeploymentConfig } from "@atelier/contract/http/deployment";
import { signedIn } from "../cli.ts";
import { defineCommand, shown, switchOption, textOption } from "../command.ts";
import { faint, table, type Cell } from "../output/people.ts";

export const configShow = defineCommand({
  name: "config show",
  summary: "Show the server's options and where each value comes from",
  examples: ["atelier config show --set", "atelier config show --group gateway --json"],
  args: {},
  options: {
    set: switchOption("--set", "only those that somebody has set"),
    group: textOption("--group <group>", "only this group"),
  },
  run: async (cli, { options: filters }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const answer = await api.value.call(getDeploymentConfig, {});
    if (!answer.ok) return answer;
    const options = answer.value.options.filter(
      ({ source, group }) =>
        (!filters.set || source !== "default") &&
        (filters.group === undefined || group.toLowerCase() === filters.group.toLowerCase()),
    );
    const columns = [{ title: "OPTION", isWhole: true }, { title: "VALUE" }, { title: "SOURCE" }];
    return ok(
      shown({
        json: { options, count: options.length },
        text: () =>
          options.length === 0
            ? "No such options."
            : table(
                cli.look,
                columns,
                options.map(({ name, value, source }): Cell[] => [
                  name,
                  value ?? faint("not set"),
                  source,
                ]),
              ),
      }),
    );
  },
});
