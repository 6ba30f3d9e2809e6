//! A timer that is finer than the runtime's milliseconds.

#[cfg(target_os = "linux")]
pub(crate) use precise::Alarm;
#[cfg(not(target_os = "linux"))]
pub(crate) use rough::Alarm;

#[cfg(target_os = "linux")]
mod precise {
    use std::{io, os::fd::OwnedFd, time::Instant};

    use rustix::{
        io::read,
        time::{
            Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
            timerfd_settime,
        },
    };
    use tokio::io::unix::AsyncFd;

    const NEVER: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

    /// The kernel's timer, as a descriptor.
    pub(crate) struct Alarm(AsyncFd<OwnedFd>);

    impl Alarm {
        /// # Errors
        /// No descriptor left.
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for types that can't promise what an OwnedFd does"
        )]
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            Ok(Self(AsyncFd::new(timerfd_create(TimerfdClockId::Monotonic, flags)?)?))
        }

        /// Has it ring then, and at no other time.
        pub(crate) fn set(&self, until: Instant) {
            let left = until.saturating_duration_since(Instant::now());
            // A time of nothing would mean never.
            let left = Timespec {
                tv_sec: left.as_secs().try_into().unwrap_or(0),
                tv_nsec: left.subsec_nanos().max(1).into(),
            };
            let once = Itimerspec { it_interval: NEVER, it_value: left };
            // It is a timer, and the time is in range.
            let _ = timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once);
        }

        /// Returns when it rings.
        pub(crate) async fn rings(&self) {
            while let Ok(mut ready) = self.0.readable().await {
                if read(&self.0, &mut [0_u8; 8]).is_ok() {
                    return;
                }
                ready.clear_ready();
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod rough {
    use std::{cell::Cell, io, time::Instant};

    /// The runtime's own timer.
    pub(crate) struct Alarm(Cell<Instant>);

    impl Alarm {
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self(Cell::new(Instant::now())))
        }

        pub(crate) fn set(&self, until: Instant) {
            self.0.set(until);
        }

        pub(crate) async fn rings(&self) {
            tokio::time::sleep_until(self.0.get().into()).await;
        }
    }
}
