import { hashOf } from "../routing/route.ts";
import { BackIcon } from "../ui/icons.tsx";
import { Empty, Skeleton } from "../ui/states.tsx";
import { Composer } from "./composer.tsx";
import { MessageList } from "./message-list.tsx";
import { MessageRow } from "./message-row.tsx";
import { useRoom } from "./use-room.ts";

/** A room, with whoever is there. */
export function RoomThread({ room: name }: { room: string }) {
  const room = useRoom(name);
  return (
    <section className="thread" aria-label={`Room ${name}`}>
      <header className="thread-head">
        <a className="icon-button thread-back" href={hashOf({ page: "chat" })} aria-label="All rooms">
          <BackIcon />
        </a>
        <h2>
          <span className="hash" aria-hidden="true">
            #
          </span>
          {name}
        </h2>
      </header>
      {room.loading && room.lines.length === 0 && <Skeleton lines={6} />}
      {!room.loading && room.lines.length === 0 && (
        <Empty title={`This is the beginning of #${name}`}>Say something.</Empty>
      )}
      <MessageList lines={room.lines} label={`Messages in ${name}`}>
        {(line, isFirst) => <MessageRow line={line} isFirst={isFirst} />}
      </MessageList>
      <Composer placeholder={`Message #${name}`} say={room.say} />
    </section>
  );
}
