//! Who may come in, in the order in which it is asked.

use tokio::net::TcpStream;
use twopc_proto::frame::{Answer, ErrorCode, Frame, Login, PROTOCOL, Person, Refusal};
use twopc_proto::{Role, UserName};

use super::Relay;
use super::link::has_ended;
use crate::names::{KeyHash, Standing};
use crate::room::{Seat, name_taken};

/// Reads a login and takes a place in the room for it.
///
/// # Errors
/// The first [`Refusal`] that applies; the connection stays open for another try.
pub(super) async fn login(frame: &Frame, relay: &Relay, stream: &TcpStream) -> Result<Seat, Refusal> {
    let upgrades = frame.is_http_1_1() && frame.has_word("Connection", "Upgrade") && frame.has_word("Upgrade", PROTOCOL);
    if !upgrades {
        return Err(Answer::upgrade_required());
    }
    let (name, login) = Login::read(frame.body())?;
    if login.role == Role::Observer {
        check_lab(login.lab.as_deref(), relay)?;
    }
    take_name(&name, &login, relay).await?;
    let hash = KeyHash::of(&login.key).map_err(|_| unwritten())?;
    // Looked at last, with nothing to wait for until the place is taken: who has died since it asked
    // may have a successor, in the room already, which must not be ended for it.
    if has_ended(stream).await {
        return Err(gone());
    }
    relay.room.enter(&Person { user: name, role: login.role }, &login.key, hash)
}

/// Reads a name as somebody typed it.
///
/// # Errors
/// `name_invalid`, with what is wrong with it.
pub(super) fn parse_name(text: &str) -> Result<UserName, Refusal> {
    UserName::parse(text).map_err(Refusal::name_invalid)
}

fn check_lab(shown: Option<&str>, relay: &Relay) -> Result<(), Refusal> {
    use subtle::ConstantTimeEq;
    let (Some(wanted), Some(shown)) = (relay.lab.as_deref(), shown) else {
        return Err(forbidden("Observers come in with the key that the relay was started with (--lab KEY); show it as \"lab\"."));
    };
    if bool::from(wanted.as_bytes().ct_eq(shown.as_bytes())) {
        Ok(())
    } else {
        Err(forbidden("That is not the key that the relay was started with (--lab KEY); show that one."))
    }
}

/// Sees to it that the name is this key's, on the disk too, before anybody hears of it.
async fn take_name(name: &UserName, login: &Login, relay: &Relay) -> Result<(), Refusal> {
    let standing = relay.names.standing(name, Some(&login.key)).await;
    if standing == Standing::Taken {
        return Err(name_taken(name));
    }
    relay.room.admit(name, &login.key)?;
    // An observer claims no name.
    if login.role == Role::Observer || standing == Standing::Yours {
        return Ok(());
    }
    match relay.names.claim(name, &login.key).await {
        Standing::Yours => Ok(()),
        Standing::Taken => Err(name_taken(name)),
        Standing::NoneLeft => {
            Err(Refusal::new(503, ErrorCode::RoomFull, "As many names are claimed as this relay keeps; use one that is yours already."))
        }
        Standing::Free | Standing::NotWritten => Err(unwritten()),
    }
}

fn unwritten() -> Refusal {
    Refusal::new(503, ErrorCode::RoomFull, "The relay cannot write down who claims this name, its disk may be full; try again later.")
}

fn gone() -> Refusal {
    Refusal::closing(400, ErrorCode::BadRequest, "The other end has stopped sending; a login needs a connection that stays open.")
}

fn forbidden(message: &'static str) -> Refusal {
    Refusal::new(403, ErrorCode::Forbidden, message)
}
