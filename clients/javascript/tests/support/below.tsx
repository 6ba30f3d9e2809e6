import { waitFor } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { WebSocketProvider, type WebSocketProviderProps } from "../../src/react/index.js";
import type { Page } from "./page.js";

/** Below a provider, with effects run twice. */
export function below(page: Page, props: WebSocketProviderProps = {}) {
  return function Below({ children }: { children: ReactNode }) {
    return (
      <StrictMode>
        <WebSocketProvider url={page.url} toast={false} {...props}>
          {children}
        </WebSocketProvider>
      </StrictMode>
    );
  };
}

/** What a hook has given last, once it is as it should be. */
export function until<Value>(result: { current: Value }, is: (value: Value) => boolean): Promise<Value> {
  return waitFor(() => {
    if (!is(result.current)) throw new Error(`still ${JSON.stringify(result.current)}`);
    return result.current;
  });
}
