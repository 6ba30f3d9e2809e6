import { useEffect } from "react";
import { LogIn } from "./session/log-in.tsx";
import { session } from "./session/session.ts";
import { useSession } from "./session/use-session.ts";
import { Shell } from "./shell/shell.tsx";
import { Waiting } from "./ui/states.tsx";

/** The console: for whoever is logged in, and a form to do so for everyone else. */
export function App() {
  const { status, me } = useSession();
  useEffect(() => {
    if (status !== "unknown") return;
    let timer: ReturnType<typeof setTimeout>;
    const resume = () => session.resume().catch(() => (timer = setTimeout(resume, 2_000)));
    void resume();
    return () => clearTimeout(timer);
  }, [status]);
  if (status === "unknown") return <Waiting what="Carillon" />;
  return me ? <Shell key={String(me.id)} /> : <LogIn />;
}
