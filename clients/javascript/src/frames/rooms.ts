import type { AnyEndpointFrame, Greeted, Id, Placed, Timestamp } from "./common.js";

/** Who is in a collaboration room. */
export interface Collaborator {
  id: Id;
  username: string;
  first_name: string;
  last_name: string;
  [field: string]: unknown;
}

/** `/ws/collaboration/{room_name}/`: beside these any object that a client has sent, with its `sender`. */
export type CollaborationFrame =
  | ({ type: "participants"; participants: Collaborator[]; count: number } & Greeted)
  | ({ type: "participant_joined" | "participant_left"; participant: Collaborator } & Placed)
  | ({ type: string; sender: Collaborator; [field: string]: unknown } & Placed)
  | AnyEndpointFrame;

/** `/ws/counter/` and `/ws/counter/{name}/`. */
export type CounterFrame =
  | ({ type: "counter_update"; counter: number; message?: string; action?: CounterAction; value?: number; timestamp?: Timestamp } & Placed &
      Greeted)
  | ({ type: "user_count_update"; count: number } & Placed)
  | AnyEndpointFrame;

export type CounterAction = "increment" | "decrement" | "reset";

/** What a counter takes. */
export interface CounterRequest {
  action: CounterAction;
  value?: number;
}
