/** One of a few values. */
import type { ReactNode } from "react";
import { FieldFrame, INPUT_LOOK } from "./text-field.tsx";

type ChoiceFieldProps = {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly complaint?: string | null;
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
};

export function ChoiceField(props: ChoiceFieldProps) {
  const { name, value, onChange, choices } = props;
  return (
    <FieldFrame {...props}>
      {(attributes) => (
        <select
          {...attributes}
          className={INPUT_LOOK}
          name={name}
          onChange={(event) => onChange(event.currentTarget.value)}
          value={value}
        >
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    </FieldFrame>
  );
}
