import { Component, type ReactNode } from "react";

interface State {
  message: string | null;
}

/** A defect in one page must not take the navigation with it. */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { message: null };

  static getDerivedStateFromError(error: unknown): State {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    if (this.state.message === null) return this.props.children;
    return (
      <div className="problem" role="alert">
        <p className="problem-title">This page could not be drawn</p>
        <p>{this.state.message}</p>
        <button type="button" className="button" onClick={() => window.location.reload()}>Reload</button>
      </div>
    );
  }
}
