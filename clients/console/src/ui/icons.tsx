import type { ReactNode } from "react";

/** Drawn on a grid of 20 by 20, in the colour of the text around them. */
function icon(drawing: ReactNode) {
  return function Icon({ size = 18 }: { size?: number }) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        {drawing}
      </svg>
    );
  };
}

export const BoardIcon = icon(
  <>
    <rect x="2.5" y="3" width="4" height="14" rx="1.2" />
    <rect x="8" y="3" width="4" height="9" rx="1.2" />
    <rect x="13.5" y="3" width="4" height="11.5" rx="1.2" />
  </>,
);
export const ChatIcon = icon(
  <path d="M3 5.5A2.5 2.5 0 0 1 5.5 3h9A2.5 2.5 0 0 1 17 5.5v5a2.5 2.5 0 0 1-2.5 2.5H9l-4 4v-4.05A2.5 2.5 0 0 1 3 10.5Z" />,
);
export const DocumentIcon = icon(
  <path d="M5 2.5h6.5L15.5 6.5v10a1 1 0 0 1-1 1h-9.5a1 1 0 0 1-1-1v-13a1 1 0 0 1 1-1ZM11.5 2.5v4h4M7 10.5h6M7 13.5h4" />,
);
export const CounterIcon = icon(<path d="M4.5 4v12M8.2 4v12M11.8 4v12M15.5 4v12M2.5 14 17.5 6" />);
export const SystemIcon = icon(<path d="M2.5 10.5h3l2.5-6 4 11 2.5-5h3" />);
export const BellIcon = icon(
  <path d="M10 2.8c-2.7 0-4.4 2-4.4 4.8 0 3.6-1.6 4.8-1.6 5.7 0 .5.3.7.8.7h10.4c.5 0 .8-.2.8-.7 0-.9-1.6-2.1-1.6-5.7 0-2.8-1.7-4.8-4.4-4.8ZM8.4 16.5a1.7 1.7 0 0 0 3.2 0" />,
);
export const PlusIcon = icon(<path d="M10 4.5v11M4.5 10h11" />);
export const CloseIcon = icon(<path d="m5.5 5.5 9 9M14.5 5.5l-9 9" />);
export const SearchIcon = icon(<path d="M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4" />);
export const CommentIcon = icon(
  <path d="M3.5 6A2 2 0 0 1 5.5 4h9a2 2 0 0 1 2 2v5.5a2 2 0 0 1-2 2H9.5L6 16.5v-3h-.5a2 2 0 0 1-2-2Z" />,
);
export const EyeIcon = icon(
  <>
    <path d="M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5Z" />
    <circle cx="10" cy="10" r="2" />
  </>,
);
export const ClipIcon = icon(
  <path d="m14.5 9-5.4 5.4a2.9 2.9 0 0 1-4.1-4.1l6-6a1.9 1.9 0 0 1 2.7 2.7l-5.8 5.8a.9.9 0 0 1-1.3-1.3L11.8 6.3" />,
);
export const SendIcon = icon(<path d="M17 3 9.5 10.5M17 3l-4.5 14-3-6.5L3 7.5Z" />);
export const ReplyIcon = icon(<path d="M8 5 3.5 9.5 8 14M3.5 9.5H12a4.5 4.5 0 0 1 4.5 4.5v1" />);
export const EditIcon = icon(<path d="m4 16 .8-3.5 8.4-8.4a1.5 1.5 0 0 1 2.1 0l.6.6a1.5 1.5 0 0 1 0 2.1l-8.4 8.4Z" />);
export const TrashIcon = icon(
  <path d="M4 5.5h12M8 5.5V4a.8.8 0 0 1 .8-.8h2.4A.8.8 0 0 1 12 4v1.5M5.5 5.5l.7 10a1 1 0 0 0 1 1h5.6a1 1 0 0 0 1-1l.7-10" />,
);
export const SmileIcon = icon(
  <>
    <circle cx="10" cy="10" r="7" />
    <path d="M7.3 11.5a3 3 0 0 0 5.4 0M7.7 8v.1M12.3 8v.1" />
  </>,
);
export const SunIcon = icon(
  <>
    <circle cx="10" cy="10" r="3.2" />
    <path d="M10 2.5v1.5M10 16v1.5M2.5 10H4M16 10h1.5M4.7 4.7l1.1 1.1M14.2 14.2l1.1 1.1M15.3 4.7l-1.1 1.1M5.8 14.2l-1.1 1.1" />
  </>,
);
export const MoonIcon = icon(<path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3Z" />);
export const BackIcon = icon(<path d="M12 4.5 6.5 10l5.5 5.5" />);
export const CalendarIcon = icon(
  <path d="M4.5 4.5h11a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1v-10a1 1 0 0 1 1-1ZM3.5 8.5h13M7 3v3M13 3v3" />,
);
export const LeaveIcon = icon(<path d="M8 3.5H5a1 1 0 0 0-1 1v11a1 1 0 0 0 1 1h3M13 6.5l3.5 3.5-3.5 3.5M16 10H8" />);
export const KeyboardIcon = icon(
  <path d="M3.5 5h13a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1h-13a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1ZM5.5 8v.1M8.5 8v.1M11.5 8v.1M14.5 8v.1M7 12h6" />,
);
