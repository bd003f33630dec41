//! What becomes of a message: lost, slow, or just there.

use super::{
    random::Random,
    weather::{Millis, SECOND, Weather},
};
use counterfoil_domain::session::REFRESH_DEADLINE;

/// What becomes of a request.
pub(super) enum Sent {
    /// It reaches a server, which executes it.
    Executed {
        /// When the server has read it.
        accepted_at: Millis,
        /// When it is executed.
        at: Millis,
    },
    /// It does not, or is dropped because the server came to it too late.
    Lost,
}

/// Draws what becomes of a request. A server cannot accept it after its client has gone, and does not execute it after
/// its own deadline.
pub(super) fn request(weather: &Weather, at: Millis, client_timeout: Millis, random: &mut Random) -> Sent {
    let accepted_at = at + delay(weather, client_timeout, random);
    let queued = if random.percent(weather.queued) { random.between(0, 7 * SECOND) } else { random.between(1, 20) };
    let deadline = Millis::try_from(REFRESH_DEADLINE.as_millis()).unwrap_or(0);
    if random.percent(weather.request_loss) || accepted_at > at + client_timeout || queued > deadline {
        return Sent::Lost;
    }
    Sent::Executed { accepted_at, at: accepted_at + queued }
}

/// Draws when a reply arrives; `None` when it is lost.
pub(super) fn reply(weather: &Weather, at: Millis, client_timeout: Millis, random: &mut Random) -> Option<Millis> {
    let arrives_at = at + delay(weather, client_timeout, random);
    (!random.percent(weather.reply_loss)).then_some(arrives_at)
}

fn delay(weather: &Weather, client_timeout: Millis, random: &mut Random) -> Millis {
    // A slow one takes anything up to a little more than a client waits for.
    if random.percent(weather.slow) { random.between(0, client_timeout * 11 / 10) } else { random.between(5, 150) }
}
