/** Several lines of text: prompts, lists, JSON. */
import { FieldFrame, INPUT_LOOK, type FieldFrameProps } from "./text-field.tsx";

type TextAreaFieldProps = Omit<FieldFrameProps, "children"> & {
  readonly name: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly rows?: number;
  readonly placeholder?: string;
  readonly isMono?: boolean;
};

export function TextAreaField(props: TextAreaFieldProps) {
  const { name, value, onChange, rows = 6, placeholder, isMono } = props;
  return (
    <FieldFrame {...props}>
      {(attributes) => (
        <textarea
          {...attributes}
          autoCapitalize="none"
          autoComplete="off"
          className={`${INPUT_LOOK} block py-2 ${isMono ? "font-mono text-xs" : ""}`}
          name={name}
          onChange={(event) => onChange(event.currentTarget.value)}
          placeholder={placeholder}
          rows={rows}
          spellCheck={!isMono}
          value={value}
        />
      )}
    </FieldFrame>
  );
}
