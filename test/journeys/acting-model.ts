/** A scripted model that does as it is told for each message, step by step. */
import { startScriptedModel, type ScriptedModel } from "@atelier/testkit/scripted-model";
import type { ScriptedReply } from "@atelier/testkit/scripted-model-reply";

/** What the model answers to a message that holds the words; a call's result is the next step. */
export type Act = { readonly to: string; readonly steps: readonly ScriptedReply[] };

/** Acts on messages, and leaves titles and the like to the model's ordinary answers. */
export async function startActingModel(): Promise<ScriptedModel & { readonly acts: Act[] }> {
  const acts: Act[] = [];
  const done = new Map<Act, number>();
  const model = await startScriptedModel({
    pacing: { delayMs: 5 },
    script: ({ body }) => {
      const { tools, messages } = JSON.parse(Buffer.from(body).toString("utf8")) as {
        readonly tools?: readonly unknown[];
        readonly messages?: readonly { readonly role: string; readonly content: unknown }[];
      };
      if (tools === undefined || tools.length === 0) return null;
      const said = JSON.stringify(messages?.filter(({ role }) => role === "user") ?? []);
      const [act] = acts
        .toReversed()
        .filter(({ to }) => said.includes(to))
        .toSorted((one, two) => said.lastIndexOf(two.to) - said.lastIndexOf(one.to));
      if (act === undefined) return null;
      const place = done.get(act) ?? 0;
      done.set(act, place + 1);
      return act.steps[place] ?? null;
    },
  });
  return Object.assign(model, { acts });
}
