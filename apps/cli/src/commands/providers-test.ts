/** `atelier providers test`: whether a model provider and its keys work, and if not, why. */
import { ok } from "@atelier/base/result";
import { testModelProvider } from "@atelier/contract/http/ai-provider-test";
import { signedIn } from "../cli.ts";
import { defineCommand, shown, textOption } from "../command.ts";
import { providerTestText } from "../output/provider-test.ts";
import { PROVIDER_ARGUMENT } from "../provider-switch-command.ts";

export const providersTest = defineCommand({
  name: "providers test",
  summary: "Try a model provider out with each of its keys, and say what is wrong",
  details:
    "Makes a request that costs nothing and, where a model is named or a cheap one is known, a completion " +
    "of a few tokens, from the server that answers. It changes nothing: not the state of keys, not use on " +
    "record. The exit code is 1 unless everything that was tested went well.",
  examples: [
    "atelier providers test openai",
    "atelier providers test local --model llama-3.3-70b",
    "atelier providers test openai --key 5c1e0f5c-8a54-4a37-9d4f-0c7a6c2a7f10 --json",
  ],
  args: { provider: PROVIDER_ARGUMENT },
  options: {
    model: textOption("-m, --model <name>", "ask this model for a completion"),
    key: textOption("-k, --key <id>", "only this key, also when it is disabled"),
  },
  run: async (cli, { args, options }) => {
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const body = {
      ...(options.model === undefined ? {} : { model: options.model }),
      ...(options.key === undefined ? {} : { key: options.key }),
    };
    const answer = await api.value.call(testModelProvider, { params: args, body });
    if (!answer.ok) return answer;
    const tested = answer.value;
    return ok(
      shown({
        json: tested,
        text: () => providerTestText(cli.look, tested),
        isFailed: !tested.passed,
      }),
    );
  },
});
