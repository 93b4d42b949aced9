/** The models that can be chosen, by their providers. */
import { modelGroups, modelName, type ChatModels } from "./model-choice.ts";

export function ModelOptions({ models }: { readonly models: ChatModels }) {
  return modelGroups(models).map(({ provider, models: offered }) => (
    <optgroup key={provider} label={provider}>
      {offered.map((model) => (
        <option key={model.id} value={model.id}>
          {modelName(model)}
        </option>
      ))}
    </optgroup>
  ));
}
