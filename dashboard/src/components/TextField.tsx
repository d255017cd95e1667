import { useEffect, useId, useState } from "react";

interface Props {
  label: string;
  value: string;
  placeholder?: string;
  onCommit: (value: string) => void;
}

/** A line of text that counts when it is finished: with Enter, or when the field is left. */
export function TextField({ label, value, placeholder, onCommit }: Props) {
  const id = useId();
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const commit = () => {
    if (typed.trim() === value) return;
    setTyped(value);  // until the owner takes it: it may keep what it has
    onCommit(typed.trim());
  };
  return (
    <div className="field">
      <label className="field-label" htmlFor={id}>{label}</label>
      <input
        id={id} type="text" className="text-input" value={typed} placeholder={placeholder} maxLength={120} autoComplete="off" spellCheck={false}
        onChange={(event) => setTyped(event.target.value)} onBlur={commit} onKeyDown={(event) => event.key === "Enter" && commit()}
      />
    </div>
  );
}
