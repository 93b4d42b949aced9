/** `atelier providers edit`. */
import { fail, ok } from "@atelier/base/result";
import { updateModelProvider } from "@atelier/contract/http/ai-providers";
import { usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown, textOption } from "../command.ts";
import { providerFields } from "../output/provider-fields.ts";

export const providersEdit = defineCommand({
  name: "providers edit",
  summary: "Change a model provider's address, display name or API version",
  details: "Its keys are changed with `atelier providers keys`.",
  examples: ["atelier providers edit local --base-url http://10.0.0.6:8000/v1"],
  args: { provider: argument("its name or id") },
  options: {
    baseUrl: textOption("--base-url <url>", "where its requests go"),
    apiVersion: textOption("--api-version <version>", "of Azure OpenAI; empty: none"),
    displayName: textOption("--display-name <name>", "how people read it"),
  },
  run: async (cli, { args, options }) => {
    const { baseUrl, apiVersion, displayName } = options;
    if (baseUrl === undefined && apiVersion === undefined && displayName === undefined) {
      const remedy = "give --base-url, --display-name or --api-version.";
      return fail(usageFailure(`Nothing to change: ${remedy}`));
    }
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const provider = await api.value.call(updateModelProvider, {
      params: args,
      body: {
        ...(baseUrl === undefined ? {} : { base_url: baseUrl }),
        ...(apiVersion === undefined
          ? {}
          : { settings: { api_version: apiVersion === "" ? null : apiVersion } }),
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
