import { useId, useState, type FormEvent } from "react";
import { submitRequest } from "../api/endpoints";
import { problemFromError, type Problem } from "../api/problem";
import type { RequestKind } from "../api/types";
import { ProblemNote } from "../components/ProblemNote";
import { Segmented } from "../components/Segmented";
import { requestState } from "../model/views";

const kKinds: readonly { id: RequestKind; label: string }[] = [{ id: "user", label: "User" }, { id: "ticker", label: "Ticker" }];

/** Asks for the history of a user or a ticker, and says what came of it. */
export function RequestForm({ onSubmitted }: { onSubmitted: () => void }) {
  const id = useId();
  const [kind, setKind] = useState<RequestKind>("user");
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    setSaid(null);
    try {
      const { status, body } = await submitRequest(kind, name.trim());
      setSaid(status === 201 ? `The history of ${body.name} has been asked for.` : `${body.name} had been asked for before; it is ${requestState(body.state).text}.`);
      setName("");
      onSubmitted();
    } catch (error) {
      setProblem(problemFromError(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="request-form" onSubmit={submit} aria-label="Ask for a history" data-testid="request-form">
      <Segmented label="What" options={kKinds} value={kind} onChange={setKind} />
      <div className="field">
        <label className="field-label" htmlFor={id}>{kind === "user" ? "Name of the user" : "Ticker"}</label>
        <input id={id} className="text-input" type="text" value={name} maxLength={80} autoComplete="off" spellCheck={false} placeholder={kind === "user" ? "@name" : "AAPL"} onChange={(event) => setName(event.target.value)} />
      </div>
      <button type="submit" className="button primary" disabled={busy || name.trim() === ""}>{busy ? "Asking…" : "Ask for history"}</button>
      <p className="form-said" role="status" data-testid="request-said">{said}</p>
      {problem && <ProblemNote problem={problem} />}
    </form>
  );
}
