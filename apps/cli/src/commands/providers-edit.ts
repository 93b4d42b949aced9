/** `atelier providers edit`. */
import { fail, ok } from "@atelier/base/result";
import { updateModelProvider } from "@atelier/contract/http/ai-providers";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, textOption } from "../command.ts";
import { providerFields } from "../output/provider-fields.ts";

export const providersEdit = defineCommand({
  name: "providers edit",
  summary: "Change a model provider's address or display name",
  details: "Its keys are changed with `atelier providers keys`.",
  examples: ["atelier providers edit local --base-url http://10.0.0.6:8000/v1"],
  args: { provider: argument("its name or id") },
  options: {
    baseUrl: textOption("--base-url <url>", "where its requests go"),
    displayName: textOption("--display-name <name>", "how people read it"),
  },
  run: async (cli, { args, options }) => {
    const { baseUrl, displayName } = options;
    if (baseUrl === undefined && displayName === undefined) {
      return fail(usageFailure("Nothing to change: give --base-url or --display-name."));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const provider = await api.value.call(updateModelProvider, {
      params: args,
      body: {
        ...(baseUrl === undefined ? {} : { base_url: baseUrl }),
        ...(displayName === undefined ? {} : { display_name: displayName }),
      },
    });
    if (!provider.ok) return provider;
    return ok(
      shown({
        json: provider.value,
        text: () => `Changed.\n\n${providerFields(cli.look, provider.value)}`,
      }),
    );
  },
});
