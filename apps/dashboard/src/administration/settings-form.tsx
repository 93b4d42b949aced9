/** A form of what administrators decide for everybody: one button, and none for those who may only read. */
import { useMay } from "../app/signed-in.ts";
import { FormFrame } from "../forms/form-frame.tsx";

type SettingsFormProps = Pick<Parameters<typeof FormFrame>[0], "form" | "children">;

/** Those who may read and not change see the fields, and no button that would be refused. */
export function SettingsForm({ form, children }: SettingsFormProps) {
  const mayChange = useMay("chat_setting:update");
  return (
    <div className="max-w-2xl">
      {mayChange ? (
        <FormFrame form={form} send="Save" sending="Saving…">
          {children}
        </FormFrame>
      ) : (
        <fieldset className="space-y-4" disabled>
          {children}
        </fieldset>
      )}
    </div>
  );
}
