import { type ChangeEvent, useEffect, useRef, useState } from "react";
import { request, said } from "../api/request.ts";
import type { Attachment } from "../api/types.ts";
import { toast } from "../notifications/toasts.tsx";
import { ClipIcon, DocumentIcon } from "../ui/icons.tsx";

interface Announced {
  readonly id: string;
  readonly upload: { readonly method: string; readonly url: string; readonly headers: Record<string, string> };
}

interface Stored extends Attachment {
  readonly url: string;
}

/** What files of no type that the browser knows are sent as. */
const BYTES = "application/octet-stream";

/** Announces a file, and brings it to where the answer says. */
async function upload(file: File): Promise<Attachment> {
  const about = { name: file.name, content_type: file.type || BYTES, size: file.size };
  const { id, upload } = await request<Announced>("POST", "/api/chat/attachments/", { body: about });
  const stored = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: file });
  if (!stored.ok) throw new Error(`the file could not be stored (${stored.status})`);
  return { id, ...about };
}

/** Chooses files, which are sent with the next message. */
export function AttachButton({ onAttached }: { onAttached: (file: Attachment) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  async function chosen(event: ChangeEvent<HTMLInputElement>) {
    const files = [...(event.target.files ?? [])];
    event.target.value = "";
    setBusy(true);
    for (const file of files) {
      try {
        onAttached(await upload(file));
      } catch (error) {
        toast({ title: `${file.name} was not attached`, message: said(error), tone: "failure" });
      }
    }
    setBusy(false);
  }
  return (
    <>
      <input ref={input} type="file" multiple hidden aria-label="Files" onChange={chosen} />
      <button
        type="button"
        className="icon-button"
        aria-label={busy ? "Attaching…" : "Attach files"}
        disabled={busy}
        onClick={() => input.current?.click()}
      >
        {busy ? <span className="spinner spinner-small" /> : <ClipIcon />}
      </button>
    </>
  );
}

/** A file of a message. Its address is asked for when it is wanted: it is good for five minutes. */
export function AttachedFile({ file }: { file: Attachment }) {
  const [preview, setPreview] = useState<string>();
  const isPicture = /^image\/(png|jpeg|gif|webp)$/.test(file.content_type);
  useEffect(() => {
    if (!isPicture) return;
    void address(file).then(setPreview, console.warn);
  }, [isPicture, file]);
  async function open() {
    try {
      location.assign(await address(file));
    } catch (error) {
      toast({ title: `${file.name} can't be opened`, message: said(error), tone: "failure" });
    }
  }
  return (
    <button type="button" className={isPicture ? "attachment is-picture" : "attachment"} onClick={() => void open()}>
      {isPicture ? preview && <img src={preview} alt="" /> : <DocumentIcon />}
      <span className="attachment-name">{file.name}</span>
      <span className="quiet">{sizeOf(file.size)}</span>
    </button>
  );
}

async function address(file: Attachment): Promise<string> {
  return (await request<Stored>("GET", `/api/chat/attachments/${encodeURIComponent(file.id)}/`)).url;
}

function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
