/**
 * Models and tools as labels of metrics. Clients name both, so their number is limited for each
 * provider: a histogram has ten series for each model, and a scrape pays for every one.
 */
import { BoundedNames, OTHER, type NameLimits } from "./bounded-names.ts";

/** A guess: more models than a provider's people use, few enough for a scrape. */
const MODELS_MAX = 50;
/** Models that have answered nothing yet. */
const UNPROVEN_MODELS_MAX = 25;
/** Pairs of model and tool. */
const TOOLS_MAX = 500;

export class ModelLabels {
  readonly #models = new Map<string, BoundedNames>();
  readonly #tools = new Map<string, BoundedNames>();

  modelOf(provider: string, model: string): string {
    return this.#modelsOf(provider).labelOf(model);
  }

  /** The provider has answered for the model. */
  prove(provider: string, model: string): void {
    this.#modelsOf(provider).prove(model);
  }

  /** `model` is a label already. */
  toolOf(provider: string, model: string, tool: string): string {
    const names = namesOf(this.#tools, provider, { namesMax: TOOLS_MAX, unprovenMax: TOOLS_MAX });
    return names.labelOf(`${model}\n${tool}`) === OTHER ? OTHER : tool;
  }

  #modelsOf(provider: string): BoundedNames {
    const limits = { namesMax: MODELS_MAX, unprovenMax: UNPROVEN_MODELS_MAX };
    return namesOf(this.#models, provider, limits);
  }
}

function namesOf(
  all: Map<string, BoundedNames>,
  provider: string,
  limits: NameLimits,
): BoundedNames {
  const known = all.get(provider);
  if (known !== undefined) return known;
  const names = new BoundedNames(limits);
  all.set(provider, names);
  return names;
}
