/** `atelier providers list`. */
import { ok } from "@atelier/base/result";
import { listModelProviders } from "@atelier/contract/http/ai-providers";
import { signedIn } from "../cli.ts";
import { choiceOption, defineCommand, shown } from "../command.ts";
import { table } from "../output/people.ts";
import { keyCount, stateCell } from "../output/provider-fields.ts";
import { PAGING_OPTIONS } from "../paging.ts";

export const providersList = defineCommand({
  name: "providers list",
  summary: "List model providers by name",
  examples: ["atelier providers list", "atelier providers list --state error --json"],
  args: {},
  options: {
    state: choiceOption("--state <state>", "in this state", ["enabled", "disabled", "error"]),
    limit: PAGING_OPTIONS.limit,
    all: PAGING_OPTIONS.all,
  },
  run: async (cli, { options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    // The server gives them all at once: a deployment has a handful.
    const answer = await api.value.call(listModelProviders, {});
    if (!answer.ok) return answer;
    const matching = answer.value.providers.filter(
      ({ status }) => options.state === undefined || status.state === options.state,
    );
    const providers = options.all ? matching : matching.slice(0, options.limit);
    const others = ["TYPE", "STATE", "KEYS", "BASE URL"].map((title) => ({ title }));
    const columns = [{ title: "NAME", isWhole: true }, ...others];
    return ok(
      shown({
        json: { providers, count: matching.length },
        text: () =>
          providers.length === 0
            ? "No model providers. Add one with `atelier providers create`."
            : table(
                cli.look,
                columns,
                providers.map((provider) => [
                  provider.name,
                  provider.type,
                  stateCell(provider.status.state),
                  keyCount(provider),
                  provider.base_url,
                ]),
              ),
        note:
          providers.length === matching.length
            ? null
            : `Showing ${providers.length} of ${matching.length}. More: --limit <count> or --all.`,
      }),
    );
  },
});
