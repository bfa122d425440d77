//! The suite end to end, without a window: real processes over loopback, killed for real, and what
//! they leave in their files.
//!
//! - [`votes`]: a vote that nothing disturbs.
//! - [`crash_points`]: a death at every boundary that the roles have, as a table.
//! - [`termination`]: the coordinator is gone; who decides, who is blocked, who comes back.
//! - [`relay`]: the relay is killed in the middle of a vote.
//! - [`names`]: the same name again, one after the other and twice at once.
//! - [`programs`]: flags, commands, exit statuses, many transactions at once.
//! - [`plain_http`]: the relay as `curl` sees it.

mod crash_points;
mod names;
mod plain_http;
mod programs;
mod relay;
mod scene;
mod termination;
mod votes;
