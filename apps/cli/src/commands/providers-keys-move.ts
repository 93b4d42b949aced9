/** `atelier providers keys move`. */
import { fail, ok } from "@atelier/base/result";
import { getModelProvider, orderModelProviderKeys } from "@atelier/contract/http/ai-providers";
import { notFoundFailure, usageFailure } from "../cli-failure.ts";
import { signedIn } from "../cli.ts";
import { argument, defineCommand, shown } from "../command.ts";
import { keysTable } from "../output/provider-keys.ts";
import { KEY_ARGUMENT, PROVIDER_ARGUMENT } from "../provider-switch-command.ts";

export const providersKeysMove = defineCommand({
  name: "providers keys move",
  summary: "Change when a key is tried: its place among the provider's keys",
  examples: ["atelier providers keys move openai 5c1e0f5c-8a54-4a37-9d4f-0c7a6c2a7f10 1"],
  args: {
    provider: PROVIDER_ARGUMENT,
    key: KEY_ARGUMENT,
    place: argument("its new place; 1 is tried first"),
  },
  options: {},
  run: async (cli, { args }) => {
    const place = /^\d{1,3}$/.test(args.place) ? Number(args.place) : 0;
    if (place === 0) return fail(usageFailure("The place is a whole number from 1 on."));
    const api = await signedIn(cli);
    if (!api.ok) return api;
    const present = await api.value.call(getModelProvider, { params: { provider: args.provider } });
    if (!present.ok) return present;
    const { id: provider, name, api_keys: keys } = present.value;
    const ids = keys.map(({ id }) => id);
    const moved = ids.find((id) => id === args.key.toLowerCase());
    if (moved === undefined) return fail(notFoundFailure(`${name} has no key of this id.`));
    const key_ids = ids.filter((id) => id !== moved).toSpliced(place - 1, 0, moved);
    const params = { provider };
    const ordered = await api.value.call(orderModelProviderKeys, { params, body: { key_ids } });
    if (!ordered.ok) return ordered;
    const text = (): string => `Moved.\n\n${keysTable(cli.look, ordered.value.api_keys)}`;
    return ok(shown({ json: ordered.value, text }));
  },
});
