export interface Status {
  kind: "good" | "waiting" | "down";
  word: string;
  detail?: string;
}

/** Says where the numbers come from right now. Only the word is announced, the detail changes too often for that. */
export function StatusLine({ status }: { status: Status }) {
  return (
    <p className={`status status-${status.kind}`} data-testid="status">
      <span className="dot" aria-hidden="true" />
      <span role="status">{status.word}</span>
      {status.detail && <span className="quiet">{status.detail}</span>}
    </p>
  );
}
