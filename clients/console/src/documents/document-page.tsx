import { type FormEvent, useState } from "react";
import { go } from "../routing/route.ts";
import { Failed, Skeleton } from "../ui/states.tsx";
import { Editor } from "./editor.tsx";
import { useSharedText } from "./use-shared-text.ts";

/** A text that everyone here writes together. */
export default function DocumentPage({ name }: { name: string }) {
  const { shared, synced, refusal } = useSharedText(name);
  return (
    <div className="document">
      <header className="document-head">
        <h2>{name}</h2>
        <OpenAnother />
      </header>
      {refusal && <Failed message={refusal} />}
      {!refusal && !(shared && synced) && <Skeleton lines={8} />}
      {!refusal && shared && synced && <Editor shared={shared} name={name} />}
    </div>
  );
}

function OpenAnother() {
  const [name, setName] = useState("");
  function open(event: FormEvent) {
    event.preventDefault();
    if (name.trim() !== "") go({ page: "document", name: name.trim() });
  }
  return (
    <form className="enter-room" onSubmit={open}>
      <label>
        <span className="visually-hidden">Open another text</span>
        <input
          value={name}
          maxLength={100}
          placeholder="Another text…"
          onChange={(event) => setName(event.target.value)}
        />
      </label>
    </form>
  );
}
