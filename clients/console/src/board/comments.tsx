import { type FormEvent, type KeyboardEvent, useEffect, useEffectEvent, useRef, useState } from "react";
import { request, said } from "../api/request.ts";
import type { Comment, Frame, Ticket } from "../api/types.ts";
import { Avatar } from "../people/avatar.tsx";
import { meet, nameOf, same } from "../people/directory.ts";
import { useProject } from "../project/project.tsx";
import { isAdmin, useMe } from "../session/use-session.ts";
import { Failed, Skeleton } from "../ui/states.tsx";
import { TypingLine } from "../ui/typing.tsx";
import { ago, useNow } from "../ui/when.ts";

/** How often the others are told that somebody still types, in milliseconds. */
const RENEWAL = 2_500;

/** What has been said about a ticket, and a place to say more. */
export function Comments({ ticket }: { ticket: Ticket }) {
  const { project, board, presence } = useProject();
  const me = useMe();
  const [comments, setComments] = useState<readonly Comment[]>();
  const [failure, setFailure] = useState<string>();
  const path = `/api/projects/${encodeURIComponent(project.id)}/tickets/${ticket.ticket_id}/comments/`;
  const { listen } = board;

  useEffect(() => {
    let gone = false;
    const stop = listen((frame) => setComments((known) => known && applied(known, frame, ticket.ticket_id)));
    everything(path).then(
      (comments) => {
        meet(...comments.map(({ author }) => author));
        if (!gone) setComments((known) => merged(comments, known ?? []));
      },
      (error) => gone || setFailure(said(error)),
    );
    return () => {
      gone = true;
      stop();
    };
  }, [listen, path, ticket.ticket_id]);

  async function say(message: string) {
    const comment = await request<Comment>("POST", path, { body: { message } });
    setComments((known) => merged([comment], known ?? []));
  }
  const typists = presence.typists(ticket.ticket_id, me.id);
  return (
    <section className="comments" aria-label="Comments">
      <h3>Comments</h3>
      {failure && <Failed message={failure} />}
      {!comments && !failure && <Skeleton lines={ticket.comments > 0 ? 2 : 1} />}
      {comments?.length === 0 && (
        <p className="quiet">No comments yet. Mention somebody with @ and they are notified.</p>
      )}
      <ol className="comment-list">
        {comments?.map((comment) => (
          <OneComment
            key={comment.comment_id}
            comment={comment}
            {...((isAdmin(me) || same(comment.author.id, me.id)) && {
              onDelete: () => void request("DELETE", `${path}${comment.comment_id}/`),
            })}
          />
        ))}
      </ol>
      <TypingLine people={typists} />
      <Composer say={say} typing={(isTyping) => presence.type(ticket.ticket_id, isTyping)} />
    </section>
  );
}

function OneComment({ comment, onDelete }: { comment: Comment; onDelete?: () => void }) {
  const now = useNow();
  return (
    <li className="comment">
      <Avatar person={comment.author} decorative />
      <div className="comment-body">
        <p className="comment-head">
          <strong>{nameOf(comment.author)}</strong>
          <time dateTime={comment.created_at}>{ago(comment.created_at, now)}</time>
          {comment.edited_at && <span>edited</span>}
          {onDelete && (
            <button type="button" className="link-button" onClick={onDelete}>
              Delete<span className="visually-hidden"> comment</span>
            </button>
          )}
        </p>
        <p className="comment-text">{comment.message}</p>
      </div>
    </li>
  );
}

interface ComposerProps {
  readonly say: (message: string) => Promise<void>;
  readonly typing: (isTyping: boolean) => void;
}

/** What is written stays until it has been saved. */
function Composer({ say, typing }: ComposerProps) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const told = useRef(0);
  const stop = useEffectEvent(() => {
    if (told.current === 0) return;
    told.current = 0;
    typing(false);
  });
  useEffect(() => () => stop(), []);

  function changed(value: string) {
    setText(value);
    if (value === "") return stop();
    if (Date.now() - told.current < RENEWAL) return;
    told.current = Date.now();
    typing(true);
  }
  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (text.trim() === "" || busy) return;
    setBusy(true);
    setFailure(undefined);
    try {
      await say(text.trim());
      setText("");
      stop();
    } catch (error) {
      setFailure(said(error));
    }
    setBusy(false);
  }
  function pressed(event: KeyboardEvent) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit();
  }
  return (
    <form className="comment-form" onSubmit={submit}>
      {failure && (
        <p className="notice" role="alert">
          {failure}
        </p>
      )}
      <label>
        <span className="visually-hidden">Write a comment</span>
        <textarea
          rows={2}
          placeholder="Write a comment…"
          value={text}
          onChange={(event) => changed(event.target.value)}
          onKeyDown={pressed}
          onBlur={() => stop()}
        />
      </label>
      <button type="submit" className="button button-primary" disabled={busy || text.trim() === ""}>
        {busy ? "Sending…" : "Comment"}
      </button>
    </form>
  );
}

async function everything(path: string): Promise<readonly Comment[]> {
  const comments: Comment[] = [];
  let after: unknown = 0;
  do {
    const page = await request<{ comments: Comment[]; next: unknown }>("GET", `${path}?limit=100&after=${after}`);
    comments.push(...page.comments);
    after = page.next;
  } while (after);
  return comments;
}

function merged(some: readonly Comment[], others: readonly Comment[]): readonly Comment[] {
  const byId = new Map([...others, ...some].map((comment) => [comment.comment_id, comment]));
  return [...byId.values()].sort((one, other) => one.comment_id - other.comment_id);
}

function applied(known: readonly Comment[], frame: Frame, ticket: number): readonly Comment[] {
  const comment = frame.data as Comment;
  if (comment.ticket_id !== ticket) return known;
  if (frame.type === "comment_deleted") return known.filter(({ comment_id }) => comment_id !== comment.comment_id);
  return frame.type === "comment_added" || frame.type === "comment_updated" ? merged([comment], known) : known;
}
