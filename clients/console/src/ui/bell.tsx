/** Carillon's bell. */
export function Bell({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" className="bell">
      <rect width="32" height="32" rx="8" className="bell-ground" />
      <path
        d="M16 6c-3.9 0-6.4 3-6.4 7 0 5.2-2.2 6.8-2.2 8.3 0 .7.5 1.1 1.2 1.1h14.8c.7 0 1.2-.4 1.2-1.1 0-1.5-2.2-3.1-2.2-8.3 0-4-2.5-7-6.4-7Z"
        className="bell-body"
      />
      <circle cx="16" cy="25" r="2" className="bell-clapper" />
    </svg>
  );
}
