import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { filterOptions, kShownOptionsMax, type Option } from "./filterOptions";

interface Props {
  label: string;
  options: readonly Option[];
  value: string | null;
  placeholder: string;
  emptyText: string;
  onChange: (value: string) => void;
}

/** A list to choose from by typing: the ARIA combobox pattern with a listbox. */
export function Combobox({ label, options, value, placeholder, emptyText, onChange }: Props) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const found = useMemo(() => (open ? filterOptions(options, typed) : []), [open, options, typed]);
  const shown = found.slice(0, kShownOptionsMax);
  const activeIndex = Math.min(active, shown.length - 1);

  useEffect(() => {
    if (open) list.current?.querySelector('[data-active="true"]')?.scrollIntoView({ block: "nearest" });
  }, [open, activeIndex, typed]);

  const show = () => {
    if (open) return;
    setTyped("");
    setActive(Math.max(0, options.slice(0, kShownOptionsMax).findIndex((option) => option.value === value)));
    setOpen(true);
  };
  const choose = (option: Option | undefined) => {
    setOpen(false);
    setTyped("");
    if (option && option.value !== value) onChange(option.value);
    input.current?.select();  // what is typed next replaces the choice
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) return show();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive(shown.length === 0 ? 0 : (activeIndex + step + shown.length) % shown.length);
    } else if (open && event.key === "Home") {
      event.preventDefault();
      setActive(0);
    } else if (open && event.key === "End") {
      event.preventDefault();
      setActive(shown.length - 1);
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      choose(shown[activeIndex]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      setOpen(false);
    }
  };

  return (
    <div className="combobox" onBlur={(event) => { if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false); }}>
      <label className="field-label" htmlFor={`${id}-input`}>{label}</label>
      <div className="combobox-field">
        <input
          ref={input} id={`${id}-input`} type="text" role="combobox" autoComplete="off" spellCheck={false}
          aria-expanded={open} aria-controls={`${id}-list`} aria-autocomplete="list"
          aria-activedescendant={open && shown.length > 0 ? `${id}-${activeIndex}` : undefined}
          value={open ? typed : value ?? ""} placeholder={open && value ? value : placeholder}
          onFocus={show} onClick={show} onKeyDown={onKeyDown}
          onChange={(event) => { setOpen(true); setTyped(event.target.value); setActive(0); }}
        />
        <svg className="chevron" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><path d="M2.5 4.5 6 8l3.5-3.5" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" /></svg>
      </div>
      {/* Kept in the page while closed, since the field names it as what it controls. */}
      <ul ref={list} id={`${id}-list`} role="listbox" aria-label={label} className="options" hidden={!open}>
        {shown.map((option, index) => (
          <li
            key={option.value} id={`${id}-${index}`} role="option" aria-selected={option.value === value} data-active={index === activeIndex}
            onMouseDown={(event) => event.preventDefault()} onMouseMove={() => index !== activeIndex && setActive(index)}
            onClick={() => { choose(option); input.current?.blur(); }}
          >
            <span>{option.value}</span>
            {option.hint && <span className="quiet">{option.hint}</span>}
          </li>
        ))}
        {open && shown.length === 0 && <li className="options-note" role="presentation">{options.length === 0 ? emptyText : `Nothing matches “${typed}”.`}</li>}
        {found.length > shown.length && <li className="options-note" role="presentation">{found.length - shown.length} more: type to narrow the list.</li>}
      </ul>
    </div>
  );
}
