/**
 * Which models stand behind application inference profiles. Their ARNs do not say, and what a request may
 * hold depends on the model: so Bedrock is asked, once for each profile.
 *
 * Where it does not tell (a role may lack the permission bedrock:GetInferenceProfile), the profile is
 * taken for a model of which nothing is known, and asked for again after a while.
 */
import type { Clock } from "@atelier/base/clock";
import type { Logger } from "@atelier/base/logger";
import { objectIn, objectsIn, parseLooseJson, textIn } from "@atelier/model-wire/loose-json";
import type { UpstreamCall, UpstreamClient } from "../upstream/upstream-client.ts";

const PROFILE_PART = ":application-inference-profile/";
const ASKED_AGAIN_MS = 60_000;
const ANSWER_BYTES_MAX = 1024 * 1024;

export type InferenceProfilesDeps = {
  /** Where Bedrock is administered. */
  readonly control: ControlAddress;
  readonly openClient: (origin: string) => UpstreamClient;
  /** The headers of a credential for this call, as raw pairs. */
  readonly authorize: (call: UpstreamCall, origin: URL) => Promise<string[]>;
  readonly clock: Clock;
  readonly log: Logger;
};

export type ControlAddress = { readonly origin: URL; readonly basePath: string };

type Lookup = { readonly model: Promise<string | null>; readonly askedAtMs: number };

export class InferenceProfiles {
  readonly #deps: InferenceProfilesDeps;
  readonly #lookups = new Map<string, Lookup>();

  constructor(deps: InferenceProfilesDeps) {
    this.#deps = deps;
  }

  /** The ids of the models behind those that are profiles. Others are absent. */
  async modelsBehind(ids: readonly (string | null)[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const id of new Set(ids)) {
      if (id?.includes(PROFILE_PART) !== true) continue;
      const model = await this.#lookup(id);
      if (model !== null) found.set(id, model);
    }
    return found;
  }

  async #lookup(profile: string): Promise<string | null> {
    const { clock } = this.#deps;
    const known = this.#lookups.get(profile);
    if (known !== undefined) {
      const model = await known.model;
      if (model !== null || clock.monotonicMs() < known.askedAtMs + ASKED_AGAIN_MS) return model;
    }
    // Another call may have asked again while this one waited.
    const latest = this.#lookups.get(profile);
    if (latest !== undefined && latest !== known) return latest.model;
    const lookup = { model: this.#ask(profile), askedAtMs: clock.monotonicMs() };
    this.#lookups.set(profile, lookup);
    return lookup.model;
  }

  async #ask(profile: string): Promise<string | null> {
    const { control, openClient, authorize, log } = this.#deps;
    const client = openClient(control.origin.origin);
    try {
      const path = `${control.basePath}/inference-profiles/${encodeURIComponent(profile)}`;
      const call = { method: "GET", path, headers: ["Accept", "application/json"], body: null };
      const headers = [...call.headers, ...(await authorize(call, control.origin))];
      const answer = await answerTo(client, { ...call, headers });
      const model = modelIn(answer);
      if (model === null) throw new Error("the answer names no model");
      return model;
    } catch (error) {
      log.warn({ error, profile }, "the model behind an inference profile is not known");
      return null;
    } finally {
      await client.close();
    }
  }
}

/** `…::foundation-model/<id>`: the regions of a profile have the same model. */
function modelIn(answer: Uint8Array): string | null {
  const [first] = objectsIn(objectIn(parseLooseJson(answer))?.["models"]);
  return textIn(first?.["modelArn"]);
}

function answerTo(client: UpstreamClient, call: UpstreamCall): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const exchange = client.send(call, {
      head: (status) => {
        if (status === 200) return;
        exchange.cancel();
        reject(new Error(`Bedrock answered ${status}`));
      },
      data: (chunk) => {
        bytes += chunk.byteLength;
        if (bytes <= ANSWER_BYTES_MAX) chunks.push(Buffer.from(chunk));
        return true;
      },
      end: () => resolve(Buffer.concat(chunks)),
      failed: ({ cause, detail }) => reject(new Error(`${cause}: ${detail}`)),
    });
  });
}
