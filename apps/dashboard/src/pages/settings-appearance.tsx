/** Light, dark, or as the system has it. */
import { useState } from "react";
import {
  APPEARANCES,
  chooseAppearance,
  chosenAppearance,
  type Appearance,
} from "../app/appearance.ts";
import { PageHead } from "../ui/page-head.tsx";
import { Panel } from "../ui/panel.tsx";

const NAMES: Readonly<Record<Appearance, string>> = {
  system: "As the system has it",
  light: "Light",
  dark: "Dark",
};

export function Page() {
  const [chosen, setChosen] = useState(chosenAppearance);
  return (
    <>
      <PageHead about="Kept on this device, for this browser." title="Appearance" />
      <Panel>
        <fieldset className="space-y-1">
          <legend className="mb-1 font-medium">Colours</legend>
          {APPEARANCES.map((appearance) => (
            <label className="flex min-h-9 items-center gap-2.5" key={appearance}>
              <input
                checked={chosen === appearance}
                name="appearance"
                onChange={() => {
                  chooseAppearance(appearance);
                  setChosen(appearance);
                }}
                type="radio"
              />
              {NAMES[appearance]}
            </label>
          ))}
        </fieldset>
      </Panel>
    </>
  );
}
