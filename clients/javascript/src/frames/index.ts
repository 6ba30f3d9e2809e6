import type { ConversationFrame, RoomFrame } from "./chat.js";
import type { SystemHealthFrame } from "./health.js";
import type { NotificationFrame, OrganisationFrame } from "./notifications.js";
import type { BackEndFrame, PresenceFrame, ProjectFrame, TicketFrame } from "./projects.js";
import type { CollaborationFrame, CounterFrame } from "./rooms.js";

export type * from "./channels.js";
export type * from "./chat.js";
export type * from "./common.js";
export type * from "./health.js";
export type * from "./notifications.js";
export type * from "./projects.js";
export type * from "./rooms.js";

/** The frames of the endpoint of a path. One that isn't known has frames of anything. */
export type FrameOf<Path extends string> = Path extends `${string}ws/notifications/${string}`
  ? NotificationFrame
  : Path extends `${string}ws/events/${string}`
    ? OrganisationFrame
    : Path extends `${string}ws/chat/${number}/`
      ? ConversationFrame
      : Path extends `${string}ws/chat/${string}`
        ? RoomFrame
        : Path extends `${string}ws/collaboration/${string}`
          ? CollaborationFrame
          : Path extends `${string}ws/counter/${string}`
            ? CounterFrame
            : Path extends `${string}ws/projects/${string}/tickets/${string}`
              ? TicketFrame
              : Path extends `${string}ws/projects/${string}/presence/${string}`
                ? PresenceFrame
                : Path extends `${string}ws/projects/${string}/events/${string}`
                  ? BackEndFrame
                  : Path extends `${string}ws/projects/${string}`
                    ? ProjectFrame
                    : Path extends `${string}ws/system-health/${string}`
                      ? SystemHealthFrame
                      : Record<string, unknown>;

/** The frames of a channel of `carillon.v1`. */
export type EventOf<Channel extends string> = Channel extends "everyone" | `user.${string}`
  ? NotificationFrame
  : Channel extends `org.${string}`
    ? OrganisationFrame
    : Channel extends `room.${string}`
      ? RoomFrame
      : Channel extends `conversation.${string}`
        ? ConversationFrame
        : Channel extends `collaboration.${string}`
          ? CollaborationFrame
          : Channel extends `counter.${string}`
            ? CounterFrame
            : Channel extends `project.${string}.tickets`
              ? TicketFrame
              : Channel extends `project.${string}.presence`
                ? PresenceFrame
                : Channel extends `project.${string}.events`
                  ? BackEndFrame
                  : Channel extends "system.health"
                    ? SystemHealthFrame
                    : Record<string, unknown>;
