import { type FormEvent, useState } from "react";
import { said } from "../api/request.ts";
import { Bell } from "../ui/bell.tsx";
import { session } from "./session.ts";
import { useSession } from "./use-session.ts";

/** Where `carillon up` makes its demo's users. */
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/** Who are you? */
export function LogIn() {
  const { notice } = useSession();
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setFailure(undefined);
    try {
      await session.logIn(String(form.get("username")), String(form.get("password")));
    } catch (error) {
      setFailure(error instanceof TypeError ? "Carillon can't be reached." : said(error));
      setBusy(false);
    }
  }

  return (
    <main className="login">
      <form className="login-card" onSubmit={submit}>
        <div className="login-head">
          <Bell size={44} />
          <h1>Carillon</h1>
          <p>Tickets, chat and shared text, live.</p>
        </div>
        {(failure ?? notice) && (
          <p className="notice" role="alert">
            {failure ?? notice}
          </p>
        )}
        <label className="field">
          <span>Username</span>
          {/* biome-ignore lint/a11y/noAutofocus: it is all that this page is for */}
          <input name="username" autoComplete="username" autoCapitalize="none" required autoFocus />
        </label>
        <label className="field">
          <span>Password</span>
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        <button type="submit" className="button button-primary button-wide" disabled={busy}>
          {busy ? "Logging in…" : "Log in"}
        </button>
        {LOOPBACK.test(location.hostname) && (
          <p className="login-hint">
            On a laptop, <code>carillon up</code> has the users alice, bob, carol and admin; the password of each is{" "}
            <code>carillon</code>.
          </p>
        )}
      </form>
    </main>
  );
}
