import { expectTypeOf, test } from "vitest";
import {
  type ChannelEvent,
  type ConversationFrame,
  type CounterFrame,
  connect,
  createClient,
  type EndpointSocket,
  type EventOf,
  type FrameOf,
  type NotificationFrame,
  type OrganisationFrame,
  type PresenceFrame,
  type ProjectFrame,
  type RoomFrame,
  type Subscription,
  type SystemHealthFrame,
  type TicketFrame,
} from "../src/index.js";
import { type AnyFrame, useWebSocket, type WebSocketConnection, type WebSocketHandle } from "../src/react/index.js";

// What `tsc` finds out; nothing of it runs.
const never = () => false;

test("frames are typed by their endpoint's path", () => {
  expectTypeOf<FrameOf<"ws/notifications/">>().toEqualTypeOf<NotificationFrame>();
  expectTypeOf<FrameOf<`wss://example.com/ws/notifications/${number}/?token=${string}`>>().toEqualTypeOf<NotificationFrame>();
  expectTypeOf<FrameOf<`ws/events/${string}/`>>().toEqualTypeOf<OrganisationFrame>();
  expectTypeOf<FrameOf<`ws/chat/${number}/`>>().toEqualTypeOf<ConversationFrame>();
  expectTypeOf<FrameOf<"ws/chat/general/">>().toEqualTypeOf<RoomFrame>();
  expectTypeOf<FrameOf<"ws/counter/">>().toEqualTypeOf<CounterFrame>();
  expectTypeOf<FrameOf<`ws/projects/${number}/tickets/`>>().toEqualTypeOf<TicketFrame>();
  expectTypeOf<FrameOf<`/ws/projects/${number}/presence/`>>().toEqualTypeOf<PresenceFrame>();
  expectTypeOf<FrameOf<`ws/projects/${number}/`>>().toEqualTypeOf<ProjectFrame>();
  expectTypeOf<FrameOf<"ws/system-health/">>().toEqualTypeOf<SystemHealthFrame>();
  expectTypeOf<FrameOf<"elsewhere/">>().toEqualTypeOf<Record<string, unknown>>();
  if (never()) expectTypeOf(connect("ws/counter/")).toEqualTypeOf<EndpointSocket<CounterFrame>>();
});

test("events are typed by their channel's name", () => {
  expectTypeOf<EventOf<`conversation.${number}`>>().toEqualTypeOf<ConversationFrame>();
  expectTypeOf<EventOf<`project.${number}.tickets`>>().toEqualTypeOf<TicketFrame>();
  if (never()) {
    const room = createClient().subscribe("room.general");
    expectTypeOf(room).toEqualTypeOf<Subscription<RoomFrame>>();
    room.on("event", (event) => expectTypeOf(event).toEqualTypeOf<ChannelEvent<RoomFrame>>());
  }
});

test("useWebSocket has the documents' forms", () => {
  if (never()) {
    /* biome-ignore-start lint/correctness/useHookAtTopLevel: nothing of it runs */
    expectTypeOf(useWebSocket("ws://localhost:8000/ws/notifications/", "token")).toEqualTypeOf<AnyFrame[]>();
    expectTypeOf(
      useWebSocket("ws/projects/1/tickets/", { onMessage: (data) => expectTypeOf(data).toEqualTypeOf<TicketFrame>() }),
    ).toEqualTypeOf<WebSocketHandle<TicketFrame>>();
    expectTypeOf(useWebSocket("ws://localhost:8000/ws/chat/7/", (message) => message.type, true)).toEqualTypeOf<WebSocketConnection>();
    /* biome-ignore-end lint/correctness/useHookAtTopLevel: nothing of it runs */
  }
});
