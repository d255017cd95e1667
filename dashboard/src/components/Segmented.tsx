interface Props<T extends string> {
  label: string;
  options: readonly { id: T; label: string; hint?: string }[];
  value: T;
  onChange: (value: T) => void;
  small?: boolean;
}

/** A choice of few: a row of radio buttons, so that arrow keys and screen readers know it. */
export function Segmented<T extends string>({ label, options, value, onChange, small }: Props<T>) {
  return (
    <fieldset className={small ? "segmented small" : "segmented"}>
      <legend className={small ? "visually-hidden" : "field-label"}>{label}</legend>
      <div className="segments">
        {options.map((option) => (
          <label key={option.id} title={option.hint}>
            <input type="radio" name={label} value={option.id} checked={option.id === value} onChange={() => onChange(option.id)} />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
