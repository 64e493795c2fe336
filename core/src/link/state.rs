//! The states of a link and what each allows (AT contract §2).

use crate::at::code::Code;

/// A link's state; the value is what `AT+MQTTCONN?` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not initialised.
    NotInitialised = 0,
    /// USERCFG set.
    UserConfigured = 1,
    /// CONNCFG set too.
    ConnectionConfigured = 2,
    /// Was connected; the connection is lost or being made again.
    Lost = 3,
    /// Connected, nothing subscribed since the link was configured.
    Connected = 4,
    /// Connected, and the last subscription was removed.
    Unsubscribed = 5,
    /// Connected, at least one subscription.
    Subscribed = 6,
}

/// What a command wants to do to a link: one row of the contract's state table each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// USERCFG.
    ConfigureUser,
    /// CLIENTID, USERNAME, PASSWORD and their LONG forms, CONNCFG, ALPN, SNI.
    Configure,
    /// CONN.
    Connect,
    /// PUB, PUBRAW, SUB, UNSUB.
    Exchange,
    /// CLEAN.
    Clean,
    /// CERT: it concerns the next connection.
    StoreCredential,
}

impl Action {
    /// Whether this is allowed in `state`.
    ///
    /// # Errors
    /// The documented code of the cell.
    pub const fn permit(self, state: State) -> Result<(), Code> {
        use Code::{
            AlreadyConnected, InDisconnectedState, NoConfigured, NotInConfiguredState, UninitiatedOrAlreadyClean,
        };
        let refusal = match (self, state) {
            (Self::ConfigureUser, State::NotInitialised) | (Self::StoreCredential, _) => return Ok(()),
            (Self::Configure | Self::Connect, State::NotInitialised) => NoConfigured,
            (Self::Exchange | Self::Clean, State::NotInitialised) => UninitiatedOrAlreadyClean,
            (Self::Clean, _) => return Ok(()),
            (Self::Exchange, State::Connected | State::Unsubscribed | State::Subscribed) => return Ok(()),
            (Self::Exchange, _) => InDisconnectedState,
            (_, State::UserConfigured | State::ConnectionConfigured) => return Ok(()),
            (_, State::Lost) => NotInConfiguredState,
            (_, State::Connected | State::Unsubscribed | State::Subscribed) => AlreadyConnected,
        };
        Err(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::*;

    #[test]
    fn every_cell_of_the_contract() {
        let states = [
            State::NotInitialised,
            State::UserConfigured,
            State::ConnectionConfigured,
            State::Lost,
            State::Connected,
            State::Unsubscribed,
            State::Subscribed,
        ];
        let rows: [(Action, [u16; 7]); 5] = [
            (ConfigureUser, [0, 0, 0, 0x6002, 0x6004, 0x6004, 0x6004]),
            (Configure, [0x6001, 0, 0, 0x6002, 0x6004, 0x6004, 0x6004]),
            (Connect, [0x6001, 0, 0, 0x6002, 0x6004, 0x6004, 0x6004]),
            (Exchange, [0x6003, 0x6051, 0x6051, 0x6051, 0, 0, 0]),
            (Clean, [0x6003, 0, 0, 0, 0, 0, 0]),
        ];
        for (action, codes) in rows {
            for (state, code) in states.into_iter().zip(codes) {
                let got = action.permit(state).err().map_or(0, |code| code.value());
                assert_eq!(got, code, "{action:?} in {state:?}");
            }
        }
    }
}
